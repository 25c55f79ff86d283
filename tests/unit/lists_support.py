"""The real lists, the town they belong to, and workbooks made on the spot."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

import xlsxwriter

from reports.lists import read_people
from reports.people import Reading
from reports.profiles import Profile, load_profile
from reports.sheets import Sheet, read_sheets

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "tests" / "data" / "lists"
TODAY = date(2026, 11, 24)


def profile(name: str = "candidates") -> Profile:
    """Returns a profile as the project ships it."""
    path = ROOT / "workflows" / "admission" / "imports" / f"{name}.yaml"
    return load_profile(path.read_text(encoding="utf-8"), path.name)


CANDIDATES = profile()


def _town() -> dict[str, tuple[str, str]]:
    with (LISTS / "to-chuc.csv").open(encoding="utf-8") as stream:
        return {row["id"]: (row["kind"], row["name"]) for row in csv.DictReader(stream)}


ORGANISATIONS = {id_: name for id_, (_, name) in _town().items()}
BRANCHES = {id_: name for id_, (kind, name) in _town().items() if kind == "branch"}

HEADING: tuple[object, ...] = ("STT", "Họ và tên", "Giới tính", "Ngày sinh", "Dân tộc", "Trình độ", "Chi bộ")


def book(
    rows: Iterable[Sequence[object]],
    merged: Iterable[str] = (),
    more: Callable[[xlsxwriter.Workbook], None] = lambda _: None,
) -> bytes:
    """Returns an .xlsx whose first sheet holds the rows from A1 on; `more` adds to the workbook."""
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream, {"default_date_format": "dd/mm/yyyy"})
    sheet = workbook.add_worksheet("DS")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value)
    for cells in merged:
        first = cells.split(":")[0]
        row_index, column_index = int(first[1:]) - 1, ord(first[0]) - 65
        sheet.merge_range(cells, list(rows)[row_index][column_index])
    more(workbook)
    workbook.close()
    return stream.getvalue()


def sheets(rows: Sequence[Sequence[object]], merged: Iterable[str] = ()) -> list[Sheet]:
    """Returns the sheets of a workbook with these rows."""
    return read_sheets(book(rows, merged), "ds.xlsx")


def read(
    rows: Sequence[Sequence[object]], merged: Iterable[str] = (), own: str | None = None, by: Profile = CANDIDATES
) -> Reading:
    """Reads the people of a workbook with these rows."""
    return people(sheets(rows, merged), own=own, by=by)


def people(found: Sequence[Sheet], own: str | None = None, by: Profile = CANDIDATES) -> Reading:
    """Reads the people of some sheets of the town's officer."""
    return read_people(found, by, file="ds.xlsx", today=TODAY, branches=BRANCHES, organisations=ORGANISATIONS, own=own)


def person(**cells: object) -> list[list[object]]:
    """Returns a table with the usual heading and one row; cells: n name sex born folk level unit."""
    usual: dict[str, object] = {
        "n": 1, "name": "Trần Văn An", "sex": "Nam", "born": "05/4/1990", "folk": "Kinh", "level": "12/12",
        "unit": "Thôn 3",
    }  # fmt: skip
    return [list(HEADING), list((usual | cells).values())]


def changed(data: bytes, **parts: bytes) -> bytes:
    """Returns a zip with some of its parts replaced or added; `__` in a name stands for a slash, `_dot_` for a dot."""
    stream = io.BytesIO()
    wanted = {name.replace("__", "/").replace("_dot_", "."): content for name, content in parts.items()}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, wanted.pop(name) if name in wanted else old.read(name))
        for name, content in wanted.items():
            new.writestr(name, content)
    return stream.getvalue()


def part(data: bytes, name: str) -> bytes:
    """Returns one part of a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)
