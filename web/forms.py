"""Forms: read with a limit, made from the definition, given back filled with what is wrong beside each field."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from engine.core.errors import KetnapError
from engine.core.machine import Definition
from engine.core.values import Value
from web.shown import Values, day, entries

BODY_LIMIT = 512_000  # bytes of a form
FILE_LIMIT = 12_000_000  # bytes of a form with files
FIELDS = 5_000
FILES = 30  # of a form
AGAIN, RESUMED = "again", "resumed"  # a form that is shown again after an ended session, and is being shown
OWN = ("csrf", "command", "version", AGAIN, RESUMED)  # fields of every form of ours that are no input
FACT = "f."  # how the names of facts' inputs begin
LONG_TEXT = 120  # letters from which a text gets several lines

_DAY = re.compile(r"\s*(\d{1,2})\s*[/.\- ]\s*(\d{1,2})\s*[/.\- ]\s*(\d{4})\s*\Z")
_TIME = re.compile(r"[ ,T]+(\d{1,2}):(\d{2})\Z")
_ISO = re.compile(r"\s*(\d{4})-(\d{2})-(\d{2})\s*\Z")


class TooLarge(KetnapError):
    """What was sent is larger than this page takes; nothing was saved."""


class BadForm(KetnapError):
    """What was sent is no form of this program; nothing was saved."""


@dataclass(frozen=True)
class Form:
    """What was typed: pairs in the order of the page; and the files, of which one name may bear several."""

    pairs: Sequence[tuple[str, str]] = ()
    uploads: Sequence[tuple[str, UploadFile]] = ()

    @property
    def files(self) -> Mapping[str, UploadFile]:
        """The last file under each name."""
        return dict(self.uploads)

    def get(self, name: str, default: str = "") -> str:
        """Returns the last value under a name."""
        return next((v for n, v in reversed(self.pairs) if n == name), default)

    def all(self, name: str) -> list[str]:
        """Returns every value under a name."""
        return [v for n, v in self.pairs if n == name]

    def has(self, name: str) -> bool:
        """Tells whether a field was on the page."""
        return any(n == name for n, _ in self.pairs)

    @property
    def input(self) -> list[tuple[str, str]]:
        """What people typed, without our own fields."""
        return [(n, v) for n, v in self.pairs if n not in OWN]


async def read_form(request: Request, *, files: bool = False) -> Form:
    """Reads a form. Raises TooLarge and BadForm."""
    limit = FILE_LIMIT if files else BODY_LIMIT
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge()
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data" and files:
        return await _read_parts(request, limit)
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise BadForm()
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise TooLarge()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise BadForm() from None
    if any("\x00" in text for pair in pairs for text in pair):
        raise BadForm()
    return Form(tuple(pairs))


async def _read_parts(request: Request, limit: int) -> Form:
    size = 0

    async def stream() -> AsyncGenerator[bytes, None]:
        nonlocal size
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise TooLarge()
            yield piece

    parser = MultiPartParser(request.headers, stream(), max_files=FILES, max_fields=FIELDS, max_part_size=BODY_LIMIT)
    try:
        data = await parser.parse()
    except (MultiPartException, ValueError, KeyError):
        raise BadForm() from None
    pairs = tuple((n, v) for n, v in data.multi_items() if isinstance(v, str))
    if any("\x00" in text for pair in pairs for text in pair):
        raise BadForm()
    return Form(pairs, tuple((n, v) for n, v in data.multi_items() if isinstance(v, UploadFile)))


# ---- days ----


def read_day(text: str, say: Callable[[str], str]) -> tuple[date | None, str]:
    """Reads a day as people type it. Returns it (None: nothing typed, or wrong), and what is wrong with it."""
    if not text.strip():
        return None, ""
    match = _DAY.match(text) or _ISO.match(text)
    if match is None:
        return None, say("Type the day as day/month/year, such as 09/02/2025.")
    a, b, c = (int(g) for g in match.groups())
    year, month, number = (a, b, c) if match.re is _ISO else (c, b, a)
    if not 1 <= month <= 12:
        return None, say("There is no month {month}.").format(month=month)
    if not 1900 <= year <= 2200:
        return None, say("The year {year} cannot be right.").format(year=year)
    last = monthrange(year, month)[1]
    if not 1 <= number <= last:
        return None, say("Month {month} has {last} days.").format(month=month, last=last)
    return date(year, month, number), ""


# ---- fields ----


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input: `kind` is text, lines, pairs, number, day, time, choice, yes_no, unit or check."""

    name: str
    label: str
    kind: str
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    hint: str = ""
    error: str = ""
    required: bool = False
    covered: bool = False  # sensitive: what is known is not on the page, nothing typed leaves it as it is

    @property
    def id(self) -> str:
        """A name for the element."""
        return self.name.replace(".", "-").replace("_", "-")


class FactForm:
    """The inputs of some facts of a subject, made from the definition."""

    def __init__(
        self,
        definition: Definition,
        values: Values,
        known: Mapping[str, Value],
        units: Iterable[tuple[str, str]] = (),
        below: Iterable[tuple[str, str]] = (),
    ) -> None:
        """`units` may be chosen for an organisation; `below` are those that a map by organisations has inputs for."""
        self.definition, self.values, self.known = definition, values, known
        self._units, self._below = tuple(units), tuple(below)

    def fields(self, facts: Iterable[str], *, required: Iterable[str] = (), form: Form | None = None) -> list[Field]:
        """Returns the inputs of facts, filled with what was typed, else with what is known."""
        made: list[Field] = []
        must = set(required)
        for fact in dict.fromkeys(facts):
            spec = self.definition.file.facts[fact]
            if spec.worked_out:
                continue
            for one in self._fields(fact):
                typed = form is not None and form.has(one.name)
                value = form.get(one.name) if form is not None and typed else one.value
                made.append(replace(one, value=value, required=fact in must and spec.type != "map"))
        return made

    def _fields(self, fact: str) -> list[Field]:
        spec = self.definition.file.facts[fact]
        label, value, lang = spec.label.of(self.values.lang), self.known.get(fact), self.values.lang
        hint = spec.hint.of(lang) if spec.hint is not None else ""
        if spec.type == "map":
            held = value if isinstance(value, dict) else {}
            if spec.keys is None:
                lines = "\n".join(f"{k}: {typed(v)}" for k, v in held.items())
                how = self.values.say("one a line: what, then a colon, then the text")
                return [Field(name=FACT + fact, label=label, kind="pairs", value=lines, hint=hint or how)]
            kind = kind_of((spec.of or ["text"])[0])
            return [
                Field(
                    name=f"{FACT}{fact}.{key}",
                    label=name,
                    kind=kind,
                    value=typed(held.get(key)),
                    options=self._yes_no() if kind == "yes_no" else (),
                )
                for key, name in self._keys(fact)
            ]
        kind = kind_of(spec.type)
        options: Sequence[tuple[str, str]] = ()
        if kind == "choice":
            options = [(k, e.label.of(lang)) for k, e in entries(self.definition, fact).items()]
        elif kind == "yes_no":
            options = self._yes_no()
        elif kind == "unit":
            kinds = self.definition.area.kinds(spec.of or [])
            by_id = self.values.tree.by_id
            options = [(i, n) for i, n in self._units if not kinds or by_id[i].kind in kinds or i == value]
        text = self._typed(value, fact)
        if kind == "text" and len(text) > LONG_TEXT:
            kind = "lines"
        covered = spec.sensitive and value is not None
        return [
            Field(
                name=FACT + fact,
                label=label,
                kind=kind,
                value="" if spec.sensitive else text,
                options=options,
                hint=hint,
                covered=covered,
            )
        ]

    def _keys(self, fact: str) -> list[tuple[str, str]]:
        spec, lang = self.definition.file.facts[fact], self.values.lang
        if spec.keys == "orgs":
            held = self.known.get(fact)
            near = dict(self._below)
            more = {id: self.values.unit(id) for id in held if id not in near} if isinstance(held, dict) else {}
            return [(id, f"{spec.label.of(lang)}: {name}") for id, name in {**near, **more}.items()]
        return [(key, entry.label.of(lang)) for key, entry in entries(self.definition, fact).items()]

    def _typed(self, value: Value | None, fact: str = "") -> str:
        if isinstance(value, str) and fact and value in self.definition.file.facts[fact].shows:
            return self.values.text(self.definition, fact, value)
        return typed_moment(value, self.values.zone) if isinstance(value, datetime) else typed(value)

    def _yes_no(self) -> list[tuple[str, str]]:
        return [("true", self.values.plain(True)), ("false", self.values.plain(False))]

    def read(self, fields: Sequence[Field], say: Callable[[str], str]) -> tuple[dict[str, object], list[Field]]:
        """Returns the facts that the form changes, as the engine reads them, and the fields with what is wrong.

        What was not touched is left out; what was emptied becomes unknown (None).
        """
        raw: dict[str, object] = {}
        after: list[Field] = []
        for one in fields:
            fact, _, key = one.name.removeprefix(FACT).partition(".")
            value, error = read_one(one, say)
            if not error and one.required and value is None and fact not in self.known:
                error = say("This is needed.")
            if error:
                after.append(replace(one, error=error))
                continue
            after.append(one)
            held = self.known.get(fact)
            if one.kind == "pairs":
                if change := _changed_pairs(value or "", held):
                    raw[fact] = change
                continue
            old = held.get(key) if key and isinstance(held, dict) else None if key else held
            if value is None and (old is None or one.covered or not one.name.startswith(FACT)):
                continue
            if isinstance(old, datetime) and one.value.strip() == self._typed(old):
                continue
            if value is not None and (_same(value, old) or (not key and value == self._typed(old, fact))):
                continue
            if key:
                into = raw.setdefault(fact, {})
                assert isinstance(into, dict)
                into[key] = value
            else:
                raw[fact] = value
        return raw, after


def beside(fields: Sequence[Field], fact: str, error: str) -> tuple[list[Field], bool]:
    """Returns the fields with what is wrong beside the fact's, and whether there is such a field.

    The error names the fact only where it stands far from its field.
    """
    error = error.removeprefix(f"{fact}: ")
    found = [replace(f, error=error) if f.name.removeprefix(FACT) == fact else f for f in fields]
    return found, found != list(fields)


def kind_of(type_: str) -> str:
    kinds = {"int": "number", "decimal": "number", "bool": "yes_no", "date": "day", "datetime": "time"}
    return {**kinds, "choice": "choice", "org": "unit"}.get(type_, "text")


def typed(value: Value | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date) and not isinstance(value, datetime):
        return day(value)
    return "" if value is None else str(value)


def _same(value: str, old: Value | None) -> bool:
    if isinstance(old, date) and not isinstance(old, datetime):
        return value == old.isoformat()
    return value == typed(old)


def typed_moment(value: datetime, zone: tzinfo) -> str:
    """Returns a time as people type it."""
    return value.astimezone(zone).strftime("%d/%m/%Y %H:%M")


def _changed_pairs(text: str, held: Value | None) -> dict[str, str | None]:
    """Returns what lines of `key: text` change in a map; a key that stands there no more becomes unknown."""
    now = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in text.splitlines()) if k.strip()}
    old = {k: typed(v) for k, v in held.items()} if isinstance(held, dict) else {}
    changed: dict[str, str | None] = {k: v or "-" for k, v in now.items() if old.get(k) != (v or "-")}
    return {**changed, **{k: None for k in old if k not in now}}


def read_moment(text: str, say: Callable[[str], str]) -> tuple[datetime | None, str]:
    """Reads a time of the office's clock as people type it. Returns it (None: nothing, or wrong), and what is wrong."""
    if not text.strip():
        return None, ""
    day_text, at = text.strip(), "00:00"
    if (match := _TIME.search(day_text)) is not None:
        day_text, at = day_text[: match.start()], f"{int(match[1]):02}:{match[2]}"
    found, error = read_day(day_text.strip(" ,T"), say)
    if match is None and not error:
        return None, say("Type the time too, such as 21/01/2025 09:30.")
    if found is None:
        return None, error
    if not (int(at[:2]) < 24 and int(at[3:]) < 60):
        return None, say("Type the time as hour:minute, such as 09:30.")
    return datetime.combine(found, time.fromisoformat(at)), ""


def read_one(one: Field, say: Callable[[str], str]) -> tuple[str | None, str]:
    text = one.value.strip()
    if not text:
        return None, ""
    if one.kind == "day":
        found, error = read_day(text, say)
        return (found.isoformat() if found else None), error
    if one.kind == "time":
        moment, error = read_moment(text, say)
        return (moment.isoformat(" ", "minutes") if moment else None), error
    if one.kind == "number":
        plain = text.replace(" ", "").replace(",", ".")
        return (plain, "") if re.fullmatch(r"[+-]?\d+(\.\d+)?", plain) else (None, say("Type a number."))
    if one.options and text not in {v for v, _ in one.options}:
        return None, say("Choose one of the list.")
    return text, ""
