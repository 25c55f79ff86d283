"""How it works: each procedure drawn from its definition, its steps, rules with their sources, notices and roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from engine import scope
from engine.core.authority import Grant
from engine.core.definition import Recipient
from engine.core.diagram import svg
from engine.core.guards import Rule
from engine.core.machine import Definition, Step
from web.access import SIGNED
from web.site import Site, Visit

NAME = "procedures"

# how far from the day a notice goes out, by what stands after the number in the file
OFFSETS = {
    "day before": "{n} days before",
    "day after": "{n} days after",
    "working day before": "{n} working days before",
    "working day after": "{n} working days after",
    "month before": "{n} months before",
    "month after": "{n} months after",
}


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/procedures", show_all, SIGNED, name=NAME),
        site.get("/procedures/{workflow}", show, SIGNED),
    ]


def show_all(visit: Visit) -> Response:
    """Shows which procedures there are."""
    with visit.service.work() as work:
        clauses = work.library.area.file.clauses
        place = {c: i for i, c in enumerate(clauses)}
        found = sorted(  # as the document goes on; what serves none of its clauses comes last
            work.library.all_newest().values(),
            key=lambda d: (min((place.get(c, len(place)) for c in d.file.clause), default=len(place)), d.workflow),
        )
    return visit.page("procedures.html", definitions=found, clauses=clauses)


def show(visit: Visit) -> Response:
    """Shows one procedure."""
    with visit.service.work() as work:
        definition = work.library.newest(visit.path("workflow"))
        units = scope.units(work.office, work.library.area, visit.by())
        rows = (
            work.tx.find_subjects(workflow=definition.workflow, orgs=sorted(units))
            if units and definition.file.listing is None
            else ()
        )
        counts = Counter(r.state for r in rows)
    if definition.file.listing is not None:  # they may be many, and are counted where they are listed
        board = visit.service.lists.board(definition.workflow, visit.by(), soon=visit.today)
        counts = Counter({c.state: c.count for c in board})
    told = _Told(visit, definition)
    return visit.page(
        "procedure.html",
        definition=definition,
        drawing=Markup(svg(definition, visit.lang, counts=counts if units else None)),  # noqa: S704 - ours, escaped
        counted=bool(units),
        steps=[told.step(s) for s in definition.steps.values()],
        rules=[told.rule(r) for r in definition.rules.values()],
        notices=[told.notice(name) for name in definition.file.notices],
        kinds=told.kinds(definition.file.at),
    )


class _Told:
    """Tells the parts of one definition in the reader's words."""

    def __init__(self, visit: Visit, definition: Definition) -> None:
        self.visit, self.definition, self.file = visit, definition, definition.area.file

    def kinds(self, names: Iterable[str]) -> str:
        """Returns kinds of organisation, groups spelt out."""
        kinds = [k for k in self.file.kinds if k in self.definition.area.kinds(list(names))]
        return ", ".join(self.file.kinds[k].label.of(self.visit.lang) for k in kinds)

    def roles(self, names: Iterable[str]) -> str:
        """Returns roles in the area's order."""
        wanted = set(names)
        return ", ".join(r.label.of(self.visit.lang) for name, r in self.file.roles.items() if name in wanted)

    def _grant(self, grant: Grant) -> str:
        who = self.visit.say("{roles} of: {kinds}", roles=self.roles(grant.roles), kinds=self.kinds(grant.kinds))
        if grant.over is not None:
            fact = self.visit.teller.fact(self.definition, grant.over)
            who += " " + self.visit.say("(over the organisation named in “{fact}”)", fact=fact)
        if grant.mark is not None:
            label = self.file.marks[grant.mark].label.of(self.visit.lang)
            who += " " + self.visit.say("(only while: {mark})", mark=label)
        return who

    def step(self, step: Step) -> dict[str, Any]:
        """Returns one step."""
        teller, definition = self.visit.teller, self.definition
        sources = [s for s in definition.file.states if s in step.sources]
        targets = dict.fromkeys(t for t, _ in step.targets)
        same = self.visit.say("stays where it is")
        return {
            "id": step.trigger,
            "label": step.label.of(self.visit.lang),
            "from": ", ".join(teller.state(definition, s) for s in sources),
            "to": ", ".join(same if t == "same" else teller.state(definition, t) for t in targets),
            "who": [self.visit.say("The clock, by itself")] if step.by_clock else [self._grant(g) for g in step.grants],
            "never": ", ".join(teller.trigger(definition, t) for t in step.never),
            "asks": teller.facts(definition, [*step.asks, *step.asks_anew]),
            "rules": [(force, rule.id, rule.label.of(self.visit.lang)) for force, rule in step.rules],
        }

    def rule(self, rule: Rule) -> dict[str, Any]:
        """Returns one rule with all its versions, the newest first."""
        texts = self._notes(rule.id)
        return {
            "id": rule.id,
            "label": rule.label.of(self.visit.lang),
            "mend": rule.mend.of(self.visit.lang) if rule.mend is not None else "",
            "reads": self.visit.teller.facts(self.definition, sorted(rule.reads & set(self.definition.types))),
            "steps": [s for s in self.definition.steps.values() if any(r.id == rule.id for _, r in s.rules)],
            "versions": [
                {"source": v.source, "from": v.from_, "until": v.until, "unverified": v.unverified,
                 "note": texts.get(v.source, "")}
                for v in reversed(rule.versions)
            ],
        }  # fmt: skip

    def _notes(self, rule: str) -> dict[str, str]:
        """Returns what whoever keeps the file noted of a rule's versions, by source."""
        spec = self.definition.file.rules.get(rule)
        versions = spec.versions if spec is not None else []
        found = self.file.sources.get(versions, []) if isinstance(versions, str) else versions
        return {v.source: v.note.of(self.visit.lang) for v in found if v.note is not None}

    def notice(self, name: str) -> dict[str, Any]:
        """Returns one notice rule: about which day, when, to whom."""
        spec = self.definition.file.notices[name]
        teller, say = self.visit.teller, self.visit.say
        if spec.due is not None:
            due = teller.fact(self.definition, spec.due) if spec.due in self.definition.types else spec.due
            when = say("about: {due}; goes out: {when}", due=due, when="; ".join(self._offset(s) for s in spec.send))
        else:
            when = say("at: {steps}", steps=", ".join(teller.trigger(self.definition, t) for t in spec.on))
        return {
            "id": name,
            "label": spec.label.of(self.visit.lang),
            "when": when,
            "to": [self._recipient(r) for r in (spec.to or self.file.told)],
            "urgent": spec.urgent,
            "source": spec.source or "",
        }

    def _offset(self, offset: str) -> str:
        """Returns an offset such as `3 working days before` in the reader's words."""
        number, _, rest = offset.partition(" ")
        if not number.isdigit():
            return self.visit.say("on the day")
        return self.visit.say(OFFSETS[rest.replace("days", "day").replace("months", "month")], n=number)

    def _recipient(self, to: Recipient) -> str:
        say = self.visit.say
        places = {"unit": say("its unit"), "above": say("the unit above"), "nearest": say("the nearest unit upwards"),
                  "below": say("every unit below")}  # fmt: skip
        place = places.get(to.at, to.at)
        if to.kind is not None:
            place += f" ({self.file.kinds[to.kind].label.of(self.visit.lang)})"
        return f"{self.roles(to.roles)}: {place}"
