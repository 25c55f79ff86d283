"""`bench`: the benchmarks, each beside its floor, as a table or a document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.measure import Figure, Result, Sizes
    from cli.session import Session


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(bench)


def bench(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="step batch decide tick verify append notices reports web; else all."),
    ] = None,
    faulty: Annotated[
        int | None, typer.Option("--faulty", metavar="N", min=1, help="How many notices are sent under faults.")
    ] = None,
) -> None:
    """Measure the engine beside a floor, in this folder's file system; several minutes for all.

    `notices` also counts what is doubled, lost and unknown where workers crash and are killed.

    Examples: ketnap bench step batch
              ketnap bench notices --faulty 100000
    """
    session: Session = ctx.obj
    sizes = None
    if faulty is not None:
        from benchmarks.measure import Sizes

        sizes = Sizes(faulty=faulty)
    measure(names or (), session, sizes)


def run(names: Sequence[str], as_json: bool) -> int:
    """Runs the benchmarks named (none: all) and prints them. Returns 0. Raises NotFound for a name there is not."""
    from cli.session import Session

    return measure(names, Session(as_json=as_json))


def measure(names: Sequence[str], session: Session, sizes: Sizes | None = None) -> int:
    """As `run`, in the session's language and with other sizes if said. A missed aim is no failure: it is printed."""
    from engine.core.errors import NotFound

    try:
        from benchmarks import all as benchmarks
        from benchmarks.measure import Sizes
    except ModuleNotFoundError as error:
        if error.name != "benchmarks":
            raise
        raise NotFound("the benchmarks come with the source, not with the installed program") from None
    for name in names:
        if name not in benchmarks.BENCHMARKS:
            known = ", ".join(benchmarks.BENCHMARKS)
            raise NotFound("there is no benchmark {name}; there are: {known}", name=name, known=known)
    beside = Path.cwd()
    machine = benchmarks.machine(beside)
    results = []
    for name in names or list(benchmarks.BENCHMARKS):
        session.note(session.say("Measuring {name} ...", name=name))
        results.append(benchmarks.run_one(name, beside, sizes or Sizes()))
    session.write(benchmarks.document(machine, results), lambda console: _show(session, console, machine, results))
    return 0


def _show(session: Session, console: Console, machine: dict[str, Any], results: Sequence[Result]) -> None:
    from rich.table import Table

    say = session.say
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    for result in results:
        table = Table(title=result.title, title_justify="left", caption=result.floor, caption_justify="left")
        table.add_column("")
        more = [n for n in _MORE if any(getattr(f, _MORE[n][0]) is not None for f in result.figures)]
        for heading in ("ours", "floor", "ratio", "spread", "aim", *more):
            table.add_column(say(heading), justify="right")
        for figure in result.figures:
            table.add_row(*_cells(session, figure), *(_more(figure, *_MORE[n]) for n in more))
        console.print(table)
        for name, count in result.counts.items():
            console.print(f"{count:>10,}  {name}")


_MORE: dict[str, tuple[str, bool]] = {  # further columns: the figure's field, and whether it is a time
    "bare queries": ("bare", True),
    "processor": ("processor", True),
    "processor ratio": ("processor_ratio", False),
}


def _more(figure: Figure, field: str, is_time: bool) -> str:
    value = getattr(figure, field)
    return "" if value is None else _time(value) if is_time else f"{value:.2f}"


def _cells(session: Session, figure: Figure) -> list[str]:
    aim = "" if figure.aim is None else f"≤ {figure.aim:g} " + ("✓" if figure.met else "✗")
    return [
        session.say("{name}, for one {unit}", name=figure.name, unit=figure.unit),
        _time(figure.ours),
        _time(figure.floor),
        f"{figure.ratio:.2f}",
        f"{figure.low:.2f}-{figure.high:.2f}",
        aim,
    ]


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"
