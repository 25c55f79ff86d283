"""The worker: claims what is due, sends it, records what became of it. Several may run at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from engine.outbox import Claimed
from engine.service import Service
from notifications.channels.port import Channel, Message, Outcome, failed
from notifications.render import DigestItem, digest, html

STALLED = timedelta(minutes=15)  # a claim this old belongs to a worker that died


class Worker:
    """Delivers over `channels`, by the channel names of the outbox (email, sms)."""

    def __init__(self, service: Service, channels: Mapping[str, Channel], *, lang: str = "vi") -> None:
        self._service, self._channels, self._lang = service, channels, lang

    def deliver(self, on_sent: Callable[[Claimed, Message, Outcome], None] | None = None) -> int:
        """Sends everything due now; returns how many messages were tried. A failing one stops nothing else."""
        tried = 0
        self._service.park_stalled(STALLED)
        while claimed := self._service.claim():
            for one in claimed:
                self._send(one, on_sent)
                tried += 1
        return tried

    def _send(self, claimed: Claimed, on_sent: Callable[[Claimed, Message, Outcome], None] | None) -> None:
        channel = self._channels.get(claimed.channel)
        message = self._message(claimed)
        if message is None:
            outcome = failed("The officer has no contact for this channel any more.", retry=False)
        elif channel is None:
            outcome = failed("This channel is not set up.", retry=True, setup=True)
        else:
            outcome = channel.send(message)
        self._service.record(
            claimed.message,
            outcome.state,
            provider_id=outcome.provider_id,
            detail=" ".join(t for t in (outcome.code, outcome.detail) if t) or None,
            retry=outcome.retry,
        )
        if on_sent is not None and message is not None:
            on_sent(claimed, message, outcome)

    def _message(self, claimed: Claimed) -> Message | None:
        contact = self._service.contact(claimed.recipient)
        to = contact.phone if claimed.channel == "sms" else contact.email
        if to is None:
            return None
        items = [_item(t) for t in claimed.texts]
        if claimed.channel == "sms" and len(items) > 1:
            text, subject = "\n".join(i.body for i in items), items[0].subject_line
            return self._plain(claimed, to, contact.name, subject, text)
        written = digest(items, recipient=contact.name, today=claimed.today, lang=self._lang)
        if claimed.channel == "sms":
            return self._plain(claimed, to, contact.name, items[0].subject_line, items[0].body)
        return Message(
            id=claimed.message,
            to=to,
            to_name=contact.name,
            subject=written.subject_line,
            text=written.body,
            html=html(written),
            created_at=self._service.kit.clock.now(),
            urgent=claimed.urgent,
        )

    def _plain(self, claimed: Claimed, to: str, name: str, subject: str, text: str) -> Message:
        return Message(
            id=claimed.message,
            to=to,
            to_name=name,
            subject=subject,
            text=text,
            html=None,
            created_at=self._service.kit.clock.now(),
            urgent=claimed.urgent,
        )


def _item(text: Mapping[str, str]) -> DigestItem:
    due = text.get("due") or ""
    return DigestItem(
        subject_line=text["subject_line"],
        body=text["body"],
        group=text.get("group", ""),
        due=date.fromisoformat(due) if due else None,
        waiting_days=int(text.get("waiting_days", "0") or 0),
        late=text.get("late") == "true",
        urgent=text.get("urgent") == "true",
    )
