"""What ought to be known of one person, by hand: told anew from all that happened and was not undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tests.unit import oracle

VOTES = ("formal_members", "formal_excused", "formal_present", "votes_for")
DOSSIER_CYCLE = (
    "application_on", "papers", "branch_reviewed_on", *VOTES, "decision_no", "decision_on", "decision_received_on",
    "extension_reason", "province_consent_no", "province_consent_on",
)  # fmt: skip
CERTIFICATE_CYCLE = ("certificate_no", "certificate_issuer", "certificate_on")


LAPSE_FROM = ("trained", "dossier")
LAPSE_CLEARS = (*CERTIFICATE_CYCLE, *DOSSIER_CYCLE)


@dataclass(frozen=True, kw_only=True)
class Happened:
    """Something that was done: what it wrote (None makes unknown), and for a step what it was."""

    changes: Mapping[str, Any]
    trigger: str | None = None
    source: str | None = None  # of the clock's step
    to: str | None = None
    org: str | None = None
    persons: tuple[str, ...] = ()
    actor: str | None = None
    on: date | None = None
    at: datetime | None = None


@dataclass
class Person:
    """What ought to be known of one person, worked out anew from all that happened and was not undone."""

    org: str
    started: Mapping[str, Any]
    started_on: date
    happened: list[Happened] = field(default_factory=list)
    version: int = 1
    state: str = "source"
    unit: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    last_on: date = date.min
    did: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tell_anew()

    def tell_anew(self) -> None:
        """Works everything out from the beginning."""
        self.state, self.unit, self.facts, self.did = "source", self.org, {}, {}
        self.last_on = self.started_on
        write(self.facts, self.started)
        for one in self.happened:
            write(self.facts, one.changes)
            self.unit = one.org or self.unit
            if one.trigger is not None:
                self.state = one.to or self.state
                self.did.setdefault(one.trigger, set()).update(one.persons)
                if one.persons:
                    assert one.on is not None
                    self.last_on = max(self.last_on, one.on)

    def add(self, one: Happened) -> None:
        """Something more happened."""
        self.happened.append(one)
        self.version += 1
        self.tell_anew()

    def last_step(self) -> Happened | None:
        """The last step that is not undone."""
        return next((h for h in reversed(self.happened) if h.trigger is not None), None)

    def undo(self) -> None:
        """Takes the last step back; what was written besides stays."""
        step = self.last_step()
        assert step is not None
        self.happened = [h for h in self.happened if h is not step]
        self.version += 1
        self.tell_anew()

    def lapse(self, today: date) -> bool:
        """What the clock does at 00:00 of a day."""
        if self.state not in LAPSE_FROM or not oracle.ran_out(self.facts, today):
            return False
        changes = cleared(self.facts, LAPSE_CLEARS)
        ran_out = oracle.months_on(self.facts["certificate_on"], 60) + timedelta(days=1)
        self.add(Happened(changes=changes, trigger="lapse", source=self.state, to="elite", on=ran_out))
        return True


def write(facts: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Writes changes: None makes unknown; a map is written key by key."""
    for name, value in changes.items():
        if isinstance(value, Mapping):
            whole = {**facts.get(name, {}), **value}
            value = {k: v for k, v in whole.items() if v is not None} or None
        if value is None:
            facts.pop(name, None)
        else:
            facts[name] = value


def cleared(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Returns the changes that make these unknown."""
    changes: dict[str, Any] = {}
    for name in names:
        fact, _, key = name.partition(".")
        if key:
            changes[fact] = {key: None}
        elif isinstance(facts.get(fact), Mapping):
            changes[fact] = dict.fromkeys(facts[fact], None)
        else:
            changes[fact] = None
    return changes
