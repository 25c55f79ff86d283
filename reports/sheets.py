"""Opens a list as an office keeps it, .xlsx or .csv, as sheets of cells with the row and column that Excel shows.

Nothing is computed: of a formula the stored result is read, and a formula without one is named.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import python_calamine

from engine.core.errors import BadInput
from reports.unpacking import MAX_CELL_LETTERS, Unpacked, unpack

MAX_FILE = 10 * 2**20  # bytes
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_MERGED = 1_000_000  # cells
SHIFT_1904 = 1462  # days between Excel's two first days

Cell = None | str | int | float | bool | date | datetime | time | timedelta

_DELIMITERS = ";,\t|"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet from A1 on. Rows and columns count from 1; an empty cell is None.

    `merged` holds rectangles (first row, first column, last row, last column); only the first cell of one has a value.
    """

    name: str
    file: str = ""  # where several files are read together: the one that it is of
    rows: tuple[tuple[Cell, ...], ...]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: bool = False
    uncomputed: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    serial_shift: int = 0

    def at(self, row: int, column: int) -> Cell:
        """Returns what is stored in a cell, None outside the sheet."""
        if 1 <= row <= len(self.rows) and 1 <= column <= len(self.rows[row - 1]):
            return self.rows[row - 1][column - 1]
        return None

    def filled(self, row: int, column: int) -> Cell:
        """Returns what a person sees in a cell: within merged cells, the value of the first."""
        return self.at(*self.anchor(row, column))

    def anchor(self, row: int, column: int) -> tuple[int, int]:
        """Returns the first cell of the merged cells that this one belongs to, or the cell itself."""
        return self._anchors.get((row, column), (row, column))

    @property
    def width(self) -> int:
        """The number of columns of the widest row."""
        return max((len(row) for row in self.rows), default=0)

    @property
    def blank(self) -> bool:
        """Whether nothing at all stands in the sheet."""
        return all(cell is None for row in self.rows for cell in row)

    @cached_property
    def _anchors(self) -> dict[tuple[int, int], tuple[int, int]]:
        return {
            (row, column): (top, left)
            for top, left, bottom, right in self.merged
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
        }


def open_sheets(path: Path) -> list[Sheet]:
    """Reads a file of at most MAX_FILE bytes from the disk. Raises BadInput naming the file and the mend."""
    try:
        if not path.is_file():
            raise BadInput("{file}: there is no such file", file=path.name)
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise BadInput("{file}: cannot be read: {why}", file=path.name, why=error.strerror or "") from None
    return read_sheets(data, path.name)


def together(files: Sequence[tuple[str, Sequence[Sheet]]]) -> list[Sheet]:
    """Returns the sheets of several files, each called by its file, and by its own name too where there are more.

    Raises BadInput for two files of one name: nobody could tell their rows apart.
    """
    found: list[Sheet] = []
    for n, (name, sheets) in enumerate(files):
        if name in (other for other, _ in files[:n]):
            raise BadInput("{file} is given twice; give each list once, under a name of its own", file=name)
        shown = [s for s in sheets if not s.hidden and not s.blank]
        if not shown:
            raise BadInput("{file}: the file is empty", file=name)
        only = shown[0] if len(shown) == 1 else None
        found += [replace(s, file=name, name=name if s is only else f"{name} ({s.name})") for s in sheets]
    return found


def read_sheets(data: bytes, file: str) -> list[Sheet]:
    """Reads the bytes of an .xlsx or .csv called `file`. Raises BadInput naming the file and the mend."""
    if len(data) > MAX_FILE:
        raise BadInput("{file}: larger than {limit} MB; split the list", file=file, limit=MAX_FILE // 2**20)
    if not data.strip():
        raise BadInput("{file}: the file is empty", file=file)
    match Path(file).suffix.lower():
        case ".xlsx":
            return _read_xlsx(data, file)
        case ".csv":
            return [_read_csv(data, file)]
        case _:
            raise BadInput("{file}: only .xlsx and .csv are read; save it in Excel as one of these", file=file)


def _read_xlsx(data: bytes, file: str) -> list[Sheet]:
    unpacked = unpack(data, file, max_rows=MAX_ROWS, max_columns=MAX_COLUMNS)
    try:
        return list(_sheets(unpacked, file))
    except BadInput:
        raise
    except BaseException as error:  # a panic of the Rust reader is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise BadInput(
            "{file}: damaged; open it in Excel, save it again as .xlsx and try once more", file=file
        ) from None


def _sheets(unpacked: Unpacked, file: str) -> Iterator[Sheet]:
    workbook = python_calamine.load_workbook(unpacked.copy)
    for meta in workbook.sheets_metadata:
        if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_name(meta.name)
        rows = _trimmed(sheet.to_python(skip_empty_area=False))
        height, width = len(rows), max((len(row) for row in rows), default=0)
        merged = tuple(
            (top + 1, left + 1, min(bottom + 1, height), min(right + 1, width))
            for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
            if top < height and left < width
        )
        if sum((bottom - top + 1) * (right - left + 1) for top, left, bottom, right in merged) > MAX_MERGED:
            raise BadInput("{file}: too many merged cells; unmerge what lies outside the table", file=file)
        yield Sheet(
            name=meta.name,
            rows=rows,
            merged=merged,
            hidden=meta.visible != python_calamine.SheetVisibleEnum.Visible,
            uncomputed=frozenset(unpacked.extents[meta.name].uncomputed if meta.name in unpacked.extents else ()),
            serial_shift=SHIFT_1904 if unpacked.from_1904 else 0,
        )


def _trimmed(rows: Sequence[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    """Returns the rows with None for what is empty, and without empty rows at the end."""
    cleaned = [tuple(None if isinstance(c, str) and not c.strip() else c for c in row) for row in rows]
    while cleaned and all(cell is None for cell in cleaned[-1]):
        cleaned.pop()
    return tuple(cleaned)


def _read_csv(data: bytes, file: str) -> Sheet:
    text = _decoded(data, file)
    first, _, rest = text.partition("\n")
    if (named := first.strip().lower()).startswith("sep=") and len(named) == 5:  # Excel's own hint
        delimiter, text = named[4], "\n" + rest
    else:
        delimiter = _delimiter(text)
    rows: list[list[Cell]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) == MAX_ROWS:
                raise BadInput("{file}: more than {limit} rows; split the list", file=file, limit=MAX_ROWS)
            if len(row) > MAX_COLUMNS:
                raise BadInput(
                    "{file}: more than {limit} columns; delete what lies outside the table",
                    file=file,
                    limit=MAX_COLUMNS,
                )
            if max(map(len, row), default=0) > MAX_CELL_LETTERS:
                raise csv.Error
            rows.append(list(row))
    except csv.Error:
        raise BadInput(
            "{file}: line {line} is no CSV (a quotation mark that never ends?); mend that line",
            file=file,
            line=len(rows) + 1,
        ) from None
    return Sheet(name=Path(file).stem, rows=_trimmed(rows))


def _decoded(data: bytes, file: str) -> str:
    """Returns the text of a CSV: UTF-8 with or without its mark, UTF-16 as Excel saves it, or windows-1258."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif data[1:200:2].count(0) > len(data[1:200:2]) // 2:  # latin letters leave every second byte zero
        encodings = ["utf-16-le"]
    elif data[0:200:2].count(0) > len(data[0:200:2]) // 2:
        encodings = ["utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1258"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BadInput("{file}: not a text file in a known encoding; save it in Excel as CSV UTF-8", file=file)


def _delimiter(text: str) -> str:
    """Returns the delimiter that cuts most of the first lines into the same number of cells, the most cells first."""
    lines = "\n".join(text.splitlines()[:60])
    best, chosen = 0, ","
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(io.StringIO(lines), delimiter=delimiter) if len(row) > 1)
        except csv.Error:
            continue
        score = max((width * count for width, count in widths.items()), default=0)
        if score > best:
            best, chosen = score, delimiter
    return chosen
