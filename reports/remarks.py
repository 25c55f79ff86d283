"""What is to be said of a place in a list: why it is rejected, or what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reports.unpacking import column_letters


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One remark. `row` (from 1) and `column` (letters, empty for the whole row) are those that Excel shows.

    `message` is an English template that `params` fill; `heading` is the column's heading as the list has it,
    `times` how many rows of the column a warning is about, of which `row` is the first.
    """

    sheet: str
    row: int
    column: str = ""
    heading: str = ""
    message: str
    params: dict[str, object] = field(default_factory=dict)
    times: int = 1

    @property
    def cell(self) -> str:
        """The cell's name in Excel, such as `D12`, or the row's number."""
        return f"{self.column}{self.row}"

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Returns the reason in the language of `translate`."""
        return translate(self.message).format_map(self.params) if self.params else translate(self.message)


def other_row(here: str, sheet: str, row: int, message: str, elsewhere: str) -> tuple[str, dict[str, object]]:
    """Returns what is said of another row in a remark on the sheet `here`: `message`, which names the `row`, or, where
    the other row is on another sheet, `elsewhere`, which names the `sheet` too."""
    return (message, {"row": row}) if sheet == here else (elsewhere, {"sheet": sheet, "row": row})


def same_person_as(here: str, sheet: str, row: int) -> tuple[str, dict[str, object]]:
    """Returns what is said of a row that brings other data of a person whom another row brings too."""
    return other_row(
        here,
        sheet,
        row,
        "the same person as in row {row}, with other data; leave one of the two",
        "the same person as in {sheet}, row {row}, with other data; leave one of the two",
    )


def remark(
    sheet: str, row: int, number: int | None, heading: str, message: str, params: dict[str, object] | None = None
) -> Remark:
    """Returns a remark on a cell whose column is given by number (None: the whole row)."""
    letters = column_letters(number) if number else ""
    return Remark(sheet=sheet, row=row, column=letters, heading=heading, message=message, params=params or {})
