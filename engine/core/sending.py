"""What the engine and the delivery of notices say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from engine.core.authority import Office
from engine.core.machine import Area, Definition, Told
from engine.core.values import Value

State = Literal["queued", "claimed", "accepted", "delivered", "refused", "failed", "unknown", "cancelled"]
OPEN: frozenset[str] = frozenset({"queued", "claimed"})
SENT: frozenset[str] = frozenset({"accepted", "delivered"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A notice to one officer on one channel, with its text."""

    recipient: str
    behalf: str | None
    channel: str | None  # None: the officer cannot be reached, for the reason in `why`
    subject_line: str
    body: str
    short: str  # the text for a phone
    group: str  # the rule's label
    why: str = ""  # a sentence of `unreached`


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A subject that a notice about another one names, such as somebody on a list."""

    subject: str
    unit: str
    title: str


# (map fact, value asked for) -> those whom the recipients of a notice name
People = Mapping[tuple[str, str | None], Sequence[Person]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """What a notice is about, for writing it."""

    definition: Definition
    templates: Mapping[str, str]  # name.language -> text
    told: Told
    subject: str
    unit: str
    state: str
    entered_on: date
    facts: Mapping[str, Value]
    due: date | None
    working_days_left: int | None
    planned_on: date
    today: date
    reason: str | None = None
    people: People = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreached:
    """That notices do not reach an officer, for telling others. `why` is an English sentence, one of those below."""

    officer: str
    why: str
    today: date


# Why a notice did not go out or did not arrive: gettext keys, like those of the channels.
NO_CONTACT = "The officer has no contact."
BAD_CONTACT = "The officer's address or number was refused."
HAS_LEFT = "The officer has left, and nobody holds the office now."
NOT_DELIVERED = "The message could not be delivered."
NOT_WRITTEN = "The notice could not be written."
WORKER_DIED = "The program ended before it recorded the answer."


class Drafter(Protocol):
    """Writes notices. `notifications` answers; the wiring hands it over."""

    def drafts(self, matter: Matter, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for every recipient and channel of today, and one for each officer who cannot be reached."""

    def report(self, unreached: Unreached, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for each of those who are told that notices do not reach an officer."""

    def correction(self, text: Mapping[str, str], sent: date, reason: str) -> Draft:
        """Returns the words that take back a notice (`text`) that was sent on a day, for nobody yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Came:
    """What came of one attempt to send a message, as the channel says it (`notifications.channels.port.Outcome`)."""

    state: State
    detail: str | None = None
    code: str | None = None
    provider_id: str | None = None
    retry: bool = False
    bad_contact: bool = False
    retry_after_s: int | None = None
    setup: bool = False
    gateway: bool = False
    untried: bool = False  # nothing was attempted: it does not count as an attempt


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What is heard of a message after it was accepted: a receipt, or a mail that came back.

    One of the two ids is given. `recipient` is the address that a mail speaks of: it must be the message's own.
    """

    message: str | None
    provider_id: str | None
    came: Came
    final: bool
    recipient: str | None = None
