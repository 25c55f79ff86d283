"""Filling a form in: what is still missing, then the Word file, and the same as PDF."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docxtpl import DocxTemplate

from engine.core.authority import Office
from engine.core.collation import name_key
from engine.core.errors import BadInput
from engine.core.machine import Definition
from engine.core.places import FindingsError
from engine.core.values import Type
from engine.core.views import derive, view_of
from engine.service import Service
from engine.steps import By
from engine.work import Case, Work
from reports.forms import OFFICE_NAMES, ReadyForm, check_about
from reports.letters import Letter, holder
from reports.places import environment
from reports.showing import UNKNOWN, Shower, Shown, day_text
from reports.typeset import pdf_of


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A place that nothing is known for. `row` names the listed subject whose place it is."""

    place: str
    label: str
    row: str | None = None


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form filled in. `content` is the Word file; `missing` what stays dots though the form wants it."""

    form: ReadyForm
    content: bytes
    missing: Sequence[Gap]

    def pdf(self) -> bytes:
        """Returns the same as PDF."""
        return pdf_of(self.content)


@dataclass(frozen=True, kw_only=True)
class _Filler:
    """Fills in one form about one subject."""

    work: Work
    form: ReadyForm
    lang: str  # of the one who asks; what is filled in has the form's own
    letter: Letter

    def shower(self, definition: Definition) -> Shower:
        return Shower(definition=definition, lang=self.form.written_in, zone=self.work.calendar.zone, names=self._named)

    def _named(self, kind: str, id: str) -> str:
        if kind == "org":
            org = self.work.office.tree.by_id.get(id)
            return org.name if org is not None else id
        case = self.work.case(id)
        title = case.definition.file.title_fact
        return str(case.subject.facts.get(title, id)) if title is not None else id

    def own(self, case: Case) -> dict[str, Shown]:
        """Returns what the form's own subject shows: facts, what is worked out, the office."""
        view = _view(case, self.work)
        shower = self.shower(case.definition)
        shown = {name: shower.fact(name, view.get(name)) for name in case.definition.types}
        for name, expression in self.form.works_out.items():
            value = expression.evaluate(view, self.work.calendar)
            shown[name] = UNKNOWN if value is None else Shown(text=shower.plain(_ANY, value), value=value)
        return {**shown, **self.office(case)}

    def office(self, case: Case) -> dict[str, Shown]:
        """Returns the names of the office as they stand today."""
        made = _office_names(self.work.office, case.subject.org, self.form.head, self.work.today)
        return {
            **made, "place": _known(self.letter.place or None), "unit_top_over": _known(self.letter.above or None)
        }  # fmt: skip

    def rows(self, case: Case) -> list[tuple[str, dict[str, Any]]]:
        """Returns those that the form lists, by name the way this language sorts them, each with its number."""
        rows = self.form.spec.rows
        named = case.subject.facts.get(rows.named_by) if rows is not None else None
        if not isinstance(named, Mapping):
            return []
        assert rows is not None
        type_ = case.definition.types[rows.named_by].of
        order = list(type_.options) if type_ is not None else []
        wanted = {id: entry for id, entry in named.items() if not rows.only or entry in rows.only}
        entries = self.shower(case.definition).fact(rows.named_by, wanted)
        self.work.fetch(wanted)

        def place(id: str) -> tuple[int, str]:
            entry = str(wanted[id])
            return (order.index(entry) if entry in order else 0, name_key(self._named("subject", id)))

        made = []
        for number, id in enumerate(sorted(wanted, key=place), start=1):
            other = self.work.case(id)
            view, shower = _view(other, self.work), self.shower(other.definition)
            row: dict[str, Any] = dict.fromkeys(self.form.places.row_names, UNKNOWN)
            row |= {n: shower.fact(n, view.get(n)) for n in other.definition.types}
            row |= self.office(other)
            row |= {"number": number, "name": _known(self._named("subject", id)), "entry": entries.entry(id)}
            made.append((id, row))
        return made

    def gaps(self, own: Mapping[str, Shown], rows: Sequence[tuple[str, Mapping[str, Any]]], about: Case) -> list[Gap]:
        """Returns the places that stay dots, less those that may."""
        places, optional = self.form.places, set(self.form.spec.may_miss)
        found = [
            Gap(place=p, label=self._label(about.definition, p))
            for p in sorted(places.names - optional - {"rows"})
            if isinstance(own[p], Shown) and own[p].value is None and not _by_entry(places.entries, p)
        ]
        for entry in sorted(places.entries):
            name, _, key = entry.partition(".")
            if entry not in optional and name not in optional and getattr(own[name], key).value is None:
                found.append(Gap(place=entry, label=self._label(about.definition, name, key)))
        for id, row in rows:
            definition = self.work.case(id).definition
            found += [
                Gap(place=p, label=self._label(definition, p), row=self._named("subject", id))
                for p in sorted(places.row_names - optional)
                if isinstance(row[p], Shown) and row[p].value is None
            ]
        return found

    def _label(self, definition: Definition, name: str, key: str = "") -> str:
        if name in self.form.spec.works_out:
            return self.form.spec.works_out[name].label.of(self.lang)
        spec = definition.file.facts.get(name)
        if spec is None:
            return OFFICE_NAMES.get(name, name)
        entry = definition.area.file.lists.get(spec.keys or "", {}).get(key)
        return (entry.label if entry is not None else spec.label).of(self.lang)


_DOTS = "....."  # what is not known
_ANY = Type(name="text")


def _by_entry(entries: frozenset[str], name: str) -> bool:
    return any(e.startswith(f"{name}.") for e in entries)


def _view(case: Case, work: Work) -> dict[str, Any]:
    view: dict[str, Any] = view_of(case.definition, case.subject, work.moment())
    derive(view, case.definition.derived, work.calendar)
    return view


def _office_names(office: Office, unit: str, head: str, day: date) -> dict[str, Shown]:
    """Returns the names of the unit, those above it, and their heads, as they stand today."""
    path = [office.tree.by_id[o] for o in office.tree.path(unit) if o in office.tree.by_id]
    above = path[1] if len(path) > 1 else None
    return {
        "unit": _known(path[0].name if path else None),
        "unit_above": _known(above.name if above else None),
        "unit_top": _known(path[-1].name if path else None),
        "unit_head": _known(holder(office, path[0].id if path else None, head)),
        "unit_above_head": _known(holder(office, above.id if above else None, head)),
        "day": Shown(text=day_text(day), value=day),
    }


def _known(name: str | None) -> Shown:
    return UNKNOWN if name is None else Shown(text=name, value=name)


def fill(
    work: Work, form: ReadyForm, subject: str, letter: Letter, lang: str = "vi", note: str | None = None
) -> Filled:
    """Returns a form filled in about a subject. `note` stands on top, that it comes from a sandbox say.

    Raises NotFound, and BadInput for a form of another workflow, or whose file of the office's own is wrong.
    """
    if form.faults:
        raise FindingsError(form.faults)
    case = work.case(subject)
    check_about(form, case.subject.workflow)
    filler = _Filler(work=work, form=form, lang=lang, letter=letter)
    own, rows = filler.own(case), filler.rows(case)
    if form.spec.rows is not None and not rows:
        raise BadInput("{subject}: there is nobody yet whom this form would list", subject=subject)
    template = DocxTemplate(str(form.path))
    template.render({**own, "rows": [row for _, row in rows]}, environment(), autoescape=True)
    settle(template.docx, note)
    held = io.BytesIO()
    template.save(held)
    return Filled(form=form, content=held.getvalue(), missing=filler.gaps(own, rows, case))


def settle(document: Any, note: str | None) -> None:
    """Puts the note on top of every page, and keeps lines with dots from being drawn apart to the margin."""
    paragraphs = document.paragraphs
    for paragraph in paragraphs:
        if paragraph.alignment == WD_ALIGN_PARAGRAPH.JUSTIFY and _DOTS in paragraph.text:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT
    if note is None:
        return
    for section in document.sections:
        first_page = [section.first_page_header] if section.different_first_page_header_footer else []
        for header in (section.header, *first_page):
            header.is_linked_to_previous = False
            first = header.paragraphs[0].insert_paragraph_before()
            first.alignment = WD_ALIGN_PARAGRAPH.CENTER
            first.add_run(note).bold = True


def hand_out(
    service: Service,
    form: ReadyForm,
    subject: str,
    by: By,
    letter: Letter,
    lang: str = "vi",
    note: str | None = None,
    *,
    only_asked: bool = False,
) -> Filled:
    """Returns a form filled in for an officer who may read the subject; the trail notes who got it.

    `only_asked`: only what is missing is looked at. Raises NotFound, also for a subject that the officer may not see,
    and BadInput for a form of another workflow.
    """
    service.desk.sees(subject, by)
    with service.work() as work:
        filled = fill(work, form, subject, letter, lang, note)
    if only_asked:
        service.access.opened(subject, "form", by)
    else:
        service.access.exported(form.id, 1, by, subject=subject)
    return filled
