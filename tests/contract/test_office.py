"""Settings, the office, definitions and keys."""

from __future__ import annotations

from dataclasses import replace

from engine.store.ports import Store
from engine.store.rows import DayRow, DefinitionRow, KeyRow, OfficerRow, OrgRow, RoleRow, SubstituteRow
from tests.contract.samples import moment

ORG = OrgRow(
    id="o1",
    kind="branch",
    name="Chi nhánh 1",
    parent=None,
    from_day="0001-01-01",
    until_day=None,
    merged_into=None,
    marks_json="{}",
    created_at=moment(0),
)
OFFICER = OfficerRow(
    id="an",
    name="An",
    org="o1",
    email=None,
    phone="0912",
    from_day="2026-01-01",
    until_day=None,
    disabled=False,
    account=None,
    token=None,
    password=None,
)
ROLE = RoleRow(officer="an", org="o1", role="clerk", from_day="2026-01-01", until_day=None)
SUBSTITUTE = SubstituteRow(id="x1", officer="an", stand_in="ba", from_day="2026-01-01", until_day="2026-01-31")
DEFINITION = DefinitionRow(
    id="d1",
    workflow="loan",
    area="bank",
    area_text="a: 1",
    text="b: 2",
    templates_json="{}",
    file="loan.yaml",
    loaded_at=moment(5),
)


def test_a_setting_is_unknown_until_it_is_put_and_then_the_last_one(store: Store) -> None:
    """An empty text is known."""
    with store.transaction() as unit:
        assert unit.setting("a") is None
        unit.put_setting("a", "1")
        unit.put_setting("b", "")
        unit.put_setting("a", "2")
        assert (unit.setting("a"), unit.setting("b")) == ("2", "")


def test_rows_of_the_office_replace_those_with_the_same_primary_key_only(store: Store) -> None:
    """The keys are those that ports names: periods of one organisation or role stand side by side."""
    later = replace(ORG, from_day="2026-07-01", parent="o0", until_day="2026-12-31", merged_into="o2")
    role_later = replace(ROLE, from_day="2026-02-01")
    with store.transaction() as unit:
        unit.put_orgs([later, ORG])
        unit.put_officers([replace(OFFICER, id="ba"), OFFICER])
        unit.put_roles(
            [role_later, ROLE, replace(ROLE, role="head"), replace(ROLE, org="o2"), replace(ROLE, officer="ba")]
        )
        unit.put_substitutes([SUBSTITUTE])
        unit.put_days([DayRow(day="2026-01-10", off=False), DayRow(day="2026-01-02", off=True)])
    with store.transaction() as unit:
        unit.put_orgs([replace(ORG, name="Chi nhánh một", until_day="2026-06-30")])
        unit.put_officers(iter([replace(OFFICER, disabled=True, email="an@example.vn")]))
        unit.put_roles([replace(ROLE, until_day="2026-01-31")])
        unit.put_substitutes([replace(SUBSTITUTE, until_day="2026-01-15")])
        unit.put_days([DayRow(day="2026-01-02", off=False)])
    with store.transaction(write=False) as unit:
        assert list(unit.orgs()) == [replace(ORG, name="Chi nhánh một", until_day="2026-06-30"), later]
        assert list(unit.officers()) == [
            replace(OFFICER, disabled=True, email="an@example.vn"),
            replace(OFFICER, id="ba"),
        ]
        assert [type(row.disabled) for row in unit.officers()] == [bool, bool]
        assert list(unit.roles()) == [
            replace(ROLE, until_day="2026-01-31"),
            role_later,
            replace(ROLE, role="head"),
            replace(ROLE, org="o2"),
            replace(ROLE, officer="ba"),
        ]
        assert list(unit.substitutes()) == [replace(SUBSTITUTE, until_day="2026-01-15")]
        assert list(unit.days()) == [DayRow(day="2026-01-02", off=False), DayRow(day="2026-01-10", off=False)]
        assert [row.off for row in unit.days()] == [False, False]


def test_a_definition_that_stands_already_is_left_and_the_order_is_of_loading_then_of_putting(store: Store) -> None:
    """Two that were loaded at once keep the order in which they were put."""
    names = ["z", "m", "a"]
    with store.transaction() as unit:
        unit.put_definitions([replace(DEFINITION, id=name) for name in names])
    with store.transaction() as unit:
        unit.put_definitions(
            [replace(DEFINITION, id="m", text="other"), replace(DEFINITION, id="0", loaded_at=moment(1))]
        )
        unit.put_definitions([replace(DEFINITION, id="b")])
    with store.transaction(write=False) as unit:
        assert [row.id for row in unit.definitions()] == ["0", "z", "m", "a", "b"]
        assert unit.definitions()[2] == replace(DEFINITION, id="m")


def test_a_key_can_be_erased(store: Store) -> None:
    """The wrapped key is then unknown, and the row stays."""
    with store.transaction() as unit:
        unit.put_keys([KeyRow(id="k1", wrapped=b"\x00key"), KeyRow(id="k2", wrapped=b"2")])
        assert unit.keys(["k1", "none"]) == {"k1": KeyRow(id="k1", wrapped=b"\x00key")}
        unit.put_keys([KeyRow(id="k1", wrapped=None, erased_at=moment(3))])
        assert unit.keys(["k1"])["k1"] == KeyRow(id="k1", wrapped=None, erased_at=moment(3))
        assert unit.keys([]) == {}
        assert len(unit.keys(["k1", "k2"])) == 2
