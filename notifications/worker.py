"""The worker: claims what is due, sends it, records what became of it. Several may run at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from engine.core.sending import Came
from engine.outbox import Claimed
from engine.service import Service
from notifications.channels.port import Channel, Message, Outcome, failed
from notifications.render import DigestItem, digest, digest_sms, html

STALLED = timedelta(minutes=15)  # a claim this old belongs to a worker that died
BATCH = 8  # messages claimed at once: as many may be unknown after a crash

Told = Callable[[Claimed, Message, Outcome], None]


class Worker:
    """Delivers over `channels`, by the channel names of the outbox (email, sms).

    Each transaction records the last batch and claims the next. `flush` records at once what is not recorded yet: to be
    called before news of a message is stored.
    """

    def __init__(
        self, service: Service, channels: Mapping[str, Channel], *, lang: str = "vi", batch: int = BATCH
    ) -> None:
        self._service, self._channels, self._lang, self._batch = service, channels, lang, batch
        self._came: list[tuple[str, Came]] = []

    def deliver(self, on_sent: Told | None = None) -> int:
        """Sends everything due now; returns how many messages were tried. A failing one stops nothing else."""
        tried = 0
        self.take_up(STALLED)
        while claimed := self._turn():
            held: dict[str, Came] = {}
            for one in claimed:
                if one.channel in held:  # said for all of the channel, so nothing is tried in vain
                    self._came.append((one.message, held[one.channel]))
                    continue
                outcome = self._send(one, on_sent)
                self._came.append((one.message, self._as_came(one, outcome)))
                tried += 1
                if outcome.setup or outcome.gateway:
                    held[one.channel] = Came(
                        state="failed", detail=outcome.detail, code=outcome.code, retry=True, untried=True
                    )
        return tried

    def take_up(self, older_than: timedelta) -> int:
        """Takes up what workers that died have left behind; returns how many notices."""
        return self._service.outbox.park_stalled(older_than, [n for n, c in self._channels.items() if c.idempotent])

    def flush(self) -> None:
        """Records what is not recorded yet."""
        came, self._came = self._came, []
        if came:
            self._service.outbox.turn(came, 0)

    def _turn(self) -> list[Claimed]:
        came, self._came = self._came, []
        return self._service.outbox.turn(came, self._batch)

    def _as_came(self, claimed: Claimed, outcome: Outcome) -> Came:
        channel = self._channels.get(claimed.channel)
        lost = outcome.state == "unknown" and channel is not None and channel.idempotent
        return Came(
            state=outcome.state,
            detail=outcome.detail,
            code=outcome.code or None,
            provider_id=outcome.provider_id,
            retry=outcome.retry or lost,
            bad_contact=outcome.bad_contact,
            retry_after_s=outcome.retry_after_s,
            setup=outcome.setup,
            gateway=outcome.gateway,
        )

    def _send(self, claimed: Claimed, on_sent: Told | None) -> Outcome:
        channel = self._channels.get(claimed.channel)
        if channel is None:
            return failed("This channel is not set up.", setup=True)
        message = self.message(claimed)
        outcome = channel.send(message)
        if on_sent is not None:
            on_sent(claimed, message, outcome)
        return outcome

    def message(self, claimed: Claimed) -> Message:
        """Returns the message as it goes out: several notices as a digest."""
        items = [_item(t) for t in claimed.texts]
        written = digest(items, recipient=claimed.name, today=claimed.today, lang=self._lang)
        if claimed.channel == "sms":
            text, page = digest_sms([_item(t, short=True) for t in claimed.texts], lang=self._lang), None
        else:
            text, page = written.body, html(written, lang=self._lang)
        return Message(
            id=claimed.message,
            to=claimed.to,
            to_name=claimed.name,
            subject=written.subject_line,
            text=text,
            html=page,
            created_at=claimed.made_at,
            urgent=claimed.urgent,
        )


def _item(text: Mapping[str, str], *, short: bool = False) -> DigestItem:
    due = text.get("due") or ""
    return DigestItem(
        subject_line=text["subject_line"],
        body=text.get("short", "") if short else text["body"],
        group=text.get("group", ""),
        due=date.fromisoformat(due) if due else None,
        waiting_days=int(text.get("waiting_days", "0") or 0),
        late=text.get("late") == "true",
        urgent=text.get("urgent") == "true",
    )
