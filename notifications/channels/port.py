"""What every delivery channel promises: one rendered message in, one outcome out, never an exception.

The worker above commits its claim before it calls `send`, and believes the outcome. So a channel says exactly how far
the message came; where it cannot know, it says `unknown` and never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

State = Literal["accepted", "delivered", "refused", "failed", "unknown"]
Kind = Literal["email", "sms", "webhook"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message to one person on one channel, already rendered. Raises ValueError for a fault of the program.

    `id` is the same on every attempt: the Message-ID and the idempotency key are derived from it. It is written with
    letters, digits, `.`, `_` and `-`, at most 128, so that it fits in a header, a file name and an address unchanged.
    """

    id: str
    to: str  # an address, a number as in E.164 (+84...), a URL, or the name of a mailbox
    to_name: str
    subject: str
    text: str
    html: str | None
    created_at: datetime  # aware; the Date of an email
    urgent: bool = False
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # further headers of an email; other channels ignore them

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise ValueError("the id of a message is written with letters, digits, '.', '_' and '-', at most 128")
        if self.created_at.tzinfo is None:
            raise ValueError("created_at has no zone")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How far a message came.

    - `accepted`: the next server has taken the message over and answered so. It is not yet in the hands of the person.
    - `delivered`: a receipt says that it reached the device or the mailbox.
    - `refused`: the next server said no for good. The same message would be refused again.
    - `failed`: the message was not taken over, for certain: sending it again makes no double. `retry` says whether
      that makes sense without a person's help.
    - `unknown`: the message was handed over whole, or may have been, and no answer came. Sending it again may make a
      double, except on a channel that is `idempotent`.

    `detail` is one sentence out of a fixed list, in English (a gettext key, see docs/guide/channels.md), with no
    personal data; `code` is what the other side answered, e.g. `550 5.1.1`.
    """

    state: State
    detail: str
    code: str = ""
    provider_id: str | None = None  # the other side's own number for the message, which its receipts name
    retry: bool = False
    bad_contact: bool = False  # the address or number itself is wrong: tell somebody, do not use it again
    retry_after_s: int | None = None  # the other side asked for this pause
    setup: bool = False  # the channel is set up wrongly: nothing passes until somebody mends it; hold all its messages
    gateway: bool = False  # the other side takes nothing from anybody just now: hold all the channel's messages


def accepted(detail: str, *, code: str = "", provider_id: str | None = None) -> Outcome:
    """The next server has the message."""
    return Outcome(state="accepted", detail=detail, code=code, provider_id=provider_id)


def delivered(detail: str, *, code: str = "", provider_id: str | None = None) -> Outcome:
    """A receipt says that the message arrived."""
    return Outcome(state="delivered", detail=detail, code=code, provider_id=provider_id)


def refused(detail: str, *, code: str = "", bad_contact: bool = False, provider_id: str | None = None) -> Outcome:
    """The next server said no for good."""
    return Outcome(state="refused", detail=detail, code=code, bad_contact=bad_contact, provider_id=provider_id)


def failed(
    detail: str,
    *,
    code: str = "",
    retry: bool = True,
    retry_after_s: int | None = None,
    setup: bool = False,
    gateway: bool = False,
    provider_id: str | None = None,
) -> Outcome:
    """The message was certainly not taken over."""
    return Outcome(
        state="failed",
        detail=detail,
        code=code,
        retry=retry,
        retry_after_s=retry_after_s,
        setup=setup,
        gateway=gateway,
        provider_id=provider_id,
    )


def unknown(detail: str, *, code: str = "") -> Outcome:
    """The message may have been taken over; the answer was lost."""
    return Outcome(state="unknown", detail=detail, code=code)


@runtime_checkable
class Channel(Protocol):
    """One way to reach people. A channel belongs to one thread; two workers have two.

    `send` returns an Outcome and never raises, whatever the other side does; it waits no longer than the settings'
    time-outs. It logs nothing that names a person. A channel that is `idempotent` may be given the same message twice:
    the person gets it once. Any other channel sends what it is given, each time.
    """

    @property
    def name(self) -> str:
        """The name that settings and outbox know it by."""
        ...

    @property
    def kind(self) -> Kind:
        """What `Message.to` is, and how its text is cut."""
        ...

    @property
    def idempotent(self) -> bool:
        """True if the same `Message.id` sent twice arrives once."""
        ...

    def send(self, message: Message) -> Outcome:
        """Hands over one message; says how far it came."""
        ...

    def check(self) -> Outcome:
        """Tries everything short of sending (connection, certificate, sign-in): `accepted` if a message would go."""
        ...

    def close(self) -> None:
        """Lets go of connections. Safe to call twice; the next `send` opens them again."""
        ...
