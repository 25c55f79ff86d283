"""What a form asks that is no fact of a subject: its fields filled as they were typed, read, each wrong one marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from web.forms import Field, read_day
from web.site import Visit

LONGEST = 400  # letters of one field


class Asked:
    """Fields with what was typed into them. `read` says whether all of it is right."""

    def __init__(self, visit: Visit, fields: Iterable[Field]) -> None:
        form = visit.form
        self._say = visit.say
        self.fields = [replace(f, value=form.get(f.name)) if form.has(f.name) else f for f in fields]
        self._days: dict[str, date | None] = {}

    def read(self) -> bool:
        """Reads the fields; those that are wrong say so."""
        self.fields = [replace(f, error=self._fault(f)) for f in self.fields]
        return not any(f.error for f in self.fields)

    def _fault(self, f: Field) -> str:
        text = f.value.strip()
        if f.kind == "day":
            self._days[f.name], error = read_day(text, self._say)
            if error:
                return error
        if not text:
            return self._say("This is needed.") if f.required else ""
        if f.options and text not in {key for key, _ in f.options}:
            return self._say("Choose one of the list.")
        if len(text) > LONGEST:
            return self._say("This is longer than {n} letters.", n=LONGEST)
        return ""

    def blame(self, name: str, error: str) -> None:
        """Marks a field as wrong."""
        self.fields = [replace(f, error=error) if f.name == name else f for f in self.fields]

    def text(self, name: str) -> str | None:
        """Returns what was typed into a field, None where nothing was."""
        return next((f.value.strip() or None for f in self.fields if f.name == name), None)

    def day(self, name: str) -> date | None:
        """Returns the day that was typed."""
        return self._days.get(name)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What was typed, to be sent again."""
        return [(f.name, f.value) for f in self.fields]


def page_asked(visit: Visit) -> int:
    """Returns which page of what has several is asked for; the first one, where the address names none."""
    text = visit.request.query_params.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text[:5]) == int(text) else 1
