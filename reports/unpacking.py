"""Looks through an Excel file before anything opens it, and hands on only what was looked at.

An .xlsx is a zip of XML. What can be wrong with one on purpose: a small file that unpacks to gigabytes, sizes in the
directory that lie, one cell in the farthest corner (readers allocate the whole rectangle), a long text used by a
million cells, entities that grow. So every part is unpacked here under a limit, parsed once by expat with no DTD
allowed, and packed again: the reader gets the copy, and what was checked is what is read.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from xml.parsers import expat

from engine.core.errors import BadInput

MAX_UNPACKED = 64 * 2**20  # bytes; a list of 50,000 rows and 20 columns stays below
MAX_PARTS = 1_000
MAX_CELL_LETTERS = 32_767  # Excel's own limit
MAX_LETTERS = 40_000_000  # of all cells together, shared texts counted where they are used
_KEPT = (".xml", ".rels")
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})\Z")


@dataclass(kw_only=True)
class Extent:
    """How far the filled cells of one sheet's part reach, and what else must be known of it."""

    rows: int = 0
    columns: int = 0
    uncomputed: set[tuple[int, int]] = field(default_factory=set)  # formulas without a stored result


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """The checked copy of a workbook, ready to open; extents by the sheet's name; whether days count from 1904."""

    copy: io.BytesIO
    extents: dict[str, Extent]
    from_1904: bool


def unpack(data: bytes, file: str, *, max_rows: int, max_columns: int) -> Unpacked:
    """Checks the bytes of an .xlsx. Raises BadInput naming the file and the mend."""
    parts = _parts(data, file)
    texts: list[int] = []  # letters of each shared text
    scans: dict[str, _Scan] = {}
    for name, content in parts.items():
        scan = _Scan(max_rows=max_rows, max_columns=max_columns)
        try:
            scan.run(content)
        except _TooFar as error:
            raise BadInput(error.template, file=file, limit=error.limit) from None
        except _Hostile:
            raise BadInput(
                "{file}: the workbook declares XML entities; "
                "open it in Excel, save it again as .xlsx and try once more",
                file=file,
            ) from None
        except (expat.ExpatError, ValueError, LookupError):
            raise BadInput(
                "{file}: damaged ({part}); open it in Excel, save it again as .xlsx and try once more",
                file=file,
                part=name,
            ) from None
        scans[name] = scan
        if scan.root == "sst":
            texts = scan.shared
    letters = sum(scan.letters + sum(texts[i] for i in scan.uses if 0 <= i < len(texts)) for scan in scans.values())
    if letters > MAX_LETTERS:
        raise BadInput("{file}: the cells hold too much text; split the list", file=file)
    return Unpacked(
        copy=_pack(parts),
        extents=_by_sheet(scans),
        from_1904=any(scan.from_1904 for scan in scans.values()),
    )


def _by_sheet(scans: dict[str, _Scan]) -> dict[str, Extent]:
    """Returns the extents by sheet name, by way of the workbook's list of sheets and its links to the parts."""
    links: dict[str, str] = {}
    sheets: list[tuple[str, str]] = []
    for name, scan in scans.items():
        if name.lower() == "xl/_rels/workbook.xml.rels":
            links = scan.links
        elif name.lower() == "xl/workbook.xml":
            sheets = scan.sheets
    by_part = {name.lower(): scan.extent for name, scan in scans.items()}
    found = {}
    for sheet, link in sheets:
        target = links.get(link, "").lower()
        part = target[1:] if target.startswith("/") else f"xl/{target}"
        if part in by_part:
            found[sheet] = by_part[part]
    return found


def _parts(data: bytes, file: str) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    seen: set[str] = set()
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_PARTS or sum(e.file_size for e in entries) > MAX_UNPACKED:
                raise BadInput(
                    "{file}: unpacks to more than {limit} MB; split the list or remove pictures",
                    file=file,
                    limit=MAX_UNPACKED // 2**20,
                )
            for entry in entries:
                name = entry.filename.lower()
                if not name.endswith(_KEPT):
                    continue  # pictures, printer settings, macros: nothing to read there
                if name in seen or entry.flag_bits & 1:
                    raise zipfile.BadZipFile
                seen.add(name)
                with archive.open(entry) as stream:
                    content = stream.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise zipfile.BadZipFile
                parts[entry.filename] = content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, RuntimeError):
        raise BadInput(
            "{file}: not a readable .xlsx (damaged, or locked with a password); "
            "open it in Excel, save it again as .xlsx and try once more",
            file=file,
        ) from None
    if "xl/workbook.xml" not in seen:
        raise BadInput(
            "{file}: not an Excel workbook; open it in Excel, save it again as .xlsx and try once more", file=file
        )
    return parts


def _pack(parts: dict[str, bytes]) -> io.BytesIO:
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    copy.seek(0)
    return copy


class _Hostile(Exception):
    """The XML has a document type."""


class _TooFar(Exception):
    """A cell lies outside the limits, or is too long; `template` says which limit."""

    def __init__(self, template: str, limit: int) -> None:
        self.template, self.limit = template, limit
        super().__init__(template)


class _Scan:
    """One pass over one XML part: how far its cells reach, the letters it holds, and which shared texts it uses."""

    def __init__(self, *, max_rows: int, max_columns: int) -> None:
        self.max_rows, self.max_columns = max_rows, max_columns
        self.root = ""
        self.extent = Extent()
        self.shared: list[int] = []
        self.uses: list[int] = []
        self.letters = 0
        self.from_1904 = False
        self.sheets: list[tuple[str, str]] = []  # name, link
        self.links: dict[str, str] = {}  # link to part
        self._row = self._column = 0
        self._cell_type = ""
        self._text: list[str] = []
        self._item = 0
        self._in_text = self._has_formula = self._has_value = False

    def run(self, content: bytes) -> None:
        """Parses the part. Raises ExpatError, _Hostile, _TooFar."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.Parse(content, True)

    def _doctype(self, *_: object) -> None:
        raise _Hostile

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self.root:
            self.root = name
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif name == "c":
            self._open_cell(attributes)
        elif name in ("v", "t"):
            self._in_text, self._text, self._has_value = True, [], True
        elif name == "f":
            self._has_formula = True
        elif name == "si":
            self._item = 0
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904", "0") in ("1", "true")
        elif name == "sheet":
            link = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            self.sheets.append((attributes.get("name", ""), link))
        elif name == "Relationship":
            self.links[attributes.get("Id", "")] = attributes.get("Target", "")

    def _open_cell(self, attributes: dict[str, str]) -> None:
        if reference := attributes.get("r"):
            match = _REFERENCE.match(reference)
            if match is None:
                raise ValueError(reference)
            self._column, self._row = column_number(match[1]), int(match[2])
        else:
            self._column += 1
        self._cell_type = attributes.get("t", "n")
        self._has_formula = self._has_value = False
        self._item = 0

    def _characters(self, text: str) -> None:
        if self._in_text:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(" ")[2]
        if name in ("v", "t"):
            self._close_text(name)
        elif name == "c":
            self._close_cell()
        elif name == "si":
            self.shared.append(self._item)

    def _close_text(self, name: str) -> None:
        self._in_text = False
        text = "".join(self._text)
        self._item += len(text)
        if self._item > MAX_CELL_LETTERS:
            raise _TooFar("{file}: a cell holds more than {limit} letters; shorten it", MAX_CELL_LETTERS)
        if name == "v" and self._cell_type == "s":
            self.uses.append(int(text))
        else:
            self.letters += len(text)

    def _close_cell(self) -> None:
        if not (self._has_value or self._has_formula):
            return  # a cell that is only coloured counts for nothing, here and in the reader
        if self._row > self.max_rows:
            raise _TooFar("{file}: more than {limit} rows; split the list", self.max_rows)
        if self._column > self.max_columns:
            raise _TooFar("{file}: more than {limit} columns; delete what lies outside the table", self.max_columns)
        self.extent.rows = max(self.extent.rows, self._row)
        self.extent.columns = max(self.extent.columns, self._column)
        if self._has_formula and not self._has_value:
            self.extent.uncomputed.add((self._row, self._column))


def column_number(letters: str) -> int:
    """Returns 1 for `A`, 27 for `AA`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Returns `A` for 1, `AA` for 27."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
