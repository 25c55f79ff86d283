"""Bars drawn from a report's table: readable without colour, every value written at its bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from markupsafe import Markup

from reports.document import Table, Value, written

WIDTH = 340  # units; on a phone the drawing is about as wide as it is drawn
BAR = 252  # the longest bar, which leaves room for its value
MOST = 30  # groups that are drawn; the others stand in the table
LETTERS = 50  # of a label


@dataclass(frozen=True, kw_only=True)
class Series:
    """What one kind of bar shows: a label, and a value for each group (None: none is drawn)."""

    label: str
    shows: str
    values: Sequence[int | Decimal | None]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing. `left_out`: how many groups stand in the table only."""

    svg: Markup
    left_out: int


def chart(table: Table, lang: str, id: str, about: str) -> Chart | None:
    """Draws what a table says is to be drawn; None where there is nothing to draw. `about` describes the drawing."""
    groups, series = _across(table) if _is_across(table) else _down(table)
    if not any(v for s in series for v in s.values):
        return None
    chosen = sorted(sorted(range(len(groups)), key=lambda i: -_size(series, i))[:MOST])
    kept = [Series(label=s.label, shows=s.shows, values=[s.values[i] for i in chosen]) for s in series]
    drawing = _svg([groups[i] for i in chosen], kept, lang, id, table.title or about, about)
    return Chart(svg=Markup(drawing), left_out=len(groups) - len(chosen))  # noqa: S704 - every text in it is escaped


def _is_across(table: Table) -> bool:
    """Tells whether the figures to be drawn are rows: with a column for each group, or one for all."""
    return bool(table.chart) and not {c.id for c in table.columns}.issuperset(table.chart)


def _down(table: Table) -> tuple[list[str], list[Series]]:
    lines = [line for line in table.lines if line.kind == "row"]
    places = [(i, c) for i, c in enumerate(table.columns) if c.id in table.chart]
    series = [
        Series(label=c.label, shows=c.shows, values=[_number(line.cells[i]) for line in lines]) for i, c in places
    ]
    return [str(line.cells[0] or "") for line in lines], series


def _across(table: Table) -> tuple[list[str], list[Series]]:
    lines = [line for line in table.lines if line.key in table.chart]
    if len(table.columns) == 2:  # one value a figure: the figures are the groups
        shows = lines[0].shows or "number" if lines else "number"
        return [str(line.cells[0]) for line in lines], [
            Series(label=table.columns[1].label, shows=shows, values=[_number(line.cells[1]) for line in lines])
        ]
    groups = [(i, c) for i, c in enumerate(table.columns) if i and c.id != "total"]
    series = [
        Series(
            label=str(line.cells[0]), shows=line.shows or "number", values=[_number(line.cells[i]) for i, _ in groups]
        )
        for line in lines
    ]
    return [c.label for _, c in groups], series


def _number(value: Value) -> int | Decimal | None:
    return value if isinstance(value, int | Decimal) and value >= 0 else None


def _size(series: Sequence[Series], i: int) -> Decimal:
    return Decimal(max((s.values[i] or 0 for s in series), default=0))


def _svg(groups: Sequence[str], series: Sequence[Series], lang: str, id: str, title: str, about: str) -> str:
    most = max(Decimal(v) for s in series for v in s.values if v is not None)
    several = len(series) > 1
    parts: list[str] = []
    y = 4
    if several:
        for n, one in enumerate(series):
            parts.append(f'<rect class="b{n}" fill="{_fill(id, n)}" x="1" y="{y + 2}" width="22" height="10"/>')
            parts.append(f'<text x="30" y="{y + 11}">{escape(_short(one.label))}</text>')
            y += 17
        y += 6
    for i, group in enumerate(groups):
        parts.append(f'<text class="g" x="0" y="{y + 11}">{escape(_short(group))}</text>')
        y += 16
        for n, one in enumerate(series):
            value = one.values[i]
            if value is not None:
                wide = round(float(Decimal(value) / most) * BAR, 1) if most else 0
                fill = f' fill="{_fill(id, n)}"' if several else ""
                parts.append(f'<rect class="b{n}"{fill} x="1" y="{y}" width="{wide}" height="11"/>')
                parts.append(f'<text x="{wide + 6}" y="{y + 10}">{escape(written(value, one.shows, lang))}</text>')
            y += 14
        y += 4
    head = f'<title id="{id}-t">{escape(title)}</title><desc id="{id}-d">{escape(about)}</desc>'
    return (
        f'<svg class="chart" role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
        f'height="{y}">{head}{"".join(_patterns(id, len(series)))}{"".join(parts)}</svg>'
    )


def _fill(id: str, n: int) -> str:
    return f"url(#{id}-p{n})"


def _patterns(id: str, count: int) -> Iterator[str]:
    """Four kinds of bar that differ without colour: full, slanted, dotted, empty."""
    marks = (
        '<rect class="full" width="6" height="6"/>',
        '<path class="line" d="M0 6L6 0M-1 1L1 -1M5 7L7 5"/>',
        '<circle class="full" cx="3" cy="3" r="1.3"/>',
        "",
    )
    if count > 1:
        yield "<defs>"
        for n in range(count):
            yield (
                f'<pattern id="{id}-p{n}" width="6" height="6" patternUnits="userSpaceOnUse">'
                f'<rect class="ground" width="6" height="6"/>{marks[n]}</pattern>'
            )
        yield "</defs>"


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1].rstrip() + "…"
