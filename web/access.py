"""Who may: every route declares it, and what declares nothing is not served.

A need looks at a visit before its page runs. What somebody may not see is not found (404), as if it were not there;
what they may see and not do is refused (403) with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from starlette.routing import BaseRoute

from engine.core.errors import KetnapError, NotFound
from engine.signing_in import CHOOSING, SETTING_UP

if TYPE_CHECKING:
    from web.site import Visit

# What is served outside the pages, each with a proof of its own: who may, in words.
OUTSIDE = {
    "/api": "programs that bear an officer's token",
    "/metrics": "programs on this machine",
    "/healthz": "programs on this machine",
    "/receipts/kannel": "who knows the message's own proof",
    "/calendar/{token}.ics": "who knows the feed's secret",
}


class SignInFirst(KetnapError):
    """Sign in first."""

    exit_code = 3


class Need(Protocol):
    """Who may come to a page."""

    @property
    def signed_in(self) -> bool:
        """Whether somebody must be signed in, with a second factor where one is asked for."""

    def check(self, visit: Visit) -> None:
        """Raises NotFound or Denied where this visitor may not."""


@dataclass(frozen=True)
class Anyone:
    """Whoever asks, signed in or not."""

    signed_in: bool = False

    def check(self, visit: Visit) -> None:
        """Lets everybody in."""


@dataclass(frozen=True)
class Signed:
    """Every officer who is signed in. `also`: those whose session stops at one of these levels, too."""

    also: frozenset[str] = frozenset()
    signed_in: bool = True

    def check(self, visit: Visit) -> None:
        """Lets every officer in."""


@dataclass(frozen=True)
class Listed:
    """The roles for whom pages.yaml lists the page; nobody where it does not."""

    page: str
    signed_in: bool = True

    def check(self, visit: Visit) -> None:
        """Looks the page up in the menu."""
        if not visit.offers(self.page, visit.request.path_params.get("workflow")):
            raise NotFound("There is no such page.")


@dataclass(frozen=True)
class May:
    """Who has a permission of the area where they serve. Over which unit the engine decides at every change."""

    what: str
    signed_in: bool = True

    def check(self, visit: Visit) -> None:
        """Asks the engine."""
        if not visit.may(self.what):
            raise NotFound("There is no such page.")


@dataclass(frozen=True)
class Reads:
    """Who may read the subject that stands in the address."""

    param: str = "subject"
    signed_in: bool = True

    def check(self, visit: Visit) -> None:
        """Asks the engine. Who may do what with the subject the engine decides at every step."""
        visit.service.desk.sees(visit.path(self.param), visit.by())


@dataclass(frozen=True)
class Fills:
    """Who may read the subject in the address, or fill in the sheet of the step there for a unit of their own."""

    signed_in: bool = True

    def check(self, visit: Visit) -> None:
        """Asks the engine."""
        unit = visit.request.path_params.get("unit")
        visit.service.sheets.sees(visit.path("subject"), visit.path("trigger"), visit.by(), unit)


@dataclass(frozen=True)
class Begins:
    """Who may begin a subject of the workflow in the address, at one unit at least."""

    signed_in: bool = True

    def check(self, visit: Visit) -> None:
        """Asks the engine."""
        if not visit.service.starting.places(visit.path("workflow"), visit.by()):
            raise NotFound("There is no such page.")


ANYONE, SIGNED, READS, FILLS, BEGINS = Anyone(), Signed(), Reads(), Fills(), Begins()
SETS_UP, CHOOSES = Signed(frozenset({SETTING_UP})), Signed(frozenset({CHOOSING}))
LEAVES = Signed(SETS_UP.also | CHOOSES.also)
# Where a session is led that does not go all the way yet.
FIRST = {CHOOSING: "/own-password", SETTING_UP: "/second-factor"}


def table(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Need | str]:
    """Returns (method, path) -> who may, for every route. Raises LookupError for one that does not say."""
    found: dict[tuple[str, str], Need | str] = {}
    for route in routes:
        path = str(getattr(route, "path", ""))
        need: Need | str | None = getattr(route, "need", None) or OUTSIDE.get(path)
        if need is None:
            raise LookupError(f"{path} does not say who may come")
        for method in sorted(getattr(route, "methods", None) or {"GET"}):
            found[(method, path)] = need
    return found
