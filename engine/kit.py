"""What the wiring hands over to every unit of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, tzinfo

from engine.audit.note import SigningKey
from engine.audit.seal import MasterKey, Random, Sealer
from engine.clock import Clock
from engine.core import timers
from engine.core.authority import Office
from engine.core.calendar import Calendar
from engine.library import Compiled, Library
from engine.store.ports import Store


@dataclass(kw_only=True)
class Kit:
    """What the wiring hands over, and what is kept between transactions because it can be told to be unchanged."""

    store: Store
    clock: Clock
    master: MasterKey
    random: Random
    sealer: Sealer
    notifier: timers.Notifier
    signer: Callable[[], SigningKey] | None = None  # gives the key that signs checkpoints, where there is one
    zone: tzinfo | None = None  # another than the area's, for a scenario
    compiled: Compiled = field(default_factory=Compiled)
    unwrapped: dict[bytes, bytes] = field(default_factory=dict)
    known: tuple[str | None, Library, Calendar] | None = None
    office: tuple[str | None, date, Office] | None = None
