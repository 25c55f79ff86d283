"""News of messages that were handed over: a gateway's receipts, and mails that came back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from engine.core.sending import Came, Drafter, News
from engine.delivering import digest_of, settle_news
from engine.store.rows import OutboxRow
from engine.work import Work

EARLY = "early_receipts"  # setting: news that came before the answer to the message itself was recorded
KEPT = 200

# state of a notice -> what news may make of it; the first final news stays
_OPEN = frozenset({"queued", "claimed", "accepted", "unknown"})


def receive(work: Work, drafter: Drafter, news: News) -> bool:
    """Records news of a message; returns whether it was believed. The same news twice changes nothing.

    News that names a recipient is believed only for the address that the message went to. News of a message whose
    number is not recorded yet is kept until it is.
    """
    work.ledger.lock()
    rows = work.tx.outbox(message=news.message) if news.message else work.tx.outbox(provider_id=news.provider_id or "")
    if not rows:
        if news.message is None and news.provider_id:
            _keep(work, news)
        return False
    return apply(work, drafter, rows, news)


def apply(work: Work, drafter: Drafter, rows: Sequence[OutboxRow], news: News) -> bool:
    """Records news of these rows of one message."""
    message = rows[0].message or ""
    if news.recipient is not None and rows[0].sent_to != digest_of(message, news.recipient):
        return False
    rows = [r for r in rows if r.state in _OPEN]
    if not rows:
        return False
    if news.final:
        settle_news(work, drafter, rows, news)
        return True
    # The other side has it: that settles what was unknown, and tells nothing new of what was accepted.
    unsettled = [r for r in rows if r.state != "accepted"]
    if unsettled and news.came.state == "accepted":
        settle_news(work, drafter, unsettled, news)
    return True


def _keep(work: Work, news: News) -> None:
    kept = [n for n in json.loads(work.tx.setting(EARLY) or "[]") if n["provider_id"] != news.provider_id]
    work.tx.put_setting(EARLY, json.dumps([*kept, asdict(news)][-KEPT:], ensure_ascii=False))


def settle_early(work: Work, drafter: Drafter, came: Sequence[tuple[str, Came]]) -> None:
    """Records the news that came before these answers were recorded, and forgets it."""
    numbers = {c.provider_id for _, c in came if c.provider_id}
    stored = work.tx.setting(EARLY) if numbers else None
    if not stored:
        return
    kept = json.loads(stored)
    found = [n for n in kept if n["provider_id"] in numbers]
    for one in found:
        news = News(**{**one, "came": Came(**one["came"])})
        apply(work, drafter, list(work.tx.outbox(provider_id=news.provider_id)), news)
    if found:
        rest = [n for n in kept if n["provider_id"] not in numbers]
        work.tx.put_setting(EARLY, json.dumps(rest, ensure_ascii=False))
