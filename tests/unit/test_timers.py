"""What is to be done and when: worked out again and again, nothing is missed and nothing comes twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from engine.core.calendar import Calendar
from engine.core.timers import FIRE, NOTICE, TOLD, Difference, Kept, Kind, Planned, reconcile

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST = date(2025, 1, 6)
DAY = timedelta(days=1)
Out = tuple[str, str]  # rule, occurrence


def calendar(*off: date) -> Calendar:
    """Returns a calendar with days off of the office's own."""
    return Calendar(zone=ZONE, days_off=lambda _: frozenset(), own_off=frozenset(off))


def start_of(day: date) -> datetime:
    """Returns 00:00 of an office day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)


@dataclass(frozen=True)
class Rule:
    """A notice rule: so many days before a date; or a step of the clock at it."""

    name: str
    due: date
    offsets: tuple[int, ...]

    def plan(self, days: Calendar) -> list[Planned]:
        """Returns what ought to be, moved off days off."""
        kind: Kind = FIRE if self.name.startswith("step") else NOTICE
        planned = []
        for n in self.offsets:
            nominal = self.due - n * DAY
            moved = nominal if kind == FIRE else days.working_on_or_before(nominal)
            at = start_of(moved) if kind == FIRE else days.next_sending(start_of(moved))
            occurrence = nominal.isoformat() if kind == FIRE else f"{self.due.isoformat()}/{n}"
            planned.append(Planned(name=self.name, occurrence=occurrence, kind=kind, nominal=nominal, due_at=at))
        return planned


def apply(kept: Sequence[Kept], change: Difference, now: datetime) -> list[Kept]:
    """Returns the rows after a change is written."""
    rows = {(k.name, k.occurrence): k for k in kept}
    for gone in change.delete:
        del rows[(gone.name, gone.occurrence)]
    for p, due in change.put:
        rows[(p.name, p.occurrence)] = Kept(
            name=p.name, occurrence=p.occurrence, kind=p.kind, due_at=due, planned_at=now, done=False
        )
    return list(rows.values())


def tick(kept: Sequence[Kept], now: datetime) -> tuple[list[Kept], list[Kept]]:
    """Does what is due, of several of one notice rule the last; returns the rows and what was done."""
    due = sorted((k for k in kept if not k.done and k.due_at <= now), key=lambda k: (k.due_at, k.name, k.occurrence))
    last = {k.name: k for k in due if k.kind == NOTICE}
    out = [k for k in due if k.kind != NOTICE or last[k.name] is k]
    return [replace(k, done=True) if k in due else k for k in kept], out


days_ = st.integers(0, 60).map(lambda n: FIRST + n * DAY)
moments = st.builds(
    lambda day, minute: start_of(day) + timedelta(minutes=minute),
    days_,
    st.sampled_from((0, 300, 450, 600, 1020, 1021)),
)
rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from(("a", "b")),
        days_,
        st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True).map(tuple),
    )
    | st.builds(Rule, st.just("step"), days_, st.just((0,))),
    min_size=1,
    max_size=3,
    unique_by=lambda rule: rule.name,
)
holidays_ = st.lists(days_, max_size=8, unique=True)


def plan(all_: Iterable[Rule], days: Calendar) -> list[Planned]:
    """Returns what all rules ask for."""
    return [p for rule in all_ for p in rule.plan(days)]


@given(rules, holidays_, st.lists(moments, min_size=1, max_size=5).map(sorted), st.booleans())
def test_worked_out_twice_is_worked_out_once(
    all_: list[Rule], off: list[date], times: list[datetime], ticking: bool
) -> None:
    """A second look at any moment, before or after what was due is done, asks for no change."""
    days = calendar(*off)
    kept: list[Kept] = []
    for now in times:
        kept = apply(kept, reconcile(plan(all_, days), kept, now, days), now)
        again = reconcile(plan(all_, days), kept, now, days)
        assert again == Difference(put=(), delete=())
        if ticking:
            kept, _ = tick(kept, now)
            kept = apply(kept, reconcile(plan(all_, days), kept, now, days), now)
            assert reconcile(plan(all_, days), kept, now, days) == Difference(put=(), delete=())


@given(
    rules, st.lists(st.tuples(moments, holidays_), min_size=1, max_size=6).map(lambda m: sorted(m, key=lambda x: x[0]))
)
def test_no_notice_goes_out_twice_or_in_the_wrong_order(
    all_: list[Rule], story: list[tuple[datetime, list[date]]]
) -> None:
    """Whatever days off are entered meanwhile and however late the ticks: each once, and never an earlier one later."""
    kept: list[Kept] = []
    out: list[Kept] = []
    for now, off in story:
        days = calendar(*off)
        kept = apply(kept, reconcile(plan(all_, days), kept, now, days), now)
        kept, done = tick(kept, now)
        out += [k for k in done if k.kind == NOTICE]
        kept = apply(kept, reconcile(plan(all_, days), kept, now, days), now)
    went: list[Out] = [(k.name, k.occurrence) for k in out]
    assert len(went) == len(set(went))
    nominal = {(p.name, p.occurrence): p.nominal for p in plan(all_, calendar())}
    for name in {k.name for k in out}:
        order = [nominal[(n, o)] for n, o in went if n == name]
        assert order == sorted(order)


@given(rules, holidays_)
def test_with_ticks_in_time_every_day_that_is_named_has_its_notice(all_: list[Rule], off: list[date]) -> None:
    """Planned before they begin, all go out at their time; those of one rule that fall on one day are one."""
    days = calendar(*off)
    planned = [p for p in plan(all_, days) if p.kind == NOTICE]
    begin = start_of(FIRST - 60 * DAY)
    kept = apply([], reconcile(planned, [], begin, days), begin)
    out: list[tuple[str, datetime]] = []
    for now in sorted({p.due_at for p in planned}):
        kept, done = tick(kept, now)
        out += [(k.name, now) for k in done]
        kept = apply(kept, reconcile(planned, kept, now, days), now)
    assert tick(kept, start_of(FIRST + 100 * DAY))[1] == []
    assert sorted(out) == sorted({(p.name, p.due_at) for p in planned})


@given(rules, holidays_, moments)
def test_after_a_standstill_the_last_of_each_rule_goes_out_once(
    all_: list[Rule], off: list[date], now: datetime
) -> None:
    """What had passed when it was planned goes out at the next sending time, of several of one rule one."""
    days = calendar(*off)
    planned = plan(all_, days)
    kept = apply([], reconcile(planned, [], now, days), now)
    past = [p for p in planned if p.kind == NOTICE and p.due_at < now]
    for name in {p.name for p in past}:
        (row,) = [k for k in kept if (k.name, k.occurrence) in {(p.name, p.occurrence) for p in past if p.name == name}]
        assert row.due_at == days.next_sending(now)
        nominal = {p.occurrence: p.nominal for p in past if p.name == name}
        assert nominal[row.occurrence] == max(nominal.values())
    assert all(k.due_at >= now for k in kept)


@given(rules, holidays_, holidays_, moments, moments)
def test_days_off_move_only_what_is_not_done(
    all_: list[Rule], before: list[date], after: list[date], one: datetime, two: datetime
) -> None:
    """What is done stays as it was done; what waits falls where the new days say."""
    first, then = sorted((one, two))
    old, new = calendar(*before), calendar(*after)
    begin = start_of(FIRST - 60 * DAY)
    kept = apply([], reconcile(plan(all_, old), [], begin, old), begin)
    kept, _ = tick(kept, first)
    done = {(k.name, k.occurrence): k for k in kept if k.done and k.kind == NOTICE}
    change = reconcile(plan(all_, new), kept, then, new)
    assert not {(p.name, p.occurrence) for p, _ in change.put} & set(done)
    assert not {(k.name, k.occurrence) for k in change.delete} & set(done)
    fresh = {(p.name, p.occurrence): p.due_at for p in plan(all_, new)}
    for k in apply(kept, change, then):
        if not k.done and k.due_at > then and k.kind == NOTICE and fresh[(k.name, k.occurrence)] >= then:
            assert k.due_at == fresh[(k.name, k.occurrence)]


@given(moments, moments)
def test_a_step_of_the_clock_that_was_refused_is_tried_again_at_midnight(due: datetime, now: datetime) -> None:
    """Never at once, which would go round in circles, and never more than once a day."""
    days = calendar()
    step = Rule("step", due.astimezone(ZONE).date(), (0,))
    planned = step.plan(days)
    kept = apply([], reconcile(planned, [], now, days), now)
    (row,) = kept
    midnight = start_of(now.astimezone(ZONE).date() + DAY)
    assert row.due_at == (planned[0].due_at if planned[0].due_at > now else midnight)
    done = [replace(row, done=True)]
    later = max(now, row.due_at)
    ((_, again),) = reconcile(planned, done, later, days).put
    assert again == start_of(later.astimezone(ZONE).date() + DAY)


@given(rules, moments)
def test_what_is_told_at_a_step_is_never_taken_away(all_: list[Rule], now: datetime) -> None:
    """It is about what has happened, not about a date; what is no longer wanted is taken away, done rows are kept."""
    days = calendar()
    told = Kept(name="told", occurrence="e1", kind=TOLD, due_at=now, planned_at=now, done=False)
    stale = Kept(name="gone", occurrence="x", kind=NOTICE, due_at=now, planned_at=now, done=False)
    done = replace(stale, occurrence="y", done=True)
    change = reconcile(plan(all_, days), [told, stale, done], now, days)
    assert change.delete == (stale,)
