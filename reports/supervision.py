"""The supervision report: what the trail of a unit and a period tells an inspector, as a document of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from html import escape

from engine.answers import Teller
from engine.core.events import Entry
from engine.supervision import Duty, Step, Story, Supervision
from reports.document import Head, Heading, Line, Report, Table, Value, written
from reports.person_copy import STYLE, table

NAME = "supervision"


class _Maker:
    def __init__(self, found: Supervision, teller: Teller) -> None:
        self.found, self.teller = found, teller

    def say(self, text: str) -> str:
        return self.teller.say(text)

    def table(self, title: str, headings: Sequence[str], rows: Sequence[Sequence[Value]], widths: str) -> Table:
        """`widths`: a number of letters for each column; one that ends in n holds numbers, in d days."""
        columns = [
            Heading(
                id=f"c{i}",
                label=self.say(h),
                shows="number" if w.endswith("n") else "date" if w.endswith("d") else "text",
                width=int(w.rstrip("nd")),
            )
            for i, (h, w) in enumerate(zip(headings, widths.split(), strict=True))
        ]
        lines = [Line(key=str(i), cells=row) for i, row in enumerate(rows, 1)]
        return Table(title=title, columns=columns, lines=lines, nothing="" if lines else self.say("There is nothing."))

    def case(self, id: str) -> str:
        workflow = self.found.workflows.get(id)
        title = self.found.titles.get(id) or (id if workflow is None else self._title(workflow))
        return id if title == id else f"{title} ({id})"

    def person(self, id: str) -> str:
        """Returns an officer by name, with the name of the account beside it."""
        name = self.found.people.get(id, id)
        return id if name == id else f"{name} ({id})"

    def step(self, workflow: str, trigger: str) -> str:
        definition = self.found.definitions.get(workflow)
        return self.teller.trigger(definition, trigger) if definition is not None else trigger

    def rule(self, workflow: str, rule: str) -> str:
        definition = self.found.definitions.get(workflow)
        known = definition.rules.get(rule) if definition is not None else None
        return self.teller.text(known.label) if known is not None else rule

    def day(self, entry: Entry) -> date | None:
        return date.fromisoformat(entry.on) if entry.on is not None else None

    def recorded(self, entry: Entry) -> date:
        return date.fromisoformat(str(self.teller.time(entry.at))[:10])

    def who(self, entry: Entry) -> str:
        who = self.person(entry.actor) if entry.actor else entry.account or self.say("the clock")
        return who if entry.behalf is None else f"{who}, {self.say('on behalf of')} {self.person(entry.behalf)}"

    # -- the tables

    def tables(self, *, cases: bool) -> Iterator[Table]:
        found, say = self.found, self.say
        yield self.table(say("Cases by stage"), ("Procedure", "State", "Number"), self._stages(), "40 30 10n")
        yield self.table(
            say("Steps against their time limits"),
            ("Case", "Step", "On", "Recorded", "Limit", "Result", "Reason"),
            [row for s in found.steps for row in self._limits(s)],
            "30 25 12d 12d 40 15 30",
        )
        yield self.table(
            say("Exceptions and extensions, with their reasons"),
            ("Case", "Step", "On", "Who", "Limit", "Reason"),
            [row for s in found.steps if s.entry.breaches for row in self._breaches(s)],
            "30 25 12d 20 40 40",
        )
        yield self.table(
            say("Overdue on the last day"),
            ("Case", "What", "Due", "Days late"),
            [(self.case(p.case), self.teller.text(p.label), p.due, p.days) for p in found.pending],
            "40 50 12d 10n",
        )
        yield self.table(
            say("Late entries"),
            ("Case", "What", "On", "Recorded", "Days late", "Who"),
            [
                (self.case(id), self._what(e), self.day(e), self.recorded(e), late, self.who(e))
                for id, e, late in sorted(found.late, key=lambda one: -one[2])
            ],
            "30 30 12d 12d 10n 20",
        )
        yield self.table(
            say("Who decided what"),
            ("Officer", "Procedure", "Step", "Number"),
            [
                (self.person(who), self._title(w), self.step(w, t), n)
                for (who, w, t), n in sorted(found.who_decided.items())
            ],
            "25 35 35 10n",
        )
        yield self.table(
            say("Separation of duties"),
            ("Case", "Step", "Done by", "Had done before", "Verdict"),
            [self._duty(d) for d in found.duties],
            "30 20 25 45 20",
        )
        yield self.table(
            say("Refused attempts"),
            ("Case", "What", "Recorded", "Who", "Why"),
            [(self.case(id), self._what(e), self.recorded(e), self.who(e), self._why(e)) for id, e in found.refused],
            "30 25 12d 20 50",
        )
        yield self.table(
            say("Who opened dossiers"),
            ("Who", "Case", "Number"),
            [(self.person(who), self.case(id), n) for (who, id), n in sorted(found.openings.items())],
            "25 40 10n",
        )
        yield self.table(
            say("Cases that ended, by reason"), ("Procedure", "Step", "Reason", "Number"), self._ends(), "35 30 35 10n"
        )
        if cases:
            yield from map(self._story, found.stories)

    def _people(self, ids: Iterable[str]) -> str:
        return ", ".join(map(self.person, ids))

    def _duty(self, duty: Duty) -> Sequence[Value]:
        workflow = self.found.workflows.get(duty.case, "")
        barred = "; ".join(f"{self.step(workflow, t)}: {self._people(p)}" for t, p in duty.barred.items())
        broken = self.teller.say("Broken: {who}", who=self._people(duty.both)) if duty.both else self.say("Kept")
        return self.case(duty.case), self.step(workflow, duty.trigger), self._people(duty.persons), barred, broken

    def _title(self, workflow: str) -> str:
        definition = self.found.definitions.get(workflow)
        return self.teller.text(definition.file.title) if definition is not None else workflow

    def _stages(self) -> list[Sequence[Value]]:
        rows: list[Sequence[Value]] = []
        for (workflow, state), n in sorted(self.found.stages.items()):
            definition = self.found.definitions.get(workflow)
            label = self.teller.state(definition, state) if definition is not None else state
            rows.append((self._title(workflow), label, n))
        return rows

    def _limits(self, step: Step) -> Iterator[Sequence[Value]]:
        e = step.entry
        for rule, result, broken in step.limits:
            told = self.say("breach") if broken else self.say(result)
            label = self.rule(e.workflow or "", rule)
            yield self.case(step.case), self._what(e), self.day(e), self.recorded(e), label, told, step.reason

    def _breaches(self, step: Step) -> Iterator[Sequence[Value]]:
        e = step.entry
        for rule in e.breaches:
            label = self.rule(e.workflow or "", rule)
            yield self.case(step.case), self._what(e), self.day(e), self.who(e), label, step.reason

    def _ends(self) -> list[Sequence[Value]]:
        rows: list[Sequence[Value]] = []
        for (workflow, trigger, fact, value), n in sorted(self.found.ends.items()):
            definition, told = self.found.definitions.get(workflow), value
            spec = definition.file.facts.get(fact) if definition is not None else None
            if definition is not None and spec is not None and spec.of:
                entry = definition.area.file.lists.get(spec.of[0], {}).get(value)
                told = self.teller.text(entry.label) if entry is not None else value
            rows.append((self._title(workflow), self.step(workflow, trigger), told, n))
        return rows

    def _what(self, entry: Entry) -> str:
        if entry.kind == "moved" or (entry.trigger and entry.kind in ("refused", "denied")):
            return self.step(entry.workflow or "", entry.trigger or "")
        return self.say(entry.kind)

    def _why(self, entry: Entry) -> str:
        why = entry.detail.get("why")
        if isinstance(why, str):
            return self.say(why)
        failed = [str(r[0]) for r in entry.rules if r[2] != "pass" and r[1] != "warn"]
        return "; ".join(self.rule(entry.workflow or "", r) for r in failed)

    def _story(self, story: Story) -> Table:
        rows: list[Sequence[Value]] = []
        for e in story.entries:
            reason = (e.payload or {}).get("reason")
            told = reason if isinstance(reason, str) else None
            if e.kind in ("refused", "denied"):
                told = f"{self.say(e.kind)}: {self._why(e)}"
            rows.append((self._what(e), self.day(e), self.recorded(e), self.who(e), told))
        state = self.teller.state(story.definition, story.state)
        title = f"{self.case(story.id)}: {state}"
        made = self.table(title, ("What", "On", "Recorded", "Who", "Reason"), rows, "35 12d 12d 25 50")
        return replace(made, joined=self.say("Each case"))


def make(
    found: Supervision, teller: Teller, *, unit_name: str, now: datetime, today: date, sandbox: bool, cases: bool
) -> Report:
    """Returns the report, for any of the writers of files. `cases`: with one table a case."""
    maker = _Maker(found, teller)
    say = teller.say
    period = f"{found.first.strftime('%d/%m/%Y')} – {found.last.strftime('%d/%m/%Y')}"
    title = say("Supervision of {unit}, {period}", unit=unit_name, period=period)
    head = Head(
        above="",
        issuer=unit_name,
        star=False,
        number="",
        motto=(),
        place_and_date=today.strftime("%d/%m/%Y"),
        name=say("Report").upper(),
        title=title,
        heading=title,
        recipients_label="",
        recipients=(),
        signed=(),
        signer="",
        page="{page}",
        running_number=say("No."),
    )
    return Report(
        id=NAME,
        lang=teller.lang,
        head=head,
        unit=found.unit,
        unit_name=unit_name,
        first=found.first,
        last=found.last,
        as_of=today,
        made_at=now.astimezone(teller.zone),
        source="",
        sandbox=say("SANDBOX: made for trying out, no real document") if sandbox else "",
        notes=(),
        late_entries=len(found.late),
        history_entries=0,
        restored_entries=0,
        landscape=True,
        tables=list(maker.tables(cases=cases)),
    )


def page(report: Report) -> bytes:
    """Returns the report as one HTML page that stands alone; each case begins on a page of its own when printed."""
    parts = [f"<h1>{escape(report.head.title)}</h1>"]
    if report.sandbox:
        parts.append(f"<p><strong>{escape(report.sandbox)}</strong></p>")
    for part in report.tables:
        parts.append(f"<section><h2>{escape(part.title)}</h2>")
        if part.lines:
            rows = [
                [written(v, c.shows, report.lang) for v, c in zip(line.cells, part.columns, strict=True)]
                for line in part.lines
            ]
            parts.append(table([c.label for c in part.columns], rows))
        else:
            parts.append(f"<p>{escape(part.nothing)}</p>")
        parts.append("</section>")
    style = STYLE.replace("50em", "75em") + "section:nth-of-type(n+11){break-before:page}"
    head = f'<meta charset="utf-8"><title>{escape(report.head.title)}</title><style>{style}</style>'
    told = f'<!doctype html><html lang="{report.lang}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
    return told.encode()
