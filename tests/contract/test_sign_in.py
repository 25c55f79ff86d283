"""Sessions, second factors and failed tries."""

from __future__ import annotations

from dataclasses import replace

from engine.store.ports import Store
from engine.store.rows import AttemptRow, FactorRow, SessionRow
from tests.contract.samples import moment

SESSION = SessionRow(
    id="s1",
    officer="an",
    behalf=None,
    level="full",
    created_at=moment(1),
    seen_at=moment(1),
    expires_at=moment(50),
    seen_seq=7,
    agent="Firefox",
)
FACTOR = FactorRow(officer="an", sealed=b"\x00\x01", step=0, confirmed_at=None)
ATTEMPT = AttemptRow(id="a1", failures=3, last_at=moment(2), until_at=moment(4))


def test_sessions_are_found_by_id_and_by_officer_in_the_order_in_which_they_began(store: Store) -> None:
    """Another officer's are not among them."""
    later, other = replace(SESSION, id="s0", created_at=moment(9)), replace(SESSION, id="s2", officer="ba")
    with store.transaction() as unit:
        unit.put_sessions([later, SESSION, other])
        unit.put_sessions([replace(SESSION, behalf="ba")])
    with store.transaction(write=False) as unit:
        assert unit.session("s1") == replace(SESSION, behalf="ba")
        assert unit.session("s9") is None
        assert [r.id for r in unit.sessions_of("an")] == ["s1", "s0"]
        assert [r.id for r in unit.sessions_of("ba")] == ["s2"]
        assert unit.sessions_of("chi") == []


def test_a_factor_is_one_an_officer_and_can_be_taken_away(store: Store) -> None:
    """The last one put counts."""
    with store.transaction() as unit:
        unit.put_factors([FACTOR])
        unit.put_factors([replace(FACTOR, step=5, confirmed_at=moment(3))])
        assert unit.factor("an") == replace(FACTOR, step=5, confirmed_at=moment(3))
        unit.delete_factors([FACTOR])
        assert unit.factor("an") is None


def test_what_is_old_is_forgotten_and_what_is_not_stays(store: Store) -> None:
    """The moment itself is old."""
    with store.transaction() as unit:
        unit.put_sessions([SESSION, replace(SESSION, id="s2", expires_at=moment(60))])
        unit.put_attempts([ATTEMPT, replace(ATTEMPT, id="a2", last_at=moment(3))])
        unit.forget_sign_ins(moment(50), moment(2))
        assert (unit.session("s1"), unit.attempt("a1")) == (None, None)
        assert unit.session("s2") is not None
        assert unit.attempt("a2") == replace(ATTEMPT, id="a2", last_at=moment(3))
