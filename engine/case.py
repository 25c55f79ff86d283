"""A subject within a unit of work."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.machine import Definition
from engine.core.subject import Subject
from engine.store.rows import SubjectRow


@dataclass(kw_only=True)
class Case:
    """A subject within a unit of work: as it is now, with its row as it was read (None when it is new)."""

    subject: Subject
    definition: Definition
    key_id: str
    row: SubjectRow | None
    last_event: str = ""
    unique_key: str | None = None
    altered: bool = False  # what others are compared with, to find who is entered twice, is not as it was read
