"""Bars of a table: as long as their values, each with its number, told apart without colour."""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from reports.document import Heading, Line, Table
from web.charts import BAR, MOST, chart

SVG = "{http://www.w3.org/2000/svg}"


def table(rows: list[tuple[str, list[object]]], drawn: tuple[str, ...] = ("a",)) -> Table:
    columns = [Heading(id="label", label="Đơn vị", shows="text")]
    columns += [Heading(id=c, label=f"Cột {c}", shows="number") for c in ("a", "b")]
    lines = [Line(key=name, cells=[name, *cells]) for name, cells in rows]  # type: ignore[list-item]
    return Table(title="Bảng <1>", columns=columns, lines=lines, chart=drawn)


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=MOST + 5))
def test_bars_are_as_long_as_their_values(values: list[int]) -> None:
    made = chart(table([(f"đv {i}", [v, None]) for i, v in enumerate(values)]), "vi", "c0", "về")
    if not any(values):
        assert made is None
        return
    assert made is not None
    bars = [float(r.get("width", "")) for r in drawn(made.svg).iter(f"{SVG}rect")]
    kept = sorted(values, reverse=True)[:MOST]
    assert sorted(bars, reverse=True) == [round(v / max(values) * BAR, 1) for v in kept]
    assert made.left_out == max(0, len(values) - MOST)


def test_each_kind_of_bar_has_a_pattern_and_a_name_and_each_bar_its_number() -> None:
    made = chart(table([("Một & hai", [Decimal("1234.5"), 7])], ("a", "b")), "vi", "c0", "về")
    assert made is not None
    root = drawn(made.svg)
    assert [p.get("id") for p in root.iter(f"{SVG}pattern")] == ["c0-p0", "c0-p1"]
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert texts == ["Cột a", "Cột b", "Một & hai", "1.234,5", "7"]
    assert root.findtext(f"{SVG}title") == "Bảng <1>"
    assert root.get("role") == "img"
    assert not re.search(r"style=|onload|<script", made.svg)


def test_figures_of_a_table_with_one_value_each_are_the_groups() -> None:
    columns = [Heading(id="label", label="", shows="text"), Heading(id="value", label="Số liệu", shows="number")]
    lines = [Line(key=k, cells=[f"Dòng {k}", n]) for k, n in (("x", 3), ("y", 6), ("z", 9))]
    made = chart(Table(columns=columns, lines=lines, chart=("x", "y")), "vi", "c0", "về")
    assert made is not None
    assert [t.text for t in drawn(made.svg).iter(f"{SVG}text")] == ["Dòng x", "3", "Dòng y", "6"]


def test_a_figure_across_years_has_a_bar_a_year_and_none_for_the_total() -> None:
    columns = [Heading(id=i, label=i, shows="number") for i in ("label", "2024", "2025", "total")]
    lines = [Line(key="admitted", cells=["Kết nạp", 2, 3, 5]), Line(key="number", cells=["Số", "12-QĐ", "", ""])]
    made = chart(Table(columns=columns, lines=lines, chart=("admitted",)), "vi", "c0", "về")
    assert made is not None
    assert [t.text for t in drawn(made.svg).iter(f"{SVG}text")] == ["2024", "2", "2025", "3"]


def test_text_in_the_place_of_a_number_is_not_drawn() -> None:
    assert chart(table([("x", ["không giao chỉ tiêu", None])]), "vi", "c0", "về") is None
