"""The documents that programs read: answers, prospects, histories as JSON, with the texts in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from engine.asking import Prospect
from engine.core import events
from engine.core.decision import InvalidInput
from engine.core.definition import Text
from engine.core.errors import BadInput
from engine.core.events import Entry, Standing
from engine.core.guards import Judgement
from engine.core.machine import Definition
from engine.core.marks import Corrected, Mark
from engine.core.subject import Subject
from engine.core.values import Value, to_json
from engine.likeness import Alike
from engine.steps import Answer, LineAnswer
from engine.store.rows import OutboxRow
from engine.work import Case

Document = dict[str, Any]

# English templates of the few texts that are made here; `translate` turns them into the reader's language.
MISSING = "missing: {what}"
NOT_KNOWN = "not known yet: {what}"
NO_VERSION = "no version of this rule is in force on {day}"
NO_DAY = "the day it is judged for is not known yet: {what}"
UNVERIFIED = "not compared with the document's text"
ENTER = "Enter: {what}"
ENTER_AT = "Enter first: {what} (there: {where})"
ASK_ROLE = "This is for {roles}"
ASK_PLACE = "This is for an officer over {unit}"
ASK_OTHER = "This is for somebody who did none of: {triggers}"
BY_CLOCK = "The clock takes this step by itself"
GIVE_REASON = "Or go through with a reason; the step is then marked as a breach"

NOTHING: Mapping[str, Definition] = {}

_TRIGGERS = {
    events.STARTED: "start",
    events.FACTS_SET: "set",
    events.UNDONE: "undo",
    events.VOIDED: "undo",
    events.TAKEN_OVER: "merge",
}


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Writes documents for one reader: language (`vi` or `en`), its gettext function, and the office's zone."""

    lang: str
    translate: Callable[[str], str]
    zone: tzinfo

    # -- small things

    def invalid(self, error: BadInput) -> str:
        """Returns what is wrong with the input; what a definition says of it stands in the definition's own words."""
        return (
            error.in_language(self.lang) if isinstance(error, InvalidInput) else error.text(self.translate, self.lang)
        )

    def say(self, template: str, /, **params: object) -> str:
        """Returns a text of the program in the reader's language."""
        return self.translate(template).format_map(params)

    def text(self, text: Text) -> str:
        """Returns a text of a definition in the reader's language."""
        return text.of(self.lang)

    def time(self, at: str | datetime | None) -> str | None:
        """Returns a time in the office's zone, ISO 8601 with its offset."""
        if at is None:
            return None
        when = events.unstamp(at) if isinstance(at, str) else at
        return when.astimezone(self.zone).isoformat()

    def value(self, value: Value | None) -> Any:
        """Returns a value as JSON; times in the office's zone."""
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, dict):
            return {k: self.value(v) for k, v in value.items()}
        return to_json(value)

    def values(self, facts: Mapping[str, Value | None]) -> Document:
        """Returns facts as JSON."""
        return {name: self.value(v) for name, v in facts.items()}

    def fact(self, definition: Definition, name: str) -> str:
        """Returns what people call a fact, or an entry of a map (`name.key`)."""
        head, _, key = name.partition(".")
        spec = definition.file.facts.get(head)
        if spec is None:
            return self.translate(name)
        if not key:
            return self.text(spec.label)
        entry = definition.area.file.lists.get(spec.keys or "", {}).get(key)
        return self.text(entry.label) if entry is not None else f"{self.text(spec.label)}: {key}"

    def facts(self, definition: Definition, names: Iterable[str]) -> str:
        """Returns what people call several facts, in one line."""
        return "; ".join(dict.fromkeys(self.fact(definition, n) for n in names))

    def state(self, definition: Definition, state: str) -> str:
        """Returns what people call a state."""
        spec = definition.file.states.get(state)
        return self.text(spec.label) if spec is not None else state

    def trigger(self, definition: Definition, trigger: str) -> str:
        """Returns what people call a trigger."""
        if trigger == "start":
            return self.text(definition.file.start.label)
        step = definition.steps.get(trigger)
        return self.text(step.label) if step is not None else trigger

    # -- rules

    def message(self, definition: Definition, j: Judgement) -> str:
        """Returns what a rule asks, and of one that does not hold what is missing."""
        label = self.text(j.rule.label)
        absent = [n for n in (*j.missing, *(n for n, v in j.facts.items() if v is None)) if "." in n or n in j.missing]
        what = self.facts(definition, absent)
        if j.note == "no_version" and j.day is not None:
            return f"{label} ({self.say(NO_VERSION, day=j.day.isoformat())})"
        if j.note == "no_day":
            return f"{label} ({self.say(NO_DAY, what=what)})"
        if j.result == "pass" or not what:
            return label
        return f"{label} ({self.say(MISSING if j.result == 'fail' else NOT_KNOWN, what=what)})"

    def judgement(self, definition: Definition, j: Judgement, breaches: Sequence[str] = ()) -> Document:
        """Returns what one rule said."""
        version = j.version
        return {
            "rule": j.rule.id,
            "kind": j.force,
            "result": j.result,
            "message": self.message(definition, j),
            "label": self.text(j.rule.label),
            "source": version.source if version is not None else None,
            "in_force": None
            if version is None
            else {"from": version.from_.isoformat(), "until": version.until.isoformat() if version.until else None},
            "facts": self.values(j.facts),
            "missing": list(j.missing),
            "unverified": version is not None and version.unverified,
            "note": j.note or None,
            "version_note": self.text(version.note) if version is not None and version.note is not None else None,
            "day": j.day.isoformat() if j.day is not None else None,
            "breach": j.rule.id in breaches,
            "mend": self._day_first(definition, j) or (self.text(j.rule.mend) if j.rule.mend is not None else None)
            if j.result != "pass"
            else None,
        }

    # -- commands

    def started(self, answer: Answer) -> Document:
        """Returns what a start answers."""
        return {
            "subject": answer.subject,
            "workflow": answer.workflow,
            "state": answer.to,
            "version": answer.version,
            "event": answer.event,
            "similar": [self.alike(a) for a in answer.similar],
        }

    def alike(self, found: Alike) -> Document:
        """Returns a subject that may be the same as another: where it stands, and by which facts."""
        return {
            "subject": found.subject,
            "workflow": found.workflow,
            "org": found.org,
            "state": found.state,
            "since": found.entered_on.isoformat(),
            "by": [list(line) for line in found.by],
        }

    def moved(self, answer: Answer, definition: Definition, of_lines: Mapping[str, Definition] = NOTHING) -> Document:
        """Returns what a step answers; `to` is None when the rules refused it.

        `of_lines`: the definitions of a batch's lines, by workflow.
        """
        judged = [self.judgement(definition, j, answer.breaches) for j in answer.judgements]
        return {
            "subject": answer.subject,
            "workflow": answer.workflow,
            "trigger": answer.trigger,
            "from": answer.source,
            "to": answer.to,
            "event": answer.event,
            "version": answer.version,
            "guards": judged,
            "refused": answer.blocking("fail") if not answer.allowed else [],
            "unknown": answer.blocking("unknown") if not answer.allowed else [],
            "breaches": list(answer.breaches),
            "opened": list(answer.opened),
            "lines": [self.line(of_lines[line.workflow], line) for line in answer.lines],
        }

    def line(self, definition: Definition, line: LineAnswer) -> Document:
        """Returns what became of a line of a batch; `line` counts from 1, None for those nobody named."""
        return {
            "line": line.index + 1 if line.index >= 0 else None,
            "subject": line.subject,
            "do": line.do,
            "state": line.state,
            "denied": line.why,
            "guards": [self.judgement(definition, j) for j in line.judgements],
        }

    def undone(self, answer: Answer) -> Document:
        """Returns what an undo answers; `sent` are notices that had gone out and may need a correction."""
        return {
            "subject": answer.subject,
            "workflow": answer.workflow,
            "from": answer.source,
            "to": answer.to,
            "event": answer.event,
            "version": answer.version,
            "closed": list(answer.closed),
            **self._sent(answer),
        }

    def _sent(self, answer: Answer) -> Document:
        return {
            "sent": [{"id": r.id, "rule": r.rule, "to": r.recipient, "at": self.time(r.sent_at)} for r in answer.sent],
            "corrections": [r.id for r in answer.corrections],
        }

    # -- asking

    def why(self, definition: Definition, subject: Subject, prospects: Sequence[Prospect]) -> Document:
        """Returns every transition with what stands in its way, and what to do next."""
        found = [self.prospect(definition, subject, p) for p in prospects]
        todo = [f"{t['label']}: {n}" for t in found if not t["denied"] for n in t["next"]]
        return {
            "subject": subject.id,
            "workflow": subject.workflow,
            "state": subject.state,
            "state_label": self.state(definition, subject.state),
            "version": subject.version,
            "transitions": found,
            "next": list(dict.fromkeys(todo)),
        }

    def prospect(self, definition: Definition, subject: Subject, p: Prospect) -> Document:
        """Returns one transition: allowed or not, every rule's result, what it asks for, what to do next."""
        judged = p.decision.judgements if p.decision is not None else ()
        to = [subject.state if t == "same" else t for t, _ in p.step.targets]
        return {
            "trigger": p.step.trigger,
            "label": self.text(p.step.label),
            "to": list(dict.fromkeys(to)),
            "allowed": p.allowed and not (p.decision is not None and p.decision.missing),
            "denied": p.denied.why if p.denied is not None else None,
            "by_clock": p.step.by_clock,
            "asks": list(p.decision.missing) if p.decision is not None else [],
            "guards": [self.judgement(definition, j) for j in judged],
            "next": self.next(definition, p),
        }

    def next(self, definition: Definition, p: Prospect) -> list[str]:
        """Returns what has to be done before a transition goes through."""
        if p.step.by_clock:
            return [self.say(BY_CLOCK)]
        steps = [self._not_you(definition, p)] if p.denied is not None else []
        if p.decision is not None and p.decision.missing:
            steps.append(self.say(ENTER, what=self.facts(definition, p.decision.missing)))
        for j in p.decision.judgements if p.decision is not None else ():
            if j.result != "pass" and j.force != "warn":
                steps += self._mend(definition, j)
        if p.invalid is not None:
            steps.append(self.invalid(p.invalid))
        return list(dict.fromkeys(steps))

    def _mend(self, definition: Definition, j: Judgement) -> list[str]:
        missing = [n for n in j.missing if n.partition(".")[0] in definition.file.facts]
        if (first := self._day_first(definition, j)) is not None:
            told = [first]
        elif j.rule.mend is not None:
            told = [self.text(j.rule.mend)]
            absent = [n for n, v in j.facts.items() if v is None and "." in n]
            if absent and j.result == "fail":
                told = [f"{told[0]}: {self.facts(definition, absent)}"]
        else:
            told = [self.say(ENTER, what=self.facts(definition, missing))] if missing else [self.message(definition, j)]
        if j.force == "limit" and j.result == "fail":
            told.append(self.say(GIVE_REASON))
        return told

    def _day_first(self, definition: Definition, j: Judgement) -> str | None:
        """Returns what to enter before a rule can be asked at all, and where: the day that it counts from."""
        if j.note != "no_day" or not j.missing:
            return None
        spec = definition.file.facts.get(j.missing[0])
        if spec is None or spec.reads is None:
            return self.say(ENTER, what=self.facts(definition, j.missing))
        return self.say(ENTER_AT, what=self.facts(definition, j.missing), where=self.fact(definition, spec.reads.from_))

    def _not_you(self, definition: Definition, p: Prospect) -> str:
        assert p.denied is not None
        if p.denied.why == "separation_of_duties":
            return self.say(ASK_OTHER, triggers="; ".join(self.trigger(definition, t) for t in p.step.never))
        if p.denied.why == "scope":
            return self.say(ASK_PLACE, unit=p.denied.params.get("unit", ""))
        roles = definition.area.file.roles
        names = dict.fromkeys(r for g in p.step.grants for r in sorted(g.roles))
        return self.say(ASK_ROLE, roles=", ".join(self.text(roles[r].label) if r in roles else r for r in names))

    def shown(self, case: Case, facts: Mapping[str, Value]) -> Document:
        """Returns a subject as it is now; facts that are only worked out or defaults are among them."""
        subject, definition = case.subject, case.definition
        return {
            "subject": subject.id,
            "workflow": subject.workflow,
            "title": self.title(definition, facts) or subject.id,
            "org": subject.org,
            "state": subject.state,
            "state_label": self.state(definition, subject.state),
            "version": subject.version,
            "facts": self.values(facts),
            "started_on": subject.started_on.isoformat(),
            "entered_on": subject.entered_on.isoformat(),
            "last_event": case.last_event,
            "definition": definition.id,
        }

    def stood(self, subject: str, at: datetime, definition: Definition, standing: Standing) -> Document:
        """Returns a subject as it was known at a time."""
        return {
            "subject": subject,
            "workflow": standing.workflow,
            "title": self.title(definition, standing.facts) or subject,
            "as_of": self.time(at),
            "org": standing.org,
            "state": standing.state,
            "state_label": self.state(definition, standing.state),
            "version": standing.version,
            "facts": self.values(standing.facts),
            "started_on": standing.started_on.isoformat(),
            "entered_on": standing.entered_on.isoformat(),
            "last_event": standing.last_event,
            "definition": standing.definition,
        }

    def title(self, definition: Definition, facts: Mapping[str, Value]) -> str:
        """Returns what people call a subject, '' when nothing names it."""
        named = facts.get(definition.file.title_fact or "")
        return named if isinstance(named, str) else ""

    def entry(self, entry: Entry, mark: Mark | None = None) -> Document:
        """Returns one event of a subject's history; `facts` and `reason` are None once the key is erased."""
        mark = mark or Mark(history=entry.history)
        payload = entry.payload
        return {
            "event": entry.id,
            "kind": entry.kind,
            "at": self.time(entry.at),
            "entered": self.time(entry.entered),
            "on": entry.on,
            "actor": entry.actor,
            "on_behalf_of": entry.behalf,
            "trigger": _TRIGGERS.get(entry.kind) or entry.trigger,
            "from": entry.source,
            "to": entry.to,
            "facts": payload.get("facts", {}) if payload is not None else {},
            "reason": payload.get("reason") if payload is not None else None,
            "definition": entry.definition,
            "hash": entry.hash,
            "seq": entry.seq,
            "channel": entry.channel,
            "account": entry.account,
            "rules": [list(r) for r in entry.rules],
            "breaches": list(entry.breaches),
            "undoes": entry.undoes,
            "detail": dict(entry.detail),
            "delay_days": mark.delay_days,
            "history": mark.history,
            "undone_by": mark.undone_by,
            "corrected_by": list(mark.corrected_by),
            "corrects": [self.corrected(c) for c in mark.corrects],
        }

    def corrected(self, c: Corrected) -> Document:
        """Returns a value that was put right, with what stood before and what stands instead."""
        return {
            "fact": c.fact,
            "was": c.was,
            "now": c.now,
            "at": self.time(c.at),
            "actor": c.actor,
            "written_by": c.written_by,
            "corrected_by": c.corrected_by,
        }

    def found(self, entry: Entry) -> Document:
        """Returns an event as a search shows it: codes, ids and days, nothing that is sealed."""
        shown = {k: v for k, v in self.entry(entry).items() if k not in ("facts", "reason")}
        at = events.unstamp(entry.entered).astimezone(self.zone).date()
        late = (at - date.fromisoformat(entry.happened)).days if entry.happened is not None else 0
        return {**shown, "subject": entry.subject, "workflow": entry.workflow, "org": entry.org, "days_late": late}

    def notice(self, row: OutboxRow, text: Mapping[str, str]) -> Document:
        """Returns a notice of the outbox."""
        return {
            "id": row.id,
            "at": self.time(row.sent_at or row.next_try_at or row.due_at),
            "due": self.time(row.due_at),
            "sent_at": self.time(row.sent_at),
            "rule": row.rule,
            "subject": row.subject,
            "to": row.recipient,
            "on_behalf_of": row.behalf,
            "channel": row.channel,
            "state": row.state,
            "urgent": row.urgent,
            "attempts": row.attempts,
            "message": row.message,
            "detail": row.detail,
            "subject_line": text.get("subject_line", ""),
            "body": text.get("body", ""),
        }
