"""Templates: escaped, strict, in the reader's language, from the folder beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.shown import day, left, moment, period, sentence

if TYPE_CHECKING:
    from web.site import Visit

FOLDER = Path(__file__).parent / "templates"
ASSETS = Path(__file__).parent / "static"


def environment() -> Environment:
    """Returns the environment of the templates: everything is escaped, what is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["sentence"] = sentence
    return made


class Templates:
    """Makes pages. A template sees `visit`, `_` (texts), `day`, `moment`, `value`, `unit`, `left` and its context."""

    def __init__(self) -> None:
        self._environment = environment()

    def render(self, name: str, visit: Visit, context: dict[str, Any]) -> str:
        """Returns a page."""
        signed = visit.signed
        zone = visit.calendar.zone

        def of(text: Any) -> str:
            return str(text.of(visit.lang))

        known: dict[str, Any] = {
            "visit": visit,
            "_": visit.say,
            "of": of,
            "day": day,
            "moment": lambda at: moment(at, zone),
            "span": period,
            "left": lambda due: left(visit.calendar, visit.today, due, visit.translate),
            "signed": signed,
            "brand": of(visit.site.pages.brand),
            "footer": of(visit.site.pages.footer) if visit.site.pages.footer is not None else "",
            "sandbox": visit.site.sandbox,
            "address_of": visit.address_of,
            "menu": visit.menu if signed is not None and signed.whole else [],
            "take_said": visit.said,  # only by a whole page: a part of one must not swallow what the next page says
            "here": str(visit.request.url.path),
        }
        if signed is not None:
            known["value"], known["unit"] = visit.values.text, visit.values.unit
        return self._environment.get_template(name).render({**known, **context})
