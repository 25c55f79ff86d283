"""A channel that keeps what it is given in a list: for the forecast, the sandbox and tests. It can be told to fail."""

from __future__ import annotations

from collections import deque
from typing import Literal

from notifications.channels.port import Kind, Message, Outcome, accepted, failed, refused, unknown

Fault = Literal["temporary", "permanent", "bad_contact", "lost_before", "lost_after", "setup"]


class RecordChannel:
    """Keeps messages in `sent`, in order. With `idempotent`, a message of the same id is kept once."""

    def __init__(self, *, name: str = "record", kind: Kind = "email", idempotent: bool = False) -> None:
        self.name = name
        self.kind: Kind = kind
        self.idempotent = idempotent
        self.sent: list[Message] = []
        self.attempts = 0
        self._script: deque[Fault | None] = deque()

    def script(self, *faults: Fault | None) -> None:
        """Says what happens to the next messages, one each; None lets one pass. After that all pass.

        `lost_before` and `lost_after` are time-outs whose outcome is `unknown`: in the first the message never
        arrived, in the second it did.
        """
        self._script.extend(faults)

    def send(self, message: Message) -> Outcome:
        """Keeps the message, unless the script says otherwise. See port.Channel."""
        self.attempts += 1
        match self._script.popleft() if self._script else None:
            case "temporary":
                return failed("The channel put the message off.", code="temporary")
            case "permanent":
                return refused("The channel refused the message.", code="permanent")
            case "bad_contact":
                return refused("The channel refused this recipient.", code="permanent", bad_contact=True)
            case "setup":
                return failed("The channel refused the sign-in.", code="setup", setup=True)
            case "lost_before":
                return unknown("The channel's answer was lost after the message was handed over.")
            case "lost_after":
                self._keep(message)
                return unknown("The channel's answer was lost after the message was handed over.")
            case None:
                self._keep(message)
                return accepted("The message was recorded.", provider_id=f"record-{message.id}")

    def check(self) -> Outcome:
        """Is always ready."""
        return accepted("The messages are only recorded, not sent.")

    def close(self) -> None:
        """Holds nothing."""

    def _keep(self, message: Message) -> None:
        if not (self.idempotent and any(one.id == message.id for one in self.sent)):
            self.sent.append(message)
