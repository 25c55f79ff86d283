"""What comes back from gateways and mail servers, turned into news of the outbox."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.sending import Came, News
from engine.service import Service
from notifications.channels.bounces import Bounce, BounceBox
from notifications.channels.gammu import GammuChannel
from notifications.channels.port import Outcome
from notifications.channels.receipt import Receipt

WAITING = ("accepted",)  # notices of which more may be heard


class Receiver:
    """Stores receipts and bounces. Each may come twice, early, late, or from somebody who has no business to send it.

    `before` is called first: a worker's `flush`, so that the number of the message is recorded when its receipt is.
    """

    def __init__(self, service: Service, before: Callable[[], None] = lambda: None) -> None:
        self._service, self._before = service, before

    def receipt(self, receipt: Receipt) -> bool:
        """Stores a gateway's receipt; returns whether a notice was found for it."""
        self._before()
        return self._service.outbox.receive(
            News(
                message=receipt.message_id,
                provider_id=None if receipt.message_id else receipt.provider_id,
                came=_came(receipt.outcome),
                final=receipt.final,
            )
        )

    def bounce(self, bounce: Bounce) -> bool:
        """Stores what came back by mail; believed only for the address that the message went to."""
        self._before()
        return self._service.outbox.receive(
            News(
                message=bounce.message_id,
                provider_id=None,
                came=_came(bounce.outcome),
                final=bounce.final,
                recipient=bounce.recipient,
            )
        )

    def bounces(self, box: BounceBox) -> Outcome:
        """Reads a mailbox and stores its new bounces. See BounceBox.read."""

        def handle(bounce: Bounce) -> None:
            self.bounce(bounce)

        return box.read(handle)

    def modem(self, channel: GammuChannel) -> int:
        """Looks where a modem's daemon has put the messages it was given; returns of how many there is news."""
        heard = 0
        numbers = {r.provider_id for r, _ in self._service.outbox.rows(states=WAITING) if r.channel == channel.name}
        for number in sorted(n for n in numbers if n):
            receipt = channel.look(number)
            # That the network took it is all this modem ever says, so a notice that is accepted stays so.
            if receipt is not None and receipt.outcome.state != "accepted":
                heard += self.receipt(receipt)
        return heard


def _came(outcome: Outcome) -> Came:
    return Came(
        state=outcome.state,
        detail=outcome.detail,
        code=outcome.code or None,
        provider_id=outcome.provider_id,
        retry=outcome.retry,
        retry_after_s=outcome.retry_after_s,
        bad_contact=outcome.bad_contact,
    )
