"""The door for supposing: what other workflow files would decide otherwise. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from engine.doors import OpenWork
from engine.kit import Kit
from engine.library import Source, compile_all
from engine.steps import By
from engine.supposing import Supposed, suppose


class Supposing:
    """Other files, supposed."""

    def __init__(self, open_work: OpenWork, kit: Kit) -> None:
        self._work, self._kit = open_work, kit

    def differences(self, sources: Sequence[Source], by: By | None = None, on: date | None = None) -> Supposed:
        """Returns the steps taken, and those of subjects on the way, that these files decide otherwise.

        `by`: only of the subjects that this officer reads, None: of all. `on`: the day for which those on the way are
        asked. Raises FindingsError when a file is not valid, BadInput when none of the workflows is loaded here.
        """
        definitions = compile_all(sources, self._kit.compiled)
        with self._work() as work:
            return suppose(work, sources, definitions, by, on)
