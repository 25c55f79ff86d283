"""The web server: figures, receipts and feeds, and nothing else."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from engine.service import Service
from engine.steps import By
from notifications.channels.receipt import kannel_token
from tests.notice_world import NoticeWorld, at
from web.app import Server, build_app, listen

SECRET = "a secret of sixteen letters or more"
OPENED = at("2024-01-02")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    text: str


class Site:
    """An office whose web server runs."""

    def __init__(self, world: NoticeWorld, port: int) -> None:
        self.world, self.port = world, port

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Asks for a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            text = response.read().decode()
            return Answer(status=response.status, headers={k.lower(): v for k, v in response.getheaders()}, text=text)
        finally:
            connection.close()

    def receipt(self, kind: str, token: str | None = None, message: str | None = None) -> dict[str, str]:
        """Returns the arguments with which Kannel would call back about the message to one officer."""
        id_ = message or self.message()
        proof = kannel_token(id_, SECRET) if token is None else token
        return {"id": id_, "token": proof, "kind": kind, "centre": "77", "answer": ""}

    def message(self) -> str:
        """Returns the message that the secretary was sent."""
        found = self.world.row("plan_opened", "xa1_secretary").message
        assert found is not None
        return found

    def state(self) -> str:
        """Returns how that message stands."""
        return self.world.row("plan_opened", "xa1_secretary").state


@pytest.fixture
def site() -> Iterator[Site]:
    """An office that has told of its plans, with its web server on a free port."""
    world = NoticeWorld()
    world.go(OPENED + timedelta(minutes=30))
    listening = listen("127.0.0.1", 0)
    app = build_app(world.service, lang="vi", link_base="https://ketnap.test", receipt_secret=SECRET)
    server = Server(app, listening)
    server.start()
    try:
        yield Site(world, listening.getsockname()[1])
    finally:
        server.stop()
    assert not server.failed


def trail(site: Site) -> int:
    """Returns how many entries the trail has."""
    with site.world.service.work() as work:
        return sum(1 for _ in work.tx.events())


def test_what_is_accepted_sends_at_once() -> None:
    """Else an answer's body waits 40 ms for the acknowledgement of its head, on every page but a connection's first."""
    with (
        closing(listen("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), timeout=10),
        closing(listening.accept()[0]) as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_receipt_that_comes_too_slowly_is_let_go(site: Site) -> None:
    app = build_app(site.world.service, receipt_secret=SECRET)
    listening = listen("127.0.0.1", 0)
    address = listening.getsockname()
    server = Server(app, listening, body_seconds=0.2)
    server.start()
    try:
        with socket.create_connection(address, timeout=60) as wire:
            wire.sendall(b"POST /receipts/kannel HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nid=")
            assert wire.recv(4_096).split(b" ")[1] == b"408"
    finally:
        server.stop()


def test_figures_count_the_notices_by_state_in_the_format_of_prometheus(site: Site) -> None:
    found = site.ask("/metrics")
    assert (found.status, found.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    accepted = len(site.world.rows(state="accepted"))
    assert accepted > 0
    assert f'ketnap_notices{{state="accepted"}} {accepted}\n' in found.text
    assert site.ask("/healthz").text == "ok\n"


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_figures_are_not_passed_on_by_a_proxy(site: Site, path: str, header: str) -> None:
    assert site.ask(path, headers={header: "203.0.113.9"}).status == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_receipt_makes_an_accepted_message_delivered_and_twice_changes_nothing(site: Site, method: str) -> None:
    assert site.state() == "accepted"
    words = urlencode(site.receipt("1"))
    call = (f"/receipts/kannel?{words}", "GET") if method == "GET" else ("/receipts/kannel", "POST", words.encode())
    assert site.ask(*call).status == 200
    assert site.state() == "delivered"
    before = trail(site)
    assert site.ask(*call).status == 200
    assert (site.state(), trail(site)) == ("delivered", before)


def test_what_bears_no_proof_is_no_receipt(site: Site) -> None:
    before = trail(site)
    for arguments in (site.receipt("1", token=""), site.receipt("1", token="0" * 32), site.receipt("9"), {}):
        assert site.ask(f"/receipts/kannel?{urlencode(arguments)}").status == 403
    other = site.receipt("1", token=kannel_token("another", SECRET))
    assert site.ask(f"/receipts/kannel?{urlencode(other)}").status == 403
    unknown = site.receipt("1", message="nothing-of-this-name")
    assert site.ask(f"/receipts/kannel?{urlencode(unknown)}").status == 200
    assert (site.state(), trail(site)) == ("accepted", before)


def test_a_body_that_is_no_receipt_is_refused_before_it_is_read_to_its_end(site: Site) -> None:
    assert site.ask("/receipts/kannel", "POST", b"x" * 10_000).status == 413
    assert site.ask("/receipts/kannel", "POST", "đ=1".encode()).status == 403
    assert site.ask("/receipts/kannel", "POST", b"a=1&" * 100).status == 403


def test_a_feed_opens_by_its_secret_only_until_it_is_closed(site: Site) -> None:
    officer = "xa1_secretary"
    secret = site.world.service.feeds.open(officer, By(officer=officer))
    found = site.ask(f"/calendar/{secret}.ics")
    assert (found.status, found.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert found.text.startswith("BEGIN:VCALENDAR\r\n")
    assert "BEGIN:VEVENT\r\n" in found.text
    assert "https://ketnap.test/subjects/" in found.text.replace("\r\n ", "")
    for path in (
        f"/calendar/{secret[::-1]}.ics",
        f"/calendar/{secret.upper()}.ics",
        f"/calendar/{secret}",
        "/calendar/.ics",
        "/calendar/x/y.ics",
    ):
        assert site.ask(path).status == 404
    newer = site.world.service.feeds.open(officer, By(officer=officer))
    assert site.ask(f"/calendar/{secret}.ics").status == 404
    assert site.ask(f"/calendar/{newer}.ics").status == 200
    site.world.service.feeds.close(officer, By(officer=officer))
    assert site.ask(f"/calendar/{newer}.ics").status == 404


def test_opening_a_feed_or_the_figures_changes_nothing(site: Site) -> None:
    secret = site.world.service.feeds.open("xa1_secretary", By(officer="xa1_secretary"))
    before = trail(site), json.dumps([str(r) for r in site.world.rows()])
    for path in (f"/calendar/{secret}.ics", "/metrics", "/healthz"):
        assert site.ask(path).status == 200
        assert site.ask(path, "HEAD").status == 200
    assert (trail(site), json.dumps([str(r) for r in site.world.rows()])) == before


@pytest.mark.parametrize(
    "path",
    ["/", "/metrics", "/metrics/", "/healthz", "/receipts/kannel", "/calendar/x.ics", "/docs", "/api/openapi.json"],
)
def test_no_answer_sets_a_cookie_or_may_be_kept(site: Site, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        found = site.ask(path, method)
        assert found.status in (200, 403, 404, 405)
        assert "set-cookie" not in found.headers
        assert "server" not in found.headers
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"


def test_without_a_secret_no_receipt_is_taken() -> None:
    paths = {getattr(route, "path", "") for route in build_app(NoticeWorld().service).routes}
    assert paths == {"/metrics", "/healthz", "/calendar/{token}.ics", "/api"}


def test_a_database_that_does_not_answer_is_503_and_says_nothing_of_why(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Service) -> bool:
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(Service, "is_sandbox", broken)
    found = site.ask("/healthz")
    assert (found.status, found.text) == (503, "not now\n")
    monkeypatch.undo()
    assert site.ask("/healthz").status == 200
