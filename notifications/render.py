"""Notice templates made into texts: the subject line, the body, and the short text for a phone.

A template is data from an office, not code: `notifications.grammar` says what may stand in one, and one that says more
is refused, by the check and again when it is to be rendered. The sandbox below it is the second wall.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import TracebackType
from typing import Any

from jinja2 import Template, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.core.errors import KetnapError
from engine.core.machine import Definition
from engine.core.timers import Item
from notifications import grammar
from notifications.digest import SMS_LIMIT, SUBJECT_LIMIT, DigestItem, cut, digest, digest_sms, html
from notifications.grammar import Fault
from notifications.phrases import Phrases

__all__ = ["DigestItem", "Fault", "RenderError", "Templates", "allowed_names", "digest", "digest_sms", "html"]

LANGUAGES = ("vi", "en")
OUTPUT_LIMIT = 16_384  # letters of one part
VALUE_LIMIT = 2_000  # letters of one value
SMS_MARK = "--- sms"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


class RenderError(KetnapError):
    """The notice template {template} fails at line {line}: {why}"""

    def __init__(self, template: str, line: int, why: str) -> None:
        self.template, self.line = template, line
        super().__init__(RenderError.__doc__ or "", template=template, line=line, why=why)


class _Unknown(Undefined):
    """A value that nobody knows: false, less than nothing, more than nothing, and a word when it is printed."""

    word = ""

    def __str__(self) -> str:
        return self.word

    def _same(self, *_: object) -> Any:
        return self

    def _never(self, *_: object) -> Any:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = __abs__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _never


def _show(value: object, words: Phrases) -> str:
    """Returns a value as people read it: dates as dd/mm/yyyy, yes and no in words, maps entry by entry."""
    match value:
        case None:
            return words.unknown
        case bool():
            return words.yes if value else words.no
        case datetime():
            return f"{value:%H:%M %d/%m/%Y}"
        case date():
            return f"{value:%d/%m/%Y}"
        case Mapping():
            return "; ".join(f"{key}: {_show(item, words)}" for key, item in value.items())[:VALUE_LIMIT]
        case _:
            return str(value)[:VALUE_LIMIT]


def _day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


def _month(value: object) -> object:
    return f"{value:%m/%Y}" if isinstance(value, date) else value


def _at(value: object, key: object = "") -> object:
    return value.get(key) if isinstance(value, Mapping) else None


def _abs(value: object) -> object:
    return abs(value) if isinstance(value, int) else value


@cache
def _environment(lang: str) -> ImmutableSandboxedEnvironment:
    words = Phrases.of(lang)

    class Unknown(_Unknown):
        word = words.unknown

    def show(value: object) -> str:
        return _show(value, words)

    def short(value: object, limit: object = grammar.SHORT) -> object:
        return value if isinstance(value, Undefined) else cut(show(value), limit if isinstance(limit, int) else 1)

    def capital(value: object) -> object:
        if isinstance(value, Undefined):
            return value
        text = show(value)
        return text if len(text[:1].upper()) != 1 else text[0].upper() + text[1:]  # the large ß is two letters

    environment = ImmutableSandboxedEnvironment(
        undefined=Unknown, finalize=show, autoescape=False, optimized=False, cache_size=0, extensions=()
    )
    environment.globals.clear()
    environment.tests = {"known": lambda value: value is not None and not isinstance(value, Undefined)}
    filters: dict[str, Callable[..., object]] = {
        "day": _day, "month": _month, "label": show, "short": short, "at": _at, "abs": _abs, "capital": capital
    }  # fmt: skip
    environment.filters = dict(filters)
    return environment


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A part of a template file: `text` keeps its line numbers by the empty lines before it."""

    name: str
    text: str

    def tree(self, lang: str) -> tuple[nodes.Template | None, list[Fault]]:
        return grammar.parse(_environment(lang), self.name, self.text)


@dataclass(frozen=True, kw_only=True)
class _File:
    """A template file taken apart before anything is filled in, so that no value can move the borders."""

    subject: _Part
    body: _Part
    sms: _Part | None
    blank_second_line: bool


def _take_apart(name: str, text: str) -> _File:
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
    marks = [i for i, line in enumerate(lines) if line.rstrip() == SMS_MARK]
    end = marks[0] if marks else len(lines)
    body = "\n" * min(1, end) + "\n".join(lines[1:end])
    sms = "\n" * (end + 1) + "\n".join(lines[end + 1 :])
    return _File(
        subject=_Part(name=name, text=lines[0] if end else ""),
        body=_Part(name=name, text=body),
        sms=_Part(name=name, text=sms) if marks else None,
        blank_second_line=end < 2 or not lines[1].strip(),
    )


class Templates:
    """The notice templates of a folder, by `rule.language`. Built from texts; compiled when first used."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._files: dict[str, _File] = {}
        self._compiled: dict[tuple[str, str], Template] = {}

    def names(self) -> frozenset[str]:
        """Returns the names of the templates, each with its language: `rule.vi`."""
        return frozenset(self._texts)

    def check(self, allowed: Mapping[str, frozenset[str]]) -> list[Fault]:
        """Returns everything wrong with the templates, in the order of their names and lines.

        `allowed` says for each template that a rule uses, without its language, which facts it may name (`WORDS` of
        notices may always be named). A template missing in a language is a fault too, and so is one nobody uses.
        """
        faults = [
            Fault(f"{name}.{lang}", 1, "there is no such notice template", {})
            for name in allowed
            for lang in LANGUAGES
            if f"{name}.{lang}" not in self._texts
        ]
        for full in self._texts:
            name, _, lang = full.rpartition(".")
            if lang not in LANGUAGES:
                faults.append(Fault(full, 1, "the name of a notice template ends in its language, .vi or .en", {}))
            elif name not in allowed:
                faults.append(Fault(full, 1, "no notice rule uses this template", {}))
            else:
                faults += self._check_one(full, lang, allowed[name])
        return sorted(faults, key=lambda f: (f.template, f.line, f.message))

    def _check_one(self, full: str, lang: str, allowed: frozenset[str]) -> list[Fault]:
        file = self._file(full)
        faults: list[Fault] = []
        for part in (file.subject, file.body, *([file.sms] if file.sms else [])):
            tree, wrong = part.tree(lang)
            faults += wrong
            if tree is not None:
                faults += grammar.undeclared(tree, full, allowed)
                if part is file.sms:
                    faults += _sms_faults(tree, part, lang)
        if not file.subject.text.strip() or not file.body.text.strip():
            faults.append(Fault(full, 1, "a notice template has a subject line, an empty line and a body", {}))
        elif not file.blank_second_line:
            faults.append(Fault(full, 2, "the line after the subject line is empty", {}))
        return faults or self._tried(full, lang)

    def _tried(self, full: str, lang: str) -> list[Fault]:
        """Renders with words of every type, before and past the due date, to find what cannot be compared."""
        name = full.rpartition(".")[0]
        for sample in _SAMPLES:
            try:
                self.render(name, lang, sample)
                self.sms(name, lang, sample)
            except RenderError as error:
                return [Fault(full, error.line, "the template fails: {why}", {"why": error.params["why"]})]
        return []

    def render(self, name: str, lang: str, context: Mapping[str, object]) -> Item:
        """Returns the notice as an email says it; a late one says when it should have gone out. Raises RenderError.

        A value that is None or missing in `context` is shown as not known.
        """
        full = f"{name}.{lang}"
        file = self._file(full)
        subject = " ".join(self._run(file.subject, "subject", lang, context).split())
        body = _tidy(self._run(file.body, "body", lang, context))
        planned = context.get("planned_on")
        if context.get("late") is True and isinstance(planned, date):
            body += "\n\n" + Phrases.of(lang).late.format(day=f"{planned:%d/%m/%Y}")
        return Item(subject_line=cut(subject, SUBJECT_LIMIT), body=body)

    def sms(self, name: str, lang: str, context: Mapping[str, object]) -> str:
        """Returns the notice as a text message of at most two segments, marked when it is late. Raises RenderError.

        A template without a part for it gives its subject line.
        """
        file = self._file(f"{name}.{lang}")
        part, kind = (file.sms, "sms") if file.sms else (file.subject, "subject")
        text = " ".join(self._run(part, kind, lang, context).split())
        return cut((Phrases.of(lang).late_short if context.get("late") is True else "") + text, SMS_LIMIT)

    def _file(self, full: str) -> _File:
        if full not in self._files:
            if full not in self._texts:
                raise RenderError(full, 1, "there is no such notice template")
            self._files[full] = _take_apart(full, self._texts[full])
        return self._files[full]

    def _run(self, part: _Part, kind: str, lang: str, context: Mapping[str, object]) -> str:
        template = self._compiled.get((part.name, kind))
        if template is None:
            template = self._compiled[(part.name, kind)] = _compile(part, lang)
        pieces: list[str] = []
        room = OUTPUT_LIMIT
        # A fact whose name is a word of notices is not to be seen behind it; None is what nobody knows.
        known = {k: _handed_in(v) for k, v in context.items() if v is not None}
        try:
            for piece in template.generate(known):
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    raise ValueError("the text is too long")
        except Exception as error:
            raise RenderError(part.name, _line(error.__traceback__), str(error) or type(error).__name__) from error
        return _CONTROL.sub(" ", "".join(pieces))


def _compile(part: _Part, lang: str) -> Template:
    _, faults = part.tree(lang)
    if faults:
        why = faults[0].message.format_map(faults[0].params)
        raise RenderError(part.name, faults[0].line, why)
    try:
        return _environment(lang).from_string(part.text)
    except Exception as error:
        # What the grammar lets through compiles; should it not, the notice fails and no other.
        raise RenderError(part.name, getattr(error, "lineno", None) or 1, str(error)) from error


def _handed_in(value: object) -> object:
    return value[:VALUE_LIMIT] if isinstance(value, str) else value


def _line(trace: TracebackType | None) -> int:
    """Returns the template's line in a traceback: Jinja2 rewrites its own frames to the template's lines."""
    line = 1
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _tidy(text: str) -> str:
    """Takes away the empty lines that conditions leave."""
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def _sms_faults(tree: nodes.Template, part: _Part, lang: str) -> Iterable[Fault]:
    words = Phrases.of(lang)
    line = len(part.text) - len(part.text.lstrip("\n")) + 1
    for name, at in grammar.names(tree):
        if name == "reason":
            # People write there what must not stand beside a name on a phone.
            yield Fault(part.name, at, "a text message may not carry the reason", {})
    if not part.text.strip():
        yield Fault(part.name, line, "the text message is empty", {})
    most = grammar.longest(tree, len(words.unknown)) - (len(part.text) - len(part.text.strip()))
    limit = SMS_LIMIT - len(words.late_short)
    if most > limit:
        message = "the text message can be {most} letters long; {limit} are two parts. Shorten names: name|short(30)"
        shown = "any number of" if most >= grammar.ENDLESS // 2 else str(most)
        yield Fault(part.name, line, message, {"most": shown, "limit": limit})


def allowed_names(definitions: Iterable[Definition]) -> dict[str, frozenset[str]]:
    """Returns for each template that the notice rules use which facts it may name: those that are not sensitive.

    A template that rules of several workflows use may name what all of them have.
    """
    allowed: dict[str, frozenset[str]] = {}
    for definition in definitions:
        facts = frozenset(n for n, f in definition.file.facts.items() if not f.sensitive)
        for rule, notice in definition.file.notices.items():
            name = notice.template or rule
            allowed[name] = allowed.get(name, facts) & facts
    return allowed


def _sample(days: int) -> dict[str, object]:
    today = date(2024, 2, 29)
    texts = grammar.WORDS - grammar.NUMBERS - grammar.DATES - {"late"}
    return {
        **dict.fromkeys(texts, "Abc"), **dict.fromkeys(grammar.NUMBERS, days), **dict.fromkeys(grammar.DATES, today),
        "late": days < 0,
    }  # fmt: skip


_SAMPLES: tuple[Mapping[str, object], ...] = ({}, _sample(5), _sample(0), _sample(-3))
