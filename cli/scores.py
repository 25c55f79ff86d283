"""`scores`: plan, target and result of each unit, on any day, and who headed it then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.core.definition import Score
    from engine.scores import Head, Standing


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(scores)


def scores(
    ctx: typer.Context,
    score: Annotated[str | None, typer.Argument(metavar="[SCORE]", help="One score of the area; else all.")] = None,
    year: Annotated[int | None, typer.Option("--year", metavar="Y", help="The year; else this one.")] = None,
    until_year: Annotated[
        int | None, typer.Option("--until-year", metavar="Y", help="The last year of a term, with its own target.")
    ] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DAY", help="As it stood on this day.")] = None,
    org: Annotated[str | None, typer.Option("--org", metavar="ORG", help="Only this unit and those below it.")] = None,
) -> None:
    """Plan, target and result of each unit, by the day things happened. Counts propose a rating; people decide it.

    Examples: ketnap scores --year 2024
              ketnap scores admissions --year 2024 --day 2024-06-30 --org xa1 --json
              ketnap scores admissions --year 2015 --until-year 2020
    """
    from cli.inputs import read_day

    session: Session = ctx.obj
    service = session.service
    with service.work() as work:
        known, today = work.library.area.file.scores, work.today
    first = date(_year(year if year is not None else today.year), 1, 1)
    last = date(_year(until_year if until_year is not None else first.year), 12, 31)
    on = read_day("day", day)
    names = [score] if score is not None else list(known)
    found = {name: service.scores.standings(name, first, last, day=on, below=org) for name in names}
    document = {
        "from": first.isoformat(),
        "until": last.isoformat(),
        "day": min(on or today, last).isoformat(),
        "scores": {name: [_document(s) for s in standings] for name, standings in found.items()},
    }
    session.write(document, lambda console: _show(session, console, known, found))


def _year(year: int) -> int:
    from engine.core.errors import BadInput

    if not 1900 <= year <= 9998:
        raise BadInput("{name}: {value} is not a year", name="year", value=year)
    return year


def _document(standing: Standing) -> Mapping[str, Any]:
    return {
        "org": standing.unit,
        "name": standing.name,
        "kind": standing.kind,
        "parent": standing.parent,
        "plan": standing.plan,
        "target": standing.least,
        "target_most": standing.most,
        "target_subject": standing.target,
        "decision": standing.number,
        "result": standing.result,
        "percent": None if standing.percent is None else float(standing.percent),
        "met": standing.met,
        "leaders": [_head(h) for h in standing.leaders],
    }


def _head(head: Head) -> Mapping[str, Any]:
    return {
        "officer": head.officer,
        "name": head.name,
        "role": head.role,
        "from": None if head.first is None else head.first.isoformat(),
        "until": None if head.last is None else head.last.isoformat(),
        "then": head.then,
    }


def _show(
    session: Session, console: Console, known: Mapping[str, Score], found: Mapping[str, Sequence[Standing]]
) -> None:
    from rich.table import Table

    for name, standings in found.items():
        console.print(session.teller.text(known[name].label))
        table = Table(
            *map(session.say, ("Unit", "Plan", "Target", "Result", "Of the target", "Rating proposed", "Head"))
        )
        for s in standings:
            leaders = ", ".join(h.name for h in s.leaders if h.then)
            table.add_row(
                s.name, _number(s.plan), target_text(session, s), _number(s.result), _percent(s), met_text(session, s),
                leaders,
            )  # fmt: skip
        console.print(table)


def _number(value: object) -> str:
    return "-" if value is None else str(value)


def target_text(session: Session, standing: Standing) -> str:
    """Returns the target as people read it: one number, a range, or that none was given (never 0)."""
    if standing.least is None:
        return session.say("no target given")
    return str(standing.least) if standing.most is None else f"{standing.least}-{standing.most}"


def _percent(standing: Standing) -> str:
    return "-" if standing.percent is None else f"{standing.percent.normalize():f} %".replace(".", ",")


def met_text(session: Session, standing: Standing) -> str:
    """Returns the rating that the count alone proposes."""
    if standing.met is None:
        return session.say("no target given")
    return session.say("target met") if standing.met else session.say("target not met")
