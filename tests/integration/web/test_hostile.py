"""What somebody hostile sends: no error of ours, nothing run, nothing told, nothing changed."""

from __future__ import annotations

import io
import select
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.core.commands import Start
from engine.steps import By
from tests.web_office import Client, PagesOffice, Program, serving
from tests.who_may import CALLS, PAGES
from tests.world import trail
from web.app import Server, listen
from web.bounds import Bounded

NASTY = [
    "' OR 1=1 --", '"; DROP TABLE subjects; --', "1) UNION SELECT password FROM officers--",
    "{{ 7*7*191 }}", "{% for c in ().__class__.__base__.__subclasses__() %}x{% endfor %}", "${7*7*191}",
    "<%= 7*7*191 %>",
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "<b>đậm</b>",
    "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "....//....//etc/passwd", "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "a\r\nSet-Cookie: ketnap=x", "a\nLocation: http://evil.example", "//evil.example", "http://evil.example/",
    '=HYPERLINK("http://evil.example","x")', "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1+1)", "\t=1+1",
    "a\x00b", "\x00", "\ufeff", "\u202enáx", "Nguye\u0302\u0303n", "\ud7ff", "𝒳" * 50, "🙂", "%s%n%x", "%00",
    "A" * 5_000,
    "-1", "0", "9" * 400, "1e999", "NaN", "true", "null", "[]", "{}", "99/99/9999", "0000-00-00", "2025-02-30",
]  # fmt: skip
BOMB = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY f SYSTEM "file:///etc/passwd">]><worksheet>&b;&f;</worksheet>"""


@pytest.fixture(scope="module")
def office() -> Iterator[PagesOffice]:
    with serving() as found:
        facts = {"full_name": "Trần Văn A", "helper": "Lê B"}
        found.service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts), By(officer="cb1_clerk"))
        yield found


@pytest.fixture(scope="module")
def browser(office: PagesOffice) -> Client:
    return office.client("cb1_clerk")


@pytest.fixture(scope="module")
def program(office: PagesOffice) -> Program:
    return Program(office, "xa1_secretary")


def untouched(office: PagesOffice, before: int) -> None:
    """Sees that nothing but looking and being refused was written since, and that the trail verifies."""
    from engine.verifying import verify

    looked = {"opened", "listed", "exported", "denied", "refused", "access", "signed_in", "sign_in_failed"}
    kinds = [e.kind for e in trail(office.service.kit.store, before - 1) if e.kind not in looked]
    assert kinds == []
    assert verify(office.service).ok


def fill(path: str, nasty: str) -> str:
    """Returns an address with something nasty in every place."""
    made = path
    while "{" in made:
        head, _, rest = made.partition("{")
        made = head + quote(nasty, safe="") + rest.partition("}")[2]
    return made


def sound(answer: httpx.Response, nasty: str) -> list[str]:
    """Returns what is wrong with an answer."""
    wrong = [f"{answer.status_code}"] if answer.status_code >= 500 else []
    if "<script>alert" in answer.text or "<img src=x" in answer.text:
        wrong.append("not escaped")
    if str(7 * 7 * 191) in answer.text and "7*7" in nasty:
        wrong.append("run")
    if "root:" in answer.text or "Traceback" in answer.text:
        wrong.append("told")
    if "set-cookie" in answer.headers and "ketnap=x" in answer.headers["set-cookie"]:
        wrong.append("a header of theirs")
    if "evil.example" in answer.headers.get("location", "")[:20]:
        wrong.append("sent away")
    return wrong


def test_nothing_nasty_in_an_address_or_a_form_of_a_page_does_anything(office: PagesOffice, browser: Client) -> None:
    before = len(trail(office.service.kit.store))
    wrong: list[object] = []
    csrf = browser.hidden("/account")["csrf"]
    for n, (method, path) in enumerate(sorted(PAGES)):
        # the last opens one's own calendar address, whatever else is sent along: that is what its button does
        if path.startswith(("/sign-", "/account/password", "/account/sessions", "/notices/feed")):
            continue
        # each page meets a part of them, so that all of them are met by several pages
        for nasty in NASTY[n % 6 :: 6]:
            address = fill(path, nasty)
            if method == "GET":
                answer = browser.http.get(address)
            else:
                names = (
                    "q",
                    "text",
                    "name",
                    "unit",
                    "reason",
                    "on",
                    "version",
                    "period",
                    "id",
                    "who",
                    "step",
                )
                answer = browser.send(
                    fill(path.replace("{subject}", "u1"), nasty), {"csrf": csrf, **dict.fromkeys(names, nasty)}
                )
            if found := sound(answer, nasty):
                wrong.append((method, path, nasty[:30], found))
    assert wrong == []
    untouched(office, before)


def test_nothing_nasty_in_a_call_does_anything(
    office: PagesOffice, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.limits.Buckets.take", lambda *_, **__: None)
    before = len(trail(office.service.kit.store))
    wrong: list[object] = []
    for n, (method, path) in enumerate(sorted(CALLS)):
        if path in ("/feed", "/calendar", "/audit/checkpoints", "/audit/export"):
            continue
        for nasty in NASTY[n % 6 :: 6]:
            names = (
                "workflow",
                "org",
                "state",
                "cursor",
                "trigger",
                "on",
                "as_of",
                "from",
                "to",
                "period",
                "event",
                "limit",
            )
            given = ("workflow", "org", "id", "trigger", "reason", "name", "purpose", "period", "outcome")
            body = dict.fromkeys(given, nasty)
            more: dict[str, Any] = {"params": dict.fromkeys(names, nasty)} if method == "GET" else {"json": body}
            plain = nasty.encode() if nasty.strip().isprintable() and nasty == nasty.strip() else b"x"
            headers = {b"If-Match": plain, b"Idempotency-Key": plain}
            answer = program.http.request(method, fill(path, nasty), headers=headers, **more)
            if found := sound(answer, nasty):
                wrong.append((method, path, nasty[:30], found))
    facts: Any = {"facts": {"helper": "x", "papers": {"application": "y"}, "no": [1, {"a": "b"}]}}
    odd: list[Any] = [10**400, -1, 1.5, [], {}, True, [[]] * 9, {"$ne": 1}]
    odd.extend(NASTY)
    for strange in odd:
        for sent in (
            {"facts": {"helper": {"x": strange}}},
            {"facts": {"birth_date": strange}},
            {"facts": {str(strange): "x"}},
            facts,
        ):
            answer = program.http.patch("/subjects/u1/facts", json=sent, headers={"If-Match": '"1"'})
            if answer.status_code != 400:
                wrong.append(("PATCH", "facts", str(sent)[:60], [answer.status_code]))
    assert wrong == []
    untouched(office, before)


def test_bodies_that_are_no_bodies_are_refused(office: PagesOffice, browser: Client, program: Program) -> None:
    before = len(trail(office.service.kit.store))
    csrf = browser.hidden("/account")["csrf"].encode()
    form, multipart = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    deep = b"[" * 100_000
    for kind, body in [
        (form, b"\xff\xfe"), (form, b"csrf=%ff%fe&q=%c0%80"), (form, b"csrf=" + csrf + b"&q=%00"),
        (form, b"&" * 100_000),
        (form, b"a=b&" * 20_000), (multipart, b"--x\r\n"), (multipart, b"no"), ("multipart/form-data", b"x"),
        ("application/json", deep), ("text/xml", BOMB), ("", b"\x00" * 100), (form, b"q=" + b"A" * 600_000),
        ("a/b; charset=none", b"x"),
    ]:  # fmt: skip
        for path in ("/list/candidate", "/imports", "/subjects/u1/facts", "/sign-in", "/language"):
            answer = browser.http.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code in (303, 400, 403, 404, 413), (path, kind, body[:20], answer.status_code)
        for path in ("/subjects", "/subjects/find", "/subjects/u1/steps", "/imports/officers"):
            answer = program.http.post(path, content=body, headers={"Content-Type": kind, "If-Match": "*"})
            assert answer.status_code in (400, 403, 413), (path, kind, body[:20], answer.status_code, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    large = program.http.post("/subjects", content=b"{" + b" " * 600_000, headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    untouched(office, before)


def _zip(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        _zip({"xl/workbook.xml": b"0" * 300_000_000}),
        _zip({"[Content_Types].xml": BOMB, "xl/workbook.xml": BOMB, "xl/worksheets/sheet1.xml": BOMB}),
        _zip({"../../etc/x": b"x"}),
        b"PK\x03\x04" + b"\x00" * 500,
        b"\x00" * 1_000,
    ],
    ids=["bomb", "entities", "path", "broken", "zeros"],
)
def test_a_file_that_is_a_trap_is_refused(office: PagesOffice, browser: Client, data: bytes) -> None:
    before, begun = len(trail(office.service.kit.store)), time.monotonic()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    admin = Program(office, "tu_admin")
    answer = admin.http.post("/imports/officers", content=data, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    csrf = browser.hidden("/imports")["csrf"]
    sent = browser.http.post(
        "/imports", data={"csrf": csrf, "kind": "candidates"}, files={"list": ("x.xlsx", data, kind)}
    )
    assert sent.status_code in (303, 400), sent.text
    assert time.monotonic() - begun < 60
    untouched(office, before)


def test_names_that_are_markup_or_formulas_are_texts_on_pages_and_in_files(office: PagesOffice) -> None:
    names = ["<b>Đậm</b>", "<script>alert(1)</script>", '=HYPERLINK("http://evil.example","x")', "{{ 7*7*191 }}"]
    for n, name in enumerate(names):
        start = Start(workflow="candidate", org="cb2", id=f"nasty{n}", facts={"full_name": name})
        office.service.start(start, By(officer="cb2_clerk"))
    browser = office.client("cb2_clerk")
    for path in ("/list/candidate", "/", *(f"/subjects/nasty{n}" for n in range(len(names)))):
        page = browser.get(path)
        assert page.status_code == 200
        assert sound(page, "{{ 7*7*191 }}") == []
        assert "<b>Đậm" not in page.text
    csrf = browser.hidden("/list/candidate")["csrf"]
    file = browser.send("/list/candidate/file", {"csrf": csrf})
    assert file.content[:2] == b"PK"
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        sheets = "".join(archive.read(n).decode() for n in archive.namelist() if "worksheets/" in n)
        texts = archive.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheets
    assert "HYPERLINK" in texts
    assert "hyperlink" not in sheets


@pytest.mark.parametrize("path", ["/sign-in", "/imports", "/api/subjects"])
def test_a_body_that_comes_too_slowly_is_let_go(path: str) -> None:
    """The whole of it has to come within a time, wherever it is sent and however often something comes."""
    kind = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
    with serving(body_seconds=0.2) as office:
        token = Program(office, "tu_both").secret
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nAuthorization: Bearer {token}\r\n"
        with socket.create_connection(("127.0.0.1", office.port), timeout=60) as wire:
            wire.sendall(f"{head}Content-Length: 9000\r\n\r\n".encode())
            while not select.select([wire], [], [], 0.05)[0]:
                wire.sendall(b"x")
            assert wire.recv(4_096).split(b"\r\n")[0].split(b" ")[1] == b"408"


def test_connections_that_ask_nothing_shut_nobody_out(office: PagesOffice) -> None:
    """Twenty officers' browsers keep six connections each."""
    with ExitStack() as stack:
        for _ in range(120):
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", office.port), timeout=60)))
        assert office.client().get("/sign-in").status_code == 200


def test_a_request_past_those_that_are_answered_waits_for_its_turn() -> None:
    """And for its turn only so long: then it is told to ask again."""
    begun, end = threading.Semaphore(0), threading.Event()

    def slow(_: Request) -> Response:
        begun.release()
        end.wait(60)
        return Response("done")

    listening = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = Server(Bounded(Starlette(routes=[Route("/", slow)]), at_once=2, place_seconds=0.2), listening)
    server.start()
    try:
        with ThreadPoolExecutor() as pool, httpx.Client(base_url=base, timeout=60, trust_env=False) as http:
            first = [pool.submit(http.get, "/") for _ in range(2)]
            assert [begun.acquire(timeout=60) for _ in first] == [True, True]
            refused = http.get("/")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            end.set()
            assert [f.result().text for f in first] == ["done", "done"]
            assert http.get("/").text == "done"
    finally:
        end.set()
        server.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie: ketnap=\xff\xfe\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /api/subjects HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\n",
        b"GET /api/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nAccept-Language: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"A" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_request_is_refused(office: PagesOffice, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", office.port), timeout=10) as wire:
        wire.sendall(raw)
        wire.shutdown(socket.SHUT_WR)
        first = wire.recv(4_096).split(b"\r\n")[0]
    assert first == b"" or b" 5" not in first[8:11], first


def test_an_address_with_a_query_that_is_none_is_no_error(office: PagesOffice, browser: Client) -> None:
    for query in ("%ff=%fe", "a=%00", "=&=&", "a" * 8_000, urlencode({"a": "\ud7ff"})):
        for path in ("/", "/list/candidate", "/api/subjects", "/sign-in"):
            assert browser.http.get(f"{path}?{query}").status_code < 500
