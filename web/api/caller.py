"""Who calls: the token, its officer and scopes, the language, and the ways to the service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from engine import scope as scopes
from engine.answers import Teller
from engine.core.errors import BadInput, Denied, NotFound
from engine.core.machine import Definition
from engine.doors.tokens import Bearer, NoToken
from engine.ledger import Via
from engine.service import Service
from engine.steps import By
from web.answers import Door
from web.api.limits import ACCOUNT, ADDRESS, FAILED, Buckets
from web.api.problems import NoScope, NoVersion, language
from web.session import address_of
from web.wired import Wired
from web.words import translator

KEY_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What the interface is made with."""

    door: Door
    wired: Wired
    lang: str = "vi"
    proxied: bool = False
    buckets: Buckets = field(default_factory=Buckets)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One request: whose token, in which language, with which headers."""

    setup: Setup
    bearer: Bearer
    lang: str
    behalf: str | None
    key: str | None

    @property
    def service(self) -> Service:
        """The door, for what comes in by this token."""
        via = Via(channel="api", account=f"token:{self.bearer.row.id[:12]}")
        return self.setup.door.service.speaking_for(via)

    @property
    def officer(self) -> str:
        """The officer's id."""
        return self.bearer.officer.id

    @property
    def by(self) -> By:
        """Who acts, with the id under which this request is done only once."""
        return By(officer=self.officer, command=self.command, behalf=self.behalf)

    @property
    def command(self) -> str | None:
        """The command's id of this officer's key; nobody else's key leads to it."""
        if self.key is None:
            return None
        return hashlib.sha256(f"api:{self.officer}:{self.key}".encode()).hexdigest()[:32]

    @property
    def teller(self) -> Teller:
        """Writes documents for this reader."""
        zone = self.service.desk.calendar()[2].zone
        return Teller(lang="en" if self.lang == "en" else "vi", translate=translator(self.lang), zone=zone)

    @property
    def folder(self) -> Path:
        """Where the reports of the office stand. Raises NotFound where there are none."""
        if self.setup.wired.folder is None:
            raise NotFound()
        return self.setup.wired.folder

    # -- what may be seen

    def units(self) -> frozenset[str]:
        """Returns the units whose subjects the officer reads."""
        with self.service.work() as work:
            return scopes.units(work.office, work.library.area, self.by)

    def over(self, org: str) -> str:
        """Returns a unit that the officer reads. Raises NotFound for another, as for one that is not there."""
        if org not in self.units():
            raise NotFound("there is no organisation {org}", org=org)
        return org

    def over_all(self) -> None:
        """Sees that the officer reads every subject there is. Raises Denied."""
        with self.service.work() as work:
            everything = frozenset(work.office.tree.by_id)
            if not everything <= scopes.units(work.office, work.library.area, self.by):
                message = "{officer} does not read everything, and so may not do this ({why})"
                raise Denied(message, why="scope", officer=self.officer)

    def sees(self, subject: str) -> bool:
        """Tells whether the officer reads a subject."""
        try:
            self.service.desk.sees(subject, self.by)
        except NotFound:
            return False
        return True

    def definition(self, workflow: str) -> Definition:
        """Returns a workflow as it is now. Raises NotFound."""
        with self.service.work() as work:
            return work.library.newest(workflow)

    def in_zone(self, at: datetime) -> datetime:
        """Returns a time as it was meant: without an offset it is office time."""
        return at if at.tzinfo is not None else at.replace(tzinfo=self.service.desk.calendar()[2].zone)


Bearing = Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False, scheme_name="token"))]
ActsFor = Annotated[
    str | None, Header(max_length=200, description="The absent officer in whose place this is done, today.")
]
Key = Annotated[
    str | None,
    Header(
        max_length=KEY_LENGTH,
        description="A key of your own: the same request sent again with it is done once, and answered as it was then.",
    ),
]


def caller(scope: str) -> Callable[..., Caller]:
    """Returns what finds out who calls, and sees that the token was made for a scope."""

    def find(request: Request, token: Bearing, acts_for: ActsFor = None, idempotency_key: Key = None) -> Caller:
        setup: Setup = request.app.state.setup
        address = address_of(request, proxied=setup.proxied)
        setup.buckets.take(f"address:{address}", ADDRESS)
        setup.buckets.take(f"failed:{address}", FAILED, cost=0)
        try:
            if token is None:
                raise NoToken()
            bearer = setup.door.service.tokens.bearer(token.credentials)
        except NoToken:
            setup.buckets.take(f"failed:{address}", FAILED)
            raise
        setup.buckets.take(f"account:{bearer.officer.id}", ACCOUNT)
        if scope not in bearer.scopes:
            raise NoScope(scope)
        if acts_for is not None and acts_for not in bearer.absent:
            raise Denied(
                "{officer} does not stand in for {absent} today ({why})",
                why="role",
                officer=bearer.officer.id,
                absent=acts_for,
            )
        lang = language(request, setup.lang)
        return Caller(setup=setup, bearer=bearer, lang=lang, behalf=acts_for, key=idempotency_key)

    find.__name__ = f"caller_{scope}"
    return find


Reads = Annotated[Caller, Depends(caller("read"))]
Steps = Annotated[Caller, Depends(caller("steps"))]
Imports = Annotated[Caller, Depends(caller("import"))]
Office = Annotated[Caller, Depends(caller("office"))]
Audits = Annotated[Caller, Depends(caller("audit"))]

IfMatch = Annotated[str | None, Header(max_length=80, description='The ETag of the version you saw, or "*".')]


def version_of(if_match: str | None) -> int | None:
    """Returns the version that the caller saw, None for any. Raises NoVersion and BadInput."""
    if if_match is None:
        raise NoVersion()
    text = if_match.strip()
    if text == "*":
        return None
    inside = text[1:-1]
    quoted = len(text) > 2 and text[0] == text[-1] == '"'
    if not quoted or not inside.isascii() or not inside.isdigit() or len(inside) > 9:
        raise BadInput('{field}: {value} is no ETag of ours, such as "3"', field="If-Match", value=text)
    return int(inside)


def etag(version: int) -> dict[str, str]:
    """Returns the header that names a version."""
    return {"ETag": f'"{version}"'}


def once_only(caller: Caller) -> None:
    """Sees that no key was sent where none is kept. Raises BadInput."""
    if caller.key is not None:
        raise BadInput("{field}: is taken for steps of one subject only", field="Idempotency-Key")


def cover(document: Any, hidden: frozenset[str]) -> Any:
    """Returns a document in which the values of sensitive facts are left out (null)."""
    if not hidden:
        return document
    if isinstance(document, Mapping):
        covered = {k: _facts(v, hidden) if k == "facts" else cover(v, hidden) for k, v in document.items()}
        if str(document.get("fact")).partition(".")[0] in hidden:
            covered |= {k: None for k in ("was", "now") if k in covered}
        return covered
    if isinstance(document, (list, tuple)):
        return [cover(item, hidden) for item in document]
    return document


def _facts(facts: Any, hidden: frozenset[str]) -> Any:
    if not isinstance(facts, Mapping):
        return facts
    return {n: None if n.partition(".")[0] in hidden else v for n, v in facts.items()}
