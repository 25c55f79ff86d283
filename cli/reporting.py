"""`report`: what the office's trail and facts come to, as a table to read or a file to send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import As, Token
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from reports.document import Report, Table
    from reports.periods import Span


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("report")(report)


def report(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The report; none: which there are.")] = None,
    year: Annotated[int | None, typer.Option("--year", metavar="Y", help="For a year.")] = None,
    years: Annotated[str | None, typer.Option("--years", metavar="Y-Y", help="For a term, such as 2015-2020.")] = None,
    quarter: Annotated[str | None, typer.Option("--quarter", metavar="Y-QN", help="For a quarter.")] = None,
    month: Annotated[str | None, typer.Option("--month", metavar="Y-MM", help="For a month.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="From this day on.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="To this day, included.")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="As things stand on this day.")] = None,
    org: Annotated[str | None, typer.Option("--org", metavar="ORG", help="This organisation and all below.")] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="SUBJECT", help="Of this subject, as the list of one class.")
    ] = None,
    form: Annotated[str | None, typer.Option("--format", metavar="xlsx|docx|pdf|json", help="As a file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to; else NAME-PERIOD here.")] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="What it is made for.")] = None,
    as_: As = None,
    token: Token = None,
) -> None:
    """Make a report. With --as it holds only what that officer may see.

    Examples: ketnap report yearly --year 2024
              ketnap report yearly --years 2015-2020 --format docx
              ketnap report periodic --quarter 2024-Q2 --org xa1 --format xlsx --as lan
              ketnap report class_list --subject training_class-1 --format xlsx --as tam
    """
    from cli.bootstrap import workflow_folder
    from reports.handing import FORMATS, hand_out
    from reports.making import Request

    session: Session = ctx.obj
    service = session.changing()
    with service.work() as work:
        area = work.library.area.file.area
        today = work.today
    folder = workflow_folder(session.settings, area)
    if name is None:
        _show_names(session, folder)
        return
    from engine.core.errors import BadInput

    if form is not None and form not in FORMATS:
        raise BadInput("{value} is not one of {known}", value=form, known=", ".join(FORMATS))
    officer = None
    if as_ is not None:
        from cli.identity import acting

        officer = acting(session, service, as_, token).officer
    span = _span(folder, name, year=year, years=years, quarter=quarter, month=month, first=first, last=last,
                 on=on, today=today)  # fmt: skip
    request = Request(name=name, span=span, org=org, subject=subject, officer=officer, lang=session.lang)
    handed = hand_out(service, folder, request, session.settings.letter, form, purpose=purpose)
    if form is None or (form == "json" and out is None):
        document = handed.report.json()
        if form == "json":
            session.write_json(document)
        else:
            session.write(document, lambda console: show(session, console, handed.report))
        return
    path = out if out is not None else Path(f"{request.file_name}.{form}")
    path.write_bytes(handed.data)
    written = {"file": str(path), "report": name, "bytes": len(handed.data)}
    session.write(written, lambda console: console.print(session.say("The report is in {file}.", file=str(path))))


def _show_names(session: Session, folder: Path) -> None:
    from reports.making import names_of

    found = names_of(folder, session.lang)
    document = [{"report": n, "title": title, "periods": periods} for n, title, periods in found]

    def table(console: Console) -> None:
        from rich.table import Table

        shown = Table(box=None, show_header=False)
        for n, title, periods in found:
            shown.add_row(n, title, ", ".join(periods))
        console.print(shown)

    session.write(document, table)


def _span(
    folder: Path, name: str, *, year: int | None, years: str | None, quarter: str | None,
    month: str | None, first: str | None, last: str | None, on: str | None, today: object,
) -> Span:  # fmt: skip
    """Returns the period that the options say. Raises BadInput for none, or two."""
    import re
    from datetime import date

    from cli.inputs import need_day
    from engine.core.errors import BadInput
    from reports import periods
    from reports.making import periods_of

    given = [o for o in (year, years, quarter, month, first or last, on) if o is not None]
    if len(given) > 1:
        raise BadInput("a report has one period: --year, --years, --quarter, --month, --from with --to, or --on")
    assert isinstance(today, date)
    if year is not None:
        return periods.year_span(year)
    if years is not None:
        found = re.fullmatch(r"(\d{4})\s*[-–]\s*(\d{4})", years.strip())
        if found is None:
            raise BadInput("{value} are no years (2015-2020)", value=years[:40])
        return periods.years_span(int(found[1]), int(found[2]))
    if quarter is not None:
        return periods.quarter_span(quarter)
    if month is not None:
        return periods.month_span(month)
    if first is not None or last is not None:
        if first is None:
            raise BadInput("--to needs --from: the first day of the period")
        return periods.days_span(need_day("from", first), today if last is None else need_day("to", last))
    if on is not None or "day" in periods_of(folder, name):
        return periods.day_span(today if on is None else need_day("on", on))
    raise BadInput("for which period? Say one of --year, --years, --quarter, --month, --from with --to")


def show(session: Session, console: Console, report: Report) -> None:
    """Prints a report for people."""
    for line in (report.sandbox, ": ".join(filter(None, (report.head.name, report.head.title))), report.unit_name):
        if line:
            console.print(line, soft_wrap=True)
    for table in report.tables:
        console.print()
        for text in (table.title, table.text, table.nothing):
            if text:
                console.print(text, soft_wrap=True)
        if table.lines:
            _show_table(console, table, session.lang)
        if table.note:
            console.print(table.note, soft_wrap=True)
    for note in report.notes:
        console.print(note, soft_wrap=True)


def _show_table(console: Console, table: Table, lang: str) -> None:
    from rich.table import Table as Grid

    from reports.document import written

    grid = Grid()
    for column in table.columns:
        grid.add_column(column.label, justify="left" if column.shows in ("text", "date") else "right")
    for line in table.lines:
        if line.kind == "group":
            grid.add_row(str(line.cells[0]), style="bold")
            continue
        cells = [written(v, line.shows or c.shows, lang) for c, v in zip(table.columns, line.cells, strict=True)]
        grid.add_row(*cells, style="bold" if line.kind == "total" else None)
    console.print(grid)
