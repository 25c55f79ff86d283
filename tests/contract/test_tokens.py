"""Tokens by which programs act."""

from __future__ import annotations

from dataclasses import replace

from engine.store.ports import Store
from engine.store.rows import TokenRow
from tests.contract.samples import moment

TOKEN = TokenRow(
    id="t1", officer="an", name="Tổng hợp", scopes="read steps", created_at=moment(1), expires_at=moment(50)
)


def test_tokens_are_found_by_hash_and_by_officer_in_the_order_in_which_they_were_made(store: Store) -> None:
    """The last one put under an id counts; another officer's are not among them."""
    later, other = replace(TOKEN, id="t0", created_at=moment(9)), replace(TOKEN, id="t2", officer="ba")
    with store.transaction() as unit:
        unit.put_tokens([later, TOKEN, other])
        unit.put_tokens([replace(TOKEN, ended_at=moment(7))])
    with store.transaction(write=False) as unit:
        assert unit.token("t1") == replace(TOKEN, ended_at=moment(7))
        assert unit.token("t9") is None
        assert [r.id for r in unit.tokens_of("an")] == ["t1", "t0"]
        assert [r.id for r in unit.tokens_of("ba")] == ["t2"]
        assert unit.tokens_of("chi") == []
