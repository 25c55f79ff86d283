"""What a scenario expects of a step, and what came instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.expected_reports import reported
from cli.scenario_file import Expect, Match, NoticesPart, Step
from engine.core.errors import BadInput
from engine.core.events import COUNTED
from engine.core.machine import Definition
from engine.core.values import Value, to_json
from engine.core.views import read_facts
from engine.verifying import verify

if TYPE_CHECKING:
    from cli.scenario import Outcomes, Runner, Sent

Pair = tuple[Any, Any]


def failures(runner: Runner, step: Step, came: Outcomes) -> Iterator[Pair]:
    """Yields expected and got for everything that does not hold."""
    expect = step.expect or Expect()
    yield from _course(expect, came)
    if expect.cites is not None:
        yield from _cites(expect.cites, came)
    if expect.breaches is not None:
        got = sorted(came.answer.breaches) if came.answer is not None and came.answer.allowed else None
        if got != sorted(expect.breaches):
            yield {"breaches": expect.breaches}, got
    if expect.warned is not None and (got := _warned(came)) != sorted(expect.warned):
        yield {"warned": expect.warned}, got
    if expect.state is not None or expect.facts is not None:
        yield from _standing(runner, expect, came)
    if expect.allowed is not None:
        yield from _allowed(runner, step, expect.allowed, came)
    if expect.notices is not None:
        yield from _notices(runner, expect.notices)
    if expect.events is not None:
        subject = runner.subject_of(expect.events.subject) if expect.events.subject is not None else came.subject
        n = sum(e.kind in COUNTED for e in runner.service.history(subject or ""))
        if n != expect.events.n:
            yield {"events": expect.events.n}, n
    for part in expect.report:
        yield from reported(runner, part)
    if expect.audit is not None:
        report = verify(runner.service)
        if report.ok is not expect.audit.verified:
            yield {"verified": expect.audit.verified}, [p.text() for p in report.problems] or True


def _course(expect: Expect, came: Outcomes) -> Iterator[Pair]:
    """Whether the step went through, or was refused, denied or bad input as expected."""
    got = _course_of(came)
    wanted: dict[str, Any] = {}
    if expect.refused or expect.unknown:
        wanted = {"refused": sorted(expect.refused or []), "unknown": sorted(expect.unknown or [])}
    if expect.denied:
        wanted["denied"] = True
    if expect.error is not None:
        message = got.get("error")
        if message is None or expect.error not in message:
            yield {"error": expect.error}, got or "went through"
        return
    compared = {k: v for k, v in got.items() if k != "why"}
    if wanted and "refused" in got and "denied" in got:  # a batch with lines of both kinds: what is named is compared
        compared = {k: v for k, v in compared.items() if k in wanted}
    if wanted != compared:
        yield wanted or "went through", got or "went through"


def _course_of(came: Outcomes) -> dict[str, Any]:
    if came.error is not None:
        return {"error": came.error.text()}
    if came.denied is not None:
        return {"denied": True, "why": came.denied.why}
    if came.answer is not None and not came.answer.allowed:
        denied = {"denied": True} if any(line.state == "denied" for line in came.answer.lines) else {}
        refused = {"refused": sorted(came.answer.blocking("fail")), "unknown": sorted(came.answer.blocking("unknown"))}
        return {**refused, **denied}
    return {}


def _cites(cites: dict[str, str], came: Outcomes) -> Iterator[Pair]:
    answer = came.answer
    judged = [] if answer is None else [*answer.judgements, *(j for line in answer.lines for j in line.judgements)]
    for rule, text in cites.items():
        sources = [j.version.source if j.version is not None else None for j in judged if j.rule.id == rule]
        if not any(s is not None and text in s for s in sources):
            yield {"cites": {rule: text}}, sources or None


def _warned(came: Outcomes) -> list[str] | None:
    if came.answer is None:
        return None
    return sorted(j.rule.id for j in came.answer.judgements if j.force == "warn" and j.result != "pass")


def _standing(runner: Runner, expect: Expect, came: Outcomes) -> Iterator[Pair]:
    if came.subject is None:
        yield {"state": expect.state, "facts": expect.facts}, "the step names no subject"
        return
    try:
        case, facts = runner.service.show(came.subject)
    except BadInput as error:
        yield {"state": expect.state, "facts": expect.facts}, error.text()
        return
    if expect.state is not None and case.subject.state != expect.state:
        yield {"state": expect.state}, case.subject.state
    for name, raw in (expect.facts or {}).items():
        held, wanted, got = _holds(runner, case.definition, name, raw, facts.get(name))
        if not held:
            yield {"facts": {name: wanted}}, {name: got}


def _holds(
    runner: Runner, definition: Definition, name: str, raw: object, value: Value | None
) -> tuple[bool, Any, Any]:
    """Compares a fact as its type reads the file. A map is compared by the keys that are named."""
    type_ = definition.types.get(name)
    if type_ is None:
        raise BadInput("{fact} is not a fact of {workflow}", fact=name, workflow=definition.workflow)
    with runner.service.work() as work:
        zone = work.calendar
        wanted = read_facts(_writable(definition), {name: raw}, zone)[name]
    got = to_json(value)
    if isinstance(wanted, dict):
        have = value if isinstance(value, dict) else {}
        return all(have.get(k) == v for k, v in wanted.items()), {k: to_json(v) for k, v in wanted.items()}, got
    return value == wanted, to_json(wanted), got


class _Plain:
    """A definition whose derived facts can be read from a file, too."""

    def __init__(self, definition: Definition) -> None:
        self.types, self.workflow = definition.types, definition.workflow
        facts = {
            n: f.model_copy(update={"is_": None, "reads": None, "tally": None})
            for n, f in definition.file.facts.items()
        }
        self.file = definition.file.model_copy(update={"facts": facts})


def _writable(definition: Definition) -> Any:
    return _Plain(definition)


def _allowed(runner: Runner, step: Step, wanted: list[str], came: Outcomes) -> Iterator[Pair]:
    if came.subject is None:
        yield {"allowed": wanted}, "the step names no subject"
        return
    _, found = runner.service.why(came.subject, officer=step.as_)
    got = sorted(p.step.trigger for p in found if p.allowed)
    if got != sorted(wanted):
        yield {"allowed": sorted(wanted)}, got


def _notices(runner: Runner, part: NoticesPart) -> Iterator[Pair]:
    for match in part.sent:
        if not any(_matches(runner, match, s) for s in runner.sent):
            yield {"sent": _shown(match)}, [_brief(runner, s) for s in runner.sent][-20:]
    for match in part.none:
        found = [s for s in runner.sent if _matches(runner, match, s)]
        if found:
            yield {"none": _shown(match)}, [_brief(runner, s) for s in found][:20]
    for count in part.count:
        messages = {s.message for s in runner.sent if _matches(runner, count, s)}
        if len(messages) != count.n:
            yield {"count": _shown(count)}, len(messages)


def _matches(runner: Runner, match: Match, sent: Sent) -> bool:
    local = sent.at.astimezone(runner.zone)
    return (
        (match.rule is None or match.rule == sent.rule)
        and (match.subject is None or _same_subject(runner, match.subject, sent.subject))
        and (match.to is None or match.to == sent.to)
        and (match.channel is None or match.channel == sent.channel)
        and (match.on is None or match.on == local.date())
        and (match.at is None or match.at == local.replace(tzinfo=None, microsecond=0))
        and (match.contains is None or match.contains in sent.text)
    )


def _same_subject(runner: Runner, named: str | dict[str, Any], subject: str) -> bool:
    if isinstance(named, str):
        return named == subject
    wanted = dict(named)
    found = runner.service.find(str(wanted.pop("workflow", "")), wanted.pop("org", None), wanted)
    return subject in found


def _shown(match: Match) -> dict[str, Any]:
    return match.model_dump(mode="json", exclude_none=True)


def _brief(runner: Runner, sent: Sent) -> dict[str, str]:
    at = sent.at.astimezone(runner.zone).strftime("%Y-%m-%d %H:%M")
    return {"rule": sent.rule, "subject": sent.subject, "to": sent.to, "channel": sent.channel, "at": at}
