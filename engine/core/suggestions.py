"""What was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(word: str, words: Iterable[str]) -> str | None:
    """Returns the word nearest to a word, or None when none is near."""
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return near[0] if near else None
