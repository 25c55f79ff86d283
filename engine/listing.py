"""How subjects stand in lists: rows made of their facts in the step's own transaction, so that a list of any length is
read a page at a time. Nothing sensitive is in them, and of an erased person only what stays of the facts.

What a row says never rests on the clock: a condition of a notice that reads the day counts as one that may hold, and
is looked at again when the subject is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from engine.core.collation import name_key
from engine.core.events import VOID
from engine.core.expressions import Expression
from engine.core.folding import fold, words
from engine.core.machine import Definition
from engine.core.values import Value
from engine.notice_days import day_of
from engine.store.rows import NO_DUE, DueRow, ListingRow, ListingSearch

if TYPE_CHECKING:
    from engine.case import Case
    from engine.core.definition import Listing
    from engine.work import Work

MISSING = "missing"  # the mark of a subject of which not everything is there
MOVING = "moving"  # the mark of one that waits for the answer of another unit
LISTED = "listed"  # the setting that says how the rows that stand were made
MADE = "2"  # changes when rows are made otherwise
CHUNK = 500  # subjects listed together
LONGEST_SORT = 300
LAST = "~"  # where a subject without a name belongs


def missing(definition: Definition, fact: str, view: Mapping[str, Value], work: Work) -> list[str]:
    """Returns the keys of a map fact that apply to a subject and are not there."""
    held = view.get(fact)
    have = held if isinstance(held, dict) else {}
    keys = definition.types[fact].keys or ()
    return [k for k in keys if k not in have and applies(definition, fact, k, view, work)]


def applies(definition: Definition, fact: str, key: str, view: Mapping[str, Value], work: Work) -> bool:
    """Tells whether a key of a map fact applies to a subject; where that is not known, it may."""
    when = definition.conditions.get(definition.file.facts[fact].keys or "", {}).get(key)
    return when is None or when.evaluate(view, work.calendar) is not False


def idle(work: Work, case: Case) -> dict[str, frozenset[str]]:
    """Returns, for each map fact with conditions, the keys that do not apply to a subject."""
    definition, view = case.definition, work.view(case)
    return {
        fact: frozenset(k for k in definition.types[fact].keys or () if not applies(definition, fact, k, view, work))
        for fact, spec in definition.file.facts.items()
        if spec.keys in definition.conditions
    }


def spec_of(work: Work, workflow: str) -> Listing | None:
    """Returns how a workflow's subjects stand in lists, as its newest definition says."""
    return work.library.newest(workflow).file.listing


def rows_of(work: Work, case: Case) -> tuple[list[ListingRow], list[DueRow]]:
    """Returns the rows of a subject: none for one that was voided, listings only where its workflow has lists."""
    subject, definition = case.subject, case.definition
    if subject.state == VOID:
        return [], []
    spec = spec_of(work, subject.workflow)
    days = [t for t in definition.notices if t.due is not None and subject.state in t.states]
    if spec is None and not days:
        return [], []
    view = work.view(case)
    unsure = definition.clocked
    dues: list[DueRow] = []
    for told in days:
        assert told.due is not None
        if told.due.reads & (unsure | definition.covered) or _is_off(told.condition, unsure, view, work):
            continue
        if (due := day_of(told, view, work.calendar)) is not None:
            dues.append(
                DueRow(
                    subject=subject.id,
                    rule=told.rule,
                    workflow=subject.workflow,
                    org=subject.org,
                    due=due.isoformat(),
                )
            )
    return ([] if spec is None else _listed(work, case, spec, view, dues)), dues


def _is_off(condition: Expression | None, unsure: frozenset[str], view: Mapping[str, Value], work: Work) -> bool:
    if condition is None or condition.reads & unsure:
        return False
    return condition.evaluate(view, work.calendar) is not True


def _listed(
    work: Work, case: Case, spec: Listing, view: Mapping[str, Value], dues: Iterable[DueRow]
) -> list[ListingRow]:
    subject, definition = case.subject, case.definition
    plain = {n: v for n, v in view.items() if n not in definition.covered}
    title = definition.file.title_fact
    name = plain.get(title) if title is not None else None
    found = [plain[n] for n in (spec.search or ([title] if title is not None else [])) if n in plain]
    folded = fold(" ".join(v for v in found if isinstance(v, str)))
    named = (subject.facts.get(f) for f in definition.file.seen_by)
    places = dict.fromkeys([subject.org, *(n for n in named if isinstance(n, str))])
    return [
        ListingRow(
            subject=subject.id,
            rank=rank,
            place=place,
            home=subject.org,
            workflow=subject.workflow,
            state=subject.state,
            sort=name_key(name)[:LONGEST_SORT] if isinstance(name, str) and name.strip() else LAST,
            words=f" {folded} ",
            marks=_marks(work, definition, spec, subject.state, plain),
            entered_on=subject.entered_on.isoformat(),
            due=min((d.due for d in dues), default=NO_DUE),
        )
        for rank, place in enumerate(places)
    ]


def _marks(work: Work, definition: Definition, spec: Listing, state: str, view: Mapping[str, Value]) -> str:
    marks = [mark(fact, view[fact]) for fact in spec.by if view.get(fact) not in (None, False)]
    for fact, states in spec.missing.items():
        if state in states and fact in definition.types:
            gone = missing(definition, fact, view, work)
            marks += [MISSING] * bool(gone) + [f"{MISSING}={key}" for key in gone]
    marks += [MOVING] * any(view.get(fact) is not None for fact in definition.moving)
    return " ".join(["", *dict.fromkeys(marks), ""]) if marks else " "


def mark(fact: str, value: Value) -> str:
    """Returns the mark of a fact's value, by which a list is narrowed."""
    return f"{fact}={'yes' if value is True else value}"


# ---- finding by them ----


def marked(work: Work, workflow: str, mark: str) -> Iterator[Case]:
    """Yields the subjects of a workflow with a mark, and others too where it has no lists, or not yet of this kind."""
    if spec_of(work, workflow) is None or is_old(work):
        yield from work.adopt(work.tx.find_subjects(workflow=workflow))
        return
    wanted = ListingSearch(workflow=workflow, marks=(mark,))
    yield from _found(work, wanted)


def by_name(work: Work, workflow: str, text: str, most: int) -> list[str]:
    """Returns the first subjects of a workflow with lists that are found by a text."""
    sought = words(text)
    if not sought:
        return []
    return [r.subject for r in work.tx.list_subjects(ListingSearch(workflow=workflow, words=sought), limit=most)]


def _found(work: Work, wanted: ListingSearch) -> Iterator[Case]:
    after: tuple[str, str] | None = None
    while rows := work.tx.list_subjects(wanted, after=after, limit=CHUNK):
        after = (rows[-1].sort, rows[-1].subject)
        work.fetch(r.subject for r in rows)
        yield from (work.case(r.subject) for r in rows)


# ---- keeping them ----


def keep(work: Work, subjects: Iterable[str]) -> None:
    """Writes the rows of subjects that changed, or of which something they read did."""
    cases = [work.case(id) for id in dict.fromkeys(subjects)]
    for new in (True, False):
        _put(work, [c for c in cases if (c.row is None) is new], new=new)


def _put(work: Work, cases: list[Case], *, new: bool) -> None:
    made = [rows_of(work, c) for c in cases]
    listed, dues = [r for rows, _ in made for r in rows], [r for _, rows in made for r in rows]
    if cases and (listed or dues or not new):
        work.tx.put_listings([c.subject.id for c in cases], listed, dues, new=new)


def learn(work: Work, workflow: str, states: Iterable[str] | None = None) -> int:
    """Makes the rows of all subjects of a workflow anew, or of those in some states; returns of how many."""
    after, done = "", 0
    wanted = None if states is None else list(states)
    while rows := work.tx.find_subjects(workflow=workflow, states=wanted, after=after, limit=CHUNK):
        _put(work, work.adopt(rows), new=False)
        after, done = rows[-1].id, done + len(rows)
        work.forget()
    return done


def rebuild(work: Work) -> int:
    """Makes all rows anew; returns of how many subjects."""
    done = sum(learn(work, workflow) for workflow in work.library.workflows)
    work.tx.put_setting(LISTED, MADE)
    return done


def is_old(work: Work) -> bool:
    """Tells whether the rows that stand were made by an earlier version of this program, or never."""
    return work.tx.setting(LISTED) != MADE
