"""The sheet of a step that moves many: everybody on it decided line by line, kept as a draft, recorded whole or not.

One page serves every such step of every workflow: a sitting, the list of a class, its results and its close.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.commands import Move
from engine.core.errors import BadInput, BadLines, Conflict, KetnapError
from engine.drafts import DraftChanged, Pairs
from engine.sheet_documents import sheet_document
from engine.sitting import Sitting
from engine.steps import Answer
from web.access import FILLS
from web.forms import FACT, Field, Form
from web.named import has_forms
from web.pages.home import title_of
from web.pages.step import ON, REASON, fact_form, step_fields
from web.sheet_form import ASIDE, DO, SheetForm
from web.site import Said, Site, Visit
from web.words import error_text

SHOWN = 500  # lines of a page
SEEN = "draft"  # the version of the draft that the page showed
LISTS, PERSON, LINE = "lists", "person", "line"  # what is put into the draft: files, or one person; and with which line


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    places = ("/subjects/{subject}/sheets/{trigger}", "/subjects/{subject}/sheets/{trigger}/{unit}")
    return [route for path in places for route in (site.get(path, show, FILLS), site.post(path, take, FILLS))]


def address(subject: str, trigger: str, unit: str | None = None) -> str:
    """Returns where the sheet of a step is."""
    return f"/subjects/{subject}/sheets/{trigger}" + (f"/{unit}" if unit else "")


class Page:
    """One visit to a sheet: what was typed, or the draft, and the sheet with it."""

    def __init__(self, visit: Visit, form: Form | None) -> None:
        self.visit = visit
        self.subject, self.trigger = visit.path("subject"), visit.path("trigger")
        self.unit: str | None = visit.request.path_params.get("unit")
        found = self._sitting(None)
        if form is None and found.draft is not None and found.may:
            form = Form(tuple(found.draft.pairs))
        self.form = form
        self.fields, self.facts = self._fields(found)
        brought = {n: v for n, v in self.facts.items() if found.step.batch is not None and n == found.step.batch.day}
        if brought:  # the day of the lines decides which versions of the rules judge them
            with suppress(BadInput):
                found = self._sitting(brought)
        self.found = found
        self.at = address(self.subject, self.trigger, self.unit)

    def _sitting(self, facts: Mapping[str, object] | None) -> Sitting:
        return self.visit.service.sheets.sitting(
            self.subject, self.trigger, self.visit.by(), unit=self.unit, facts=facts
        )

    def _fields(self, found: Sitting) -> tuple[list[Field], dict[str, object]]:
        """Returns the inputs of the step itself, and what they bring."""
        visit, case, step = self.visit, found.case, found.step
        assert step.batch is not None
        made = step_fields(visit, case, found.facts, step, self.form)
        hidden = {FACT + n for n in (step.batch.within, *self._shown_at_lines(found)) if n is not None}
        if step.batch.day is not None:
            hidden.add(ON)  # the fact says it
        fields = [f for f in made if f.name not in hidden and f.name.partition(".")[2].partition(".")[0] not in hidden]
        day = None if step.batch.day is None else FACT + step.batch.day
        fields = [replace(f, value=f.value or made[-1].value) if f.name == day else f for f in fields]
        known = {n: v for n, v in found.facts.items() if n not in step.asks_anew}
        raw, read = fact_form(visit, case.definition, known, case.subject.org).read(
            [f for f in fields if f.name.startswith(FACT)], visit.say
        )
        read += [f for f in fields if not f.name.startswith(FACT)]
        if self.unit is not None and step.batch.within is not None:
            raw[step.batch.within] = self.unit
        return read, raw

    @staticmethod
    def _shown_at_lines(found: Sitting) -> list[str]:
        return [n for n in found.step.takes if found.case.definition.file.facts[n].keys == "subjects"]

    @property
    def seen(self) -> int:
        """The version of the draft that the page showed."""
        text = self.visit.form.get(SEEN)
        return int(text) if text.isdigit() and len(text) < 10 else 0

    @property
    def pairs(self) -> Pairs:
        """What was typed, without what belongs to the page."""
        assert self.form is not None
        return tuple((n, v) for n, v in self.form.input if n not in (SEEN, "do", "confirmed", LISTS, PERSON, LINE))

    def show(
        self,
        status: int = 200,
        *,
        wrong: Mapping[str, Sequence[str]] | None = None,
        said: str = "",
        draft: int | None = None,
        brought: tuple[str, Sequence[str]] = ("", ()),
    ) -> Response:
        """Returns the page."""
        visit, found = self.visit, self.found
        case, step = found.case, found.step
        shown = SheetForm(visit, found, self.form, wrong or {}).entries() if found.sheet is not None else []
        told = sheet_document(visit.teller, found.sheet, case.definition, found.others) if found.sheet else {}
        return visit.page(
            "sheet.html",
            status,
            case=case,
            subject=case.subject,
            title=title_of(visit, case) if found.whole else case.definition.file.title.of(visit.lang),
            heading=step.label.of(visit.lang),
            whole=found.whole,
            may=found.may,
            unit_of_lines=visit.values.unit(self.unit) if self.unit else "",
            units=[{"id": u, "name": visit.values.unit(u), "at": address(self.subject, self.trigger, u)}
                   for u in found.units] if found.sheet is None else [],
            sheet=found.sheet,
            day_of_lines=found.sheet.day if found.sheet is not None else None,
            fields=self.fields,
            entries=shown[:SHOWN],
            more=max(0, len(shown) - SHOWN),
            wrong=[e for e in shown if e.loud],
            below=told.get("units", []),
            draft=found.draft,
            draft_version=draft if draft is not None else found.draft.version if found.draft is not None else 0,
            version=case.subject.version,
            said_late=said,
            aside=ASIDE,
            has_forms=has_forms(visit, case.subject.workflow),
            asks_reason=REASON,
            several=len(step.lines) > 1 and step.batch is not None and not step.batch.over,
            action=self.at,
            lists=f"/subjects/{self.subject}/lists/{self.trigger}" + (f"/{self.unit}" if self.unit else ""),
            labels=[(n, line.spec.label.of(visit.lang)) for n, line in step.lines.items()],
            usual_line=_usual_line(found),
            brought=brought,
        )  # fmt: skip

    def command(self) -> tuple[Move, dict[str, list[str]]]:
        """Returns the step with its lines as typed, and what is wrong by subject."""
        assert self.form is not None
        read = SheetForm(self.visit, self.found, self.form, {}).read()
        facts: dict[str, object] = {**self.facts, **read.maps}
        on = next((f for f in self.fields if f.name == ON), None)
        version = self.visit.form.get("version")
        command = Move(
            subject=self.subject,
            trigger=self.trigger,
            facts=facts,
            on=_day(on),
            reason=self.form.get(REASON).strip() or None,
            lines=read.lines,
            version=int(version) if version.isdigit() and len(version) < 10 else None,
        )
        return command, read.errors


def _day(one: Field | None) -> Any:
    from web.forms import read_day

    return read_day(one.value, str)[0] if one is not None else None


def show(visit: Visit) -> Response:
    """Shows the sheet, with its draft where there is one."""
    return _over(visit) or Page(visit, None).show()


def take(visit: Visit) -> Response:
    """Keeps the draft, puts it aside, tries the sheet, or records it."""
    if (over := _over(visit)) is not None:
        return over
    if visit.form.get("do") == "aside":
        return _put_aside(visit)
    if visit.form.get("confirmed") == "yes":
        return _record(visit)
    page = Page(visit, visit.form)
    if not page.found.may:
        return page.show(403, said=visit.say("This step is not yours to take; nothing was saved."))
    try:
        kept = visit.service.sheets.keep(
            page.subject, page.trigger, page.pairs, visit.by(), seen=page.seen, unit=page.unit
        )
    except DraftChanged:
        return changed_meanwhile(page)
    if visit.form.get("do") == "keep":
        return visit.redirect(page.at, Said(visit.say("The draft is saved. Nothing is recorded yet.")))
    return _try(page, kept.version)


def changed_meanwhile(page: Page) -> Response:
    """Returns the page as it was typed, with who saved the draft meanwhile."""
    visit, draft = page.visit, page.found.draft
    who = visit.officer_name(draft.officer) if draft is not None else ""
    text = visit.say(
        "{who} saved this draft meanwhile. What you see is yours and not saved; saving again puts it over theirs.",
        who=who or visit.say("Somebody else"),
    )
    return page.show(409, said=text)


def _usual_line(found: Sitting) -> str:
    """Returns the line for rows of a list that name none: the only one, else what is done with who is awaited."""
    names = list(found.step.lines)
    awaited = [r.spec.do for r in found.step.rest if r.spec.awaited]
    return names[0] if len(names) == 1 else awaited[0] if awaited else ""


def _over(visit: Visit) -> Response | None:
    """Returns the way back from a sheet whose step is behind the subject, as after sending the same form twice."""
    subject, trigger = visit.path("subject"), visit.path("trigger")
    with visit.service.work() as work:
        case = work.case(subject)
    if case.subject.state in case.definition.steps[trigger].sources:
        return None
    state = visit.teller.state(case.definition, case.subject.state)
    label = visit.teller.trigger(case.definition, trigger)
    said = Said(visit.say("{step}: not from where it stands now ({state}).", step=label, state=state), "soon")
    whole = visit.service.desk.reads(subject, visit.by())
    return visit.redirect(f"/subjects/{subject}" if whole else "/", said)


def _try(page: Page, draft: int) -> Response:
    """Plays the sheet through: what would fail is shown beside its line, else everything that would be recorded."""
    visit = page.visit
    saved = visit.say("The draft is saved; nothing is recorded.")
    if any(f.error for f in page.fields):
        return page.show(400, said=visit.say("Look at the fields marked below.") + " " + saved, draft=draft)
    command, wrong = page.command()
    if wrong:
        return page.show(400, wrong=wrong, said=saved, draft=draft)
    try:
        answer = visit.service.sheets.rehearse(command, visit.by())
    except Conflict:
        return page.show(409, said=_moved_on(visit) + " " + saved, draft=draft)
    except BadInput as error:
        wrong, rest = _by_line(visit, error)
        return page.show(400, wrong=wrong, said=" ".join([*rest, saved]), draft=draft)
    if not answer.allowed:
        wrong, rest = _refused(page, answer)
        return page.show(422, wrong=wrong, said=" ".join([*rest, saved]), draft=draft)
    return _confirm(page, answer, draft)


def _moved_on(visit: Visit) -> str:
    return visit.say("Somebody else changed this meanwhile; look at it as it stands now.")


def _by_line(visit: Visit, error: BadInput) -> tuple[dict[str, list[str]], list[str]]:
    """Returns what is wrong by subject, and what is wrong with the sheet itself."""
    wrong: dict[str, list[str]] = {}
    rest: list[str] = []
    for one in error.errors if isinstance(error, BadLines) else [error]:
        subject, inner = one.params.get("subject"), one.__cause__
        if isinstance(subject, str) and isinstance(inner, KetnapError):
            wrong.setdefault(subject, []).append(_said(visit, inner))
        else:
            rest.append(_said(visit, one))
    return wrong, rest


def _said(visit: Visit, error: KetnapError) -> str:
    return visit.teller.invalid(error) if isinstance(error, BadInput) else error_text(error, visit.lang)


def _refused(page: Page, answer: Answer) -> tuple[dict[str, list[str]], list[str]]:
    visit, wrong = page.visit, dict[str, list[str]]()
    with visit.service.work() as work:
        for line in answer.lines:
            if line.state not in ("refused", "denied"):
                continue
            definition = work.library.newest(line.workflow)
            told = [visit.teller.judgement(definition, j) for j in line.judgements if j.result != "pass"]
            texts = [t["mend"] or t["message"] for t in told if t["kind"] != "warn"]
            wrong.setdefault(line.subject, []).extend(texts or [visit.say("This is not yours to decide.")])
    own = [visit.teller.judgement(page.found.case.definition, j) for j in answer.judgements if j.result != "pass"]
    return wrong, [t["mend"] or t["message"] for t in own]


def _confirm(page: Page, answer: Answer, draft: int) -> Response:
    """Lists everything that would be recorded."""
    visit, found = page.visit, page.found
    assert found.sheet is not None
    names = {r.subject: r.title or r.subject for r in found.sheet.rows}
    groups: dict[tuple[str, str], list[str]] = {}
    for line in answer.lines:
        kind = "aside" if line.state == "set_aside" else "left" if line.index < 0 else "line"
        groups.setdefault((kind, line.do), []).append(names.get(line.subject, line.subject))
    told = []
    for (kind, do), people in groups.items():
        label = found.step.lines[do].spec.label.of(visit.lang)
        who = f"{', '.join(people[:40])}{' …' if len(people) > 40 else ''}"
        if kind == "aside":
            told.append(visit.say("Set aside, only noted ({n}): {who}", n=len(people), who=who))
        elif kind == "left":
            told.append(visit.say("Not mentioned, so: {what} ({n}): {who}", what=label, n=len(people), who=who))
        else:
            told.append(visit.say("{what} ({n}): {who}", what=label, n=len(people), who=who))
    if not told:
        told.append(visit.say("No line; only the step itself is recorded."))
    return visit.page(
        "confirm.html",
        heading=found.step.label.of(visit.lang),
        title=title_of(visit, found.case),
        told=told,
        button=visit.say("Record the whole sheet"),
        action=page.at,
        back=page.at,
        pairs=[(SEEN, str(draft))],
        version=found.case.subject.version,
        risk=False,
    )


def _record(visit: Visit) -> Response:
    """Records the draft that was confirmed, whole or not at all."""
    page = Page(visit, None)
    draft = page.found.draft
    if draft is None or draft.version != page.seen:
        text = visit.say("The draft was changed after you looked at it, so nothing was recorded. Look at it once more.")
        return page.show(409, said=text)
    command, wrong = page.command()
    if wrong:
        return page.show(400, wrong=wrong)
    try:
        answer = visit.service.move(command, visit.by_form())
    except Conflict:
        return page.show(409, said=_moved_on(visit))
    except BadInput as error:
        wrong, rest = _by_line(visit, error)
        return page.show(400, wrong=wrong, said=" ".join(rest))
    if not answer.allowed:
        wrong, rest = _refused(page, answer)
        return page.show(422, wrong=wrong, said=" ".join(rest))
    with suppress(KetnapError):
        visit.service.sheets.put_aside(page.subject, page.trigger, visit.by(), unit=page.unit)
    label = page.found.step.label.of(visit.lang)
    text = visit.say("Recorded: {step}, lines: {n}.", step=label, n=len(command.lines))
    if not page.found.whole:
        return visit.redirect("/", Said(text))
    return visit.redirect(f"/subjects/{page.subject}", Said(text, undo=f"/subjects/{page.subject}/undo"))


def _put_aside(visit: Visit) -> Response:
    page = Page(visit, None)
    if visit.form.get("confirmed") != "yes":
        return visit.page(
            "confirm.html",
            heading=visit.say("Throw the draft away"),
            title=title_of(visit, page.found.case),
            told=[visit.say("What is filled in and not recorded is gone. What was recorded before stays.")],
            button=visit.say("Throw the draft away"),
            action=page.at,
            back=page.at,
            pairs=[("do", "aside")],
            version=None,
            risk=True,
        )
    visit.service.sheets.put_aside(page.subject, page.trigger, visit.by(), unit=page.unit)
    return visit.redirect(page.at, Said(visit.say("The draft is gone. The sheet stands as it is suggested.")))


__all__ = ["DO", "address", "routes"]
