"""A range of numbers of which each is given once: which is next, and what may not be given. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from engine.core.batch import Numbers
from engine.core.values import Value


@dataclass(frozen=True, kw_only=True)
class Range:
    """The numbers of one subject: from `first` to `last` (None: no end is known), those given and those spoiled."""

    spec: Numbers
    before: str
    first: int | None
    last: int | None
    given: Mapping[str, str]  # subject -> number
    spoiled: Mapping[str, str]  # number -> why
    own: str = ""  # what stands before the subject's own numbers, where no range is entered

    def text(self, n: int) -> str:
        """Returns a number as it is printed."""
        return f"{self.before}{n:0{self.spec.digits}}"

    def place(self, number: str) -> int | None:
        """Returns where in the range a printed number stands, None when it is not of this range."""
        digits = number.removeprefix(self.before)
        if not number.startswith(self.before) or not digits.isascii() or not digits.isdigit():
            return None
        n = int(digits)
        if self.text(n) != number or self.first is None or n < self.first or (self.last is not None and n > self.last):
            return None
        return n

    def has(self, number: str, *, ended: bool) -> bool:
        """Tells whether a number was used here, or still could be; what has ended gives none any more."""
        used = number in self.spoiled or number in self.given.values()
        return used or (not ended and self.place(number) is not None)

    def next_free(self) -> str | None:
        """Returns the next number that is neither given nor spoiled; None when there is none."""
        used = {*self.given.values(), *self.spoiled}
        if self.own and self.first is None and self.last is None:
            return next(t for n in count(1) if (t := f"{self.own}{n:0{self.spec.digits}}") not in used)
        if self.first is None or self.last is None:
            return None
        return next((t for n in range(self.first, self.last + 1) if (t := self.text(n)) not in used), None)

    def meets(self, other: Range, *, other_ended: bool) -> str | None:
        """Returns a number that both ranges could give; of one that has ended only what it used counts."""
        used = {*other.given.values(), *other.spoiled}
        mine = {*self.given.values(), *self.spoiled}
        shared = next((t for t in sorted(used) if t in mine or self.place(t) is not None), None)
        if shared is not None or other_ended or self.before != other.before:
            return shared
        if self.first is None or self.last is None or other.first is None or other.last is None:
            return next((t for t in sorted(mine) if other.place(t) is not None), None)
        low, high = max(self.first, other.first), min(self.last, other.last)
        return self.text(low) if low <= high else None


def range_of(spec: Numbers, facts: Mapping[str, Value]) -> Range:
    """Returns the range that a subject's facts make."""
    before, first, last = (facts.get(name) if name else None for name in (spec.before, spec.first, spec.last))
    subject = facts.get("subject")
    given, spoiled = facts.get(spec.given), facts.get(spec.spoiled) if spec.spoiled else None
    return Range(
        spec=spec,
        before=before if isinstance(before, str) else "",
        first=first if isinstance(first, int) else None,
        last=last if isinstance(last, int) else None,
        given={k: str(v) for k, v in given.items()} if isinstance(given, dict) else {},
        spoiled={k: str(v) for k, v in spoiled.items()} if isinstance(spoiled, dict) else {},
        own=f"{subject}-" if spec.own and isinstance(subject, str) else "",
    )
