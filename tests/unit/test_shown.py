"""How values look: units that are called the same, messages, periods."""

from __future__ import annotations

from datetime import UTC

import pytest

from engine.core.authority import Org, Tree
from web.shown import Values, period, sentence

ORGS = (("tu", "Thị ủy", None), ("x1", "Đảng ủy xã Một", "tu"), ("x2", "Đảng ủy xã Hai", "tu"),
        ("a", "Chi bộ thôn 1", "x1"), ("b", "Chi bộ thôn 1", "x2"), ("c", "Chi bộ thôn 2", "x2"))  # fmt: skip


def test_a_choice_names_the_unit_above_only_where_others_are_called_the_same() -> None:
    tree = Tree(Org(id=id, kind="unit", name=name, parent=parent) for id, name, parent in ORGS)
    values = Values("vi", str, UTC, tree)
    assert [values.unit_apart(u) for u in ("tu", "a", "b", "c", "gone")] == [
        "Thị ủy", "Chi bộ thôn 1, Đảng ủy xã Một", "Chi bộ thôn 1, Đảng ủy xã Hai", "Chi bộ thôn 2", "gone",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mật khẩu có ít nhất 10 ký tự", "Mật khẩu có ít nhất 10 ký tự."),
        (
            "ngày cuối (2023-07-13) sớm hơn ngày đầu (2023-07-14)",
            "Ngày cuối (13/07/2023) sớm hơn ngày đầu (14/07/2023).",
        ),
        ("Không rõ.", "Không rõ."),
        ("bt_x5: không có", "bt_x5: không có."),
        ("không có annual_plan-x5-2023-01-02", "Không có annual_plan-x5-2023-01-02."),
        ("", ""),
    ],
)
def test_a_message_is_a_sentence_whose_days_are_written_as_people_write_them(text: str, said: str) -> None:
    assert sentence(text) == said


@pytest.mark.parametrize(
    ("name", "said"), [("2025", "2025"), ("2025-01", "01/2025"), ("2025-01-20", "20/01/2025"), ("15-CT/TU", "15-CT/TU")]
)
def test_a_period_is_written_as_people_write_it(name: str, said: str) -> None:
    assert period(name) == said
