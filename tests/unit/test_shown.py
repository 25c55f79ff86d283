"""How values look: units called the same are told apart where one is chosen."""

from __future__ import annotations

from datetime import UTC

from engine.core.authority import Org, Tree
from web.shown import Values

ORGS = (("tu", "Thị ủy", None), ("x1", "Đảng ủy xã Một", "tu"), ("x2", "Đảng ủy xã Hai", "tu"),
        ("a", "Chi bộ thôn 1", "x1"), ("b", "Chi bộ thôn 1", "x2"), ("c", "Chi bộ thôn 2", "x2"))  # fmt: skip


def test_a_choice_names_the_unit_above_only_where_others_are_called_the_same() -> None:
    tree = Tree(Org(id=id, kind="unit", name=name, parent=parent) for id, name, parent in ORGS)
    values = Values("vi", str, UTC, tree)
    assert [values.unit_apart(u) for u in ("tu", "a", "b", "c", "gone")] == [
        "Thị ủy", "Chi bộ thôn 1, Đảng ủy xã Một", "Chi bộ thôn 1, Đảng ủy xã Hai", "Chi bộ thôn 2", "gone",
    ]  # fmt: skip
