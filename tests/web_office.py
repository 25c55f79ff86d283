"""The test office with its pages on a free port, and a client without a browser that signs in and fills forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from cli.bootstrap import Opened
from cli.settings import Settings
from cli.site import pages_of, wired_of
from engine.audit.note import SigningKey
from engine.clock import SetClock
from engine.doors.tokens import SCOPES
from engine.ledger import Via
from engine.officework import OfficerChange
from engine.service import Service
from engine.steps import By
from engine.store.ports import Store
from tests.watching import WatchingStore
from tests.world import MASTER, OFFICERS, ZONE, found_office, office_time
from web.app import Server, build_app, listen
from web.bounds import BODY_SECONDS
from web.codes import TimedCodes

KEY = SigningKey(name="ketnap/pages", seed=bytes([9] * 32))
PASSWORD = "mật khẩu của đồng chí"
WORKFLOWS = ("admission",)
NOW = office_time(date(2025, 1, 21))
CODED = ("tu_standing", "tu_both", "xa1_both", "xa1_standing", "xa2_standing", "tu_admin")
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@cache
def hashed() -> str:
    """Returns the hash of everybody's password, made with so little work that signing in takes no time."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    return quick.hash(unicodedata.normalize("NFC", PASSWORD))


class PagesOffice:
    """An office whose pages are served. `secrets` are the second factors of those who decide."""

    def __init__(
        self,
        service: Service,
        clock: SetClock,
        port: int,
        people: Iterable[str] = OFFICERS,
        coded: Iterable[str] = CODED,
    ) -> None:
        self.service, self.clock, self.port = service, clock, port
        self.codes = TimedCodes(clock.now)
        self.secrets: dict[str, str] = {}
        self.clients: list[Client] = []
        self.programs: list[Program] = []
        service.set_up().officers(OfficerChange(id=id, password=hashed()) for id in people)
        for officer in coded:
            self.secrets[officer] = self.codes.secret()
            service.accounts.give_factor(officer, self.secrets[officer], By(officer="tu_admin"))

    @property
    def base(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    def go_on(self, until: datetime) -> None:
        """Lets the clock go on to a time, with all that falls due on the way."""
        while (due := self.service.next_due()) is not None and due <= until:
            self.clock.set(max(due, self.clock.now()))
            if not self.service.tick():
                break
        self.clock.set(until)

    def lose(self, recipient: str) -> str:
        """Sends what is due; of one officer's message nobody knows the end. Returns the id of a notice in it."""
        lost = ""
        while claimed := self.service.outbox.claim():
            for message in claimed:
                unknown = message.recipient == recipient
                self.service.outbox.record(message.message, "unknown" if unknown else "accepted")
                lost = message.rows[0].id if unknown else lost
        assert lost
        return lost

    def code(self, officer: str) -> str:
        """Returns an officer's one-time code of now, '' for one who has none."""
        return self.codes.code(self.secrets[officer]) if officer in self.secrets else ""

    def client(self, officer: str | None = None) -> Client:
        """Returns a client, signed in if an officer is named."""
        client = Client(self)
        self.clients.append(client)
        if officer is not None:
            answer = client.sign_in(officer)
            assert answer.status_code == 303, answer.text
        return client


class Client:
    """Asks for pages and posts forms as a browser without scripts does."""

    def __init__(self, office: PagesOffice) -> None:
        self.office = office
        self.http = httpx.Client(base_url=office.base, timeout=20, trust_env=False, headers={"Accept": "text/html"})

    def get(self, path: str) -> httpx.Response:
        """Asks for a page."""
        return self.http.get(path)

    def hidden(self, path: str) -> dict[str, str]:
        """Returns what the last form of a page bears hidden."""
        page = self.get(path).text
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
        return {unescape(n): unescape(v) for n, v in found if n in ("csrf", "command", "version")}

    def post(self, path: str, data: dict[str, str], page: str | None = None) -> httpx.Response:
        """Opens the page of a form (`page`, or where it is posted to) and posts it filled."""
        return self.send(path, {**self.hidden(page or path), **data})

    def send(self, path: str, data: dict[str, str]) -> httpx.Response:
        """Posts just this."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(path, content=urlencode(data), headers=kind)

    def sign_in(self, officer: str, password: str = PASSWORD, code: str | None = None) -> httpx.Response:
        """Signs in."""
        given = self.office.code(officer) if code is None else code
        return self.post("/sign-in", {"login": officer, "password": password, "code": given})


class Program:
    """A program with an officer's token."""

    def __init__(self, office: PagesOffice, officer: str, *scopes: str) -> None:
        self.secret, self.row = office.service.tokens.make(officer, "máy", scopes or SCOPES, 30, By(officer=officer))
        self.http = httpx.Client(base_url=f"{office.base}/api", timeout=30, trust_env=False)
        office.programs.append(self)
        self.http.headers["Authorization"] = f"Bearer {self.secret}"

    def __call__(self, method: str, path: str, status: int, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        assert answer.status_code == status, answer.text
        kind = answer.headers["content-type"]
        assert kind.startswith("application/problem+json" if status >= 400 else "application/json"), kind
        assert answer.headers["cache-control"] == "no-store"
        return answer.json()


@contextmanager
def serving(
    store: Store | None = None,
    workflows: Iterable[str] = WORKFLOWS,
    now: datetime = NOW,
    provider: str | None = None,
    found: Callable[[Store, SetClock], tuple[Service, Iterable[str]]] | None = None,
    body_seconds: float = BODY_SECONDS,
    channels: dict[str, Any] | None = None,
) -> Iterator[PagesOffice]:
    """Serves the pages of the test office over a store; in memory unless another is given.

    `provider` is the issuer of an identity provider; `found` founds another office, and says who its officers are.
    `channels` are the tables of its channels.
    """
    clock, store = SetClock(now), store or WatchingStore()
    if found is not None:
        service, people = found(store, clock)
        coded: Iterable[str] = ()
    else:
        service, people, coded = found_office(store, clock, workflows), OFFICERS, CODED
    service.kit.signer = lambda: KEY
    listening = listen("127.0.0.1", 0)
    office = PagesOffice(service, clock, listening.getsockname()[1], people, coded)
    web = service.speaking_for(Via(channel="web"))  # who looks at what is noted, as in an office
    opened = Opened(
        store=store, service=service, sandbox=True, zone=ZONE, master=MASTER, set_clock=False, base_url=office.base
    )
    secret = "bí mật" if provider else None
    settings = Settings(oidc_issuer=provider, oidc_secret=secret, base_url=office.base, channels=channels or {})
    wired = wired_of(settings, opened)
    server = Server(
        build_app(web, pages=pages_of(Settings(), service), wired=wired), listening, body_seconds=body_seconds
    )
    server.start()
    try:
        yield office
    finally:
        for http in [c.http for c in office.clients] + [p.http for p in office.programs]:
            http.close()
        server.stop()
    assert not server.failed
    if isinstance(store, WatchingStore):
        assert not store.unrecorded, f"changed without an event: {set(store.unrecorded)}"
