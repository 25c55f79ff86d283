"""What the wiring hands to the pages beside the one door: files beside the workflows, and what reaches outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from engine.service import Service
from notifications.channels.port import Outcome
from notifications.forecast import Expected
from reports.letters import Letter
from web.provider import Provider


@dataclass(frozen=True, kw_only=True)
class Channels:
    """The channels of the office. `try_` tries one by name; with an address it sends one message. Raises BadInput."""

    names: Sequence[str]
    try_: Callable[[str, str | None, str], Outcome]


@dataclass(frozen=True, kw_only=True)
class Wired:
    """`folder` holds the workflows' reports and forms, `forms` the office's own Word files.

    `forecast` yields what would go out from one day to another.
    """

    folder: Path | None = None
    forms: Path | None = None
    letter: Letter = field(default_factory=Letter)
    forecast: Callable[[date, date, str], Iterator[Expected]] | None = None
    channels: Channels | None = None
    provider: Provider | None = None  # who vouches for officers
    erase_copies: Callable[[Service], int] | None = None  # takes the erased out of backups; returns out of how many
