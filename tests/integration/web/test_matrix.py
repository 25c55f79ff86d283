"""Who sees and does what: every page and every call, against the table made by hand in `tests/who_may.py`.

What an officer may not see is not there: not by a guessed id, a form posted by hand, somebody else's view or cursor, an
export, a feed or a search. And whatever a stranger posts changes nothing.
"""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from cli.settings import Settings
from cli.site import pages_of
from engine.core.commands import Move, Start
from engine.doors.tokens import SCOPES
from engine.officework import OfficerChange
from engine.steps import By
from tests.web_office import NOW, PASSWORD, hashed, serving
from tests.who_may import BEFORE_OWN_PASSWORD, CALLS, COMES, OF_COMMITTEE, OF_INTRODUCED, PAGES, PLACES, ROLES, reads
from tests.world import trail
from web.access import table
from web.app import page_routes
from web.session import token_of

NAME, HELPER, GONE, NAMED = "Trần Văn Kín Đáo", "Người Giúp Giấu Mặt", "Lê Thị Chuyển Đi", "Phạm Văn Được Giới Thiệu"
KIN, MOVED, INTRODUCED, PLAN = "kin-1", "moved-1", "named-1", "annual_plan-xa1-2025"
SECRETS = (NAME, HELPER)


class Officer:
    """One who is signed in and bears a token."""

    def __init__(self, office: Any, id: str) -> None:
        self.office, self.id = office, id
        office.service.set_up().officers([OfficerChange(id=id, account=id)])
        self.session, signed = office.service.accounts.sign_in_vouched(id, None)
        self.row = signed.row.id
        self.token = office.service.tokens.make(id, "máy", SCOPES, 300, By(officer=id))[0]

    @property
    def http(self) -> httpx.Client:
        """A browser and a program in one, for everybody."""
        found: httpx.Client = self.office.browser
        return found

    def page(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response:
        """Asks for a page, or posts a form made by hand, with the token of this session."""
        headers = {"Cookie": f"ketnap={self.session}", "Accept": "text/html"}
        if method == "GET":
            return self.http.get(path, headers=headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode({"csrf": token_of(self.session), **(data or {})})
        return self.http.post(path, headers=headers, content=body)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Calls the interface for programs; waits as it says where one address, here everybody's, asks too often."""
        headers = {"Authorization": f"Bearer {self.token}", "If-Match": "*", **more.pop("headers", {})}
        while True:
            answer = self.http.request(method, "/api" + path, headers=headers, **more)
            if answer.status_code != 429:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))


@pytest.fixture(scope="module")
def town() -> Iterator[Any]:
    with serving() as office:
        built: Any = office
        built.people = {}
        with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as built.browser:
            _settle(built)
            yield built


def _settle(town: Any) -> None:
    service = town.service
    service.tick()
    service.set_up().officers(
        OfficerChange(id=f"{role}@{place}", name=f"{role} {place}", org=place, roles=[role])
        for place in PLACES
        for role in ROLES
    )
    own = By(officer="clerk@cb1")
    facts = {"full_name": NAME, "helper": HELPER, "religion": "none", "birth_date": "1999-09-09"}
    service.start(Start(workflow="candidate", org="cb1", id=KIN, facts=facts), own)
    service.start(Start(workflow="candidate", org="cb1", id=MOVED, facts={"full_name": GONE}), own)
    service.move(Move(subject=MOVED, trigger="transfer", facts={"to_org": "cb3"}), own)
    service.move(Move(subject=MOVED, trigger="accept_transfer"), By(officer="secretary@cb3"))
    facts = {"full_name": NAMED, "introduced_by": "doan1", "introduced_on": "2025-01-10"}
    service.start(Start(workflow="candidate", org="cb3", id=INTRODUCED, facts=facts), By(officer="clerk@cb3"))
    year = {"year": 2025}
    service.start(Start(workflow="annual_plan", org="xa1", id=PLAN, facts=year), By(officer="clerk@tu"))
    for place in PLACES:
        for role in ROLES:
            town.people[f"{role}@{place}"] = Officer(town, f"{role}@{place}")
    _special(town)


def _special(town: Any) -> None:
    """Officers who moved away, were disabled, or stand in for somebody: now, and not any more."""
    hand = town.service.set_up()
    hand.officers(OfficerChange(id=id, name=id, org="cb1", roles=["clerk"]) for id in ("left", "barred"))
    hand.officers(OfficerChange(id=id, name=id, org="cb3", roles=["clerk"]) for id in ("stands_in", "stood_in"))
    for id in ("left", "barred", "stands_in", "stood_in"):
        town.people[id] = Officer(town, id)
    hand.officers([OfficerChange(id="left", org="cb3", roles=["clerk"]), OfficerChange(id="barred", disabled=True)])
    today = NOW.date()
    hand.substitute("clerk@cb1", "stands_in", today, today + timedelta(days=3))
    hand.substitute("clerk@cb1", "stood_in", today - timedelta(days=9), today - timedelta(days=1))


# ---- what the table says of everybody ----


def test_every_page_and_every_call_stands_in_the_table(town: Any) -> None:
    """A new one needs a line in `tests/who_may.py`: who may come there, by the procedure, not by the code."""
    pages = {(m, p) for m, p in table(page_routes(_site(town))) if m != "HEAD"}
    assert pages == set(PAGES)
    described = town.people["clerk@cb1"].http.get("/api/openapi.json").json()["paths"]
    assert {(m.upper(), p) for p, calls in described.items() for m in calls} == set(CALLS)


def _site(town: Any) -> Any:
    from web.answers import Door
    from web.codes import TimedCodes
    from web.site import Settings as SiteSettings
    from web.site import Site

    pages = pages_of(Settings(), town.service)
    return Site(door=Door(town.service), settings=SiteSettings(), pages=pages, codes=TimedCodes(town.clock.now))


@pytest.mark.parametrize(
    ("subject", "seen", "said"), [(KIN, PLACES, NAME), (PLAN, OF_COMMITTEE, "xa1"), (INTRODUCED, OF_INTRODUCED, NAMED)]
)
def test_each_role_at_each_place_reads_what_the_table_says_and_nothing_else(
    town: Any, subject: str, seen: dict[str, str], said: str
) -> None:
    wrong: list[object] = []
    for who, officer in town.people.items():
        role, _, place = who.partition("@")
        if not place:
            continue
        may = reads(role, seen[place])
        shown = officer.call("GET", f"/subjects/{subject}")
        listed = officer.call(
            "GET", f"/subjects?workflow={'annual_plan' if subject == PLAN else 'candidate'}&limit=500"
        )
        found = {i["subject"] for i in listed.json()["items"]}
        if (shown.status_code, subject in found) != ((200, True) if may else (404, False)):
            wrong.append((who, shown.status_code, subject in found))
        if not may and said != "xa1" and said in shown.text + listed.text:
            wrong.append((who, "told"))
    assert wrong == []


def test_whoever_moved_or_was_disabled_sees_nothing_and_a_substitute_sees_while_it_lasts(town: Any) -> None:
    people = town.people
    assert people["left"].call("GET", f"/subjects/{KIN}").status_code == 404
    assert people["left"].page("GET", f"/subjects/{KIN}").status_code == 404
    assert people["barred"].call("GET", f"/subjects/{KIN}").status_code == 401
    assert people["barred"].page("GET", f"/subjects/{KIN}").status_code == 401
    assert people["stood_in"].call("GET", f"/subjects/{KIN}").status_code == 404
    assert people["stands_in"].call("GET", f"/subjects/{KIN}").status_code == 200
    assert people["stands_in"].page("GET", f"/subjects/{KIN}").status_code == 200
    acting = {"Acts-For": "clerk@cb1"}
    assert people["stands_in"].call("GET", f"/subjects/{KIN}", headers=acting).status_code == 200
    assert people["stood_in"].call("GET", f"/subjects/{KIN}", headers=acting).status_code == 403


def test_a_person_who_moved_is_seen_where_they_are_now_and_no_longer_where_they_were(town: Any) -> None:
    seen = {who: town.people[who].call("GET", f"/subjects/{MOVED}").status_code for who in town.people if "@" in who}
    assert {who for who, status in seen.items() if status == 200} == {
        f"{role}@{place}" for role in ROLES[:-1] for place in ("cb3", "xa2", "tu", "tcnv", "ttct")
    }
    old = town.people["clerk@cb1"]
    events = old.call("GET", f"/audit/events?org=cb1&subject={MOVED}")
    assert events.status_code == 200, events.text
    assert events.json()["items"] == []


@pytest.mark.parametrize("who", ["clerk@cb1", "secretary@tu", "admin@tu", "inspector@tu"])
def test_whoever_has_a_given_password_comes_nowhere_before_they_have_chosen_their_own(town: Any, who: str) -> None:
    id = f"given.{who.replace('@', '.')}"
    role, _, place = who.partition("@")
    town.service.set_up().officers([OfficerChange(id=id, name=id, org=place, roles=[role])])
    town.service.put_officers([OfficerChange(id=id, password=hashed())], By(officer="tu_admin"))
    client = town.client()
    assert client.sign_in(id).headers["location"] == "/"
    secret = client.http.cookies["ketnap"]
    before, wrong = len(trail(town.service.kit.store)), list[object]()
    for method, path in sorted(set(PAGES) - BEFORE_OWN_PASSWORD):
        data = {**FORM, "csrf": token_of(secret), "old": PASSWORD, "again": FORM["new"]}
        at = filled(path, view="x", job="x")
        answer = client.get(at) if method == "GET" else client.send(at, data)
        if (answer.status_code, answer.headers.get("location")) != (303, "/own-password"):
            wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert len(trail(town.service.kit.store)) == before
    assert client.get("/own-password").status_code == 200
    assert client.get("/static/style.css").status_code == 200
    assert client.post("/sign-out", {}, page="/own-password").headers["location"] == "/sign-in"


# ---- strangers ----

STRANGERS = (
    "clerk@cb2",
    "secretary@xa2",
    "secretary@doan1",
    "inspector@xa2",
    "admin@tu",
    "admin@cb1",
    "left",
    "stood_in",
)
KEEPERS = ("admin@tu", "admin@cb1")  # they keep the accounts and the unit itself, which is no leak
PLACEHOLDERS = {
    "subject": KIN, "workflow": "candidate", "state": "source", "trigger": "recognise", "names": "helper", "org": "cb1",
    "officer": "clerk@cb1", "change": "rename", "name": "monthly", "period": "2025-01", "unit": "cb1", "id": "1",
    "form": "application", "file": "style.css", "kind": "officers", "seq": "5", "what": "late", "month": "2025-01",
    "day": "2025-01-21",
}  # fmt: skip
FORM = {
    "q": "kín đáo", "person": "kin dao", "subject": KIN,
    "text": "kín đáo", "who": KIN, "step": "drop", "confirmed": "yes", "reason": "x", "f.helper": "khác",
    "org": "cb1", "officer": "clerk@cb1", "roles": "admin", "role": "admin", "name": "khác",
    "day": "03/03/2025", "off": "yes",
    "period": "month:2025-01", "unit": "cb1", "form": "xlsx", "format": "xlsx", "purpose": "review",
    "new": "mật khẩu mới này",
    "stand_in": "stood_in", "from": "21/01/2025", "until": "22/01/2025", "first": "21/01/2025", "last": "22/01/2025",
    "id": "clerk@cb1/stands_in/2025-01-21", "disabled": "yes", "do": "disable", "version": "1", "on": "21/01/2025",
}  # fmt: skip


def text_of(answer: httpx.Response) -> str:
    """Returns all that an answer says, also what is packed in a workbook or a Word file."""
    if answer.content[:2] != b"PK":
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return "".join(archive.read(n).decode("utf-8", "replace") for n in archive.namelist())


def filled(path: str, **own: str) -> str:
    """Returns an address with its places filled."""
    values = {**PLACEHOLDERS, **own}
    return re.sub(r"\{(\w+)\}", lambda m: values[m[1]], path)


def _stolen(town: Any) -> dict[str, str]:
    """Returns a view and a job of somebody who reads the person: others may have seen the address."""
    insider = town.people["clerk@cb1"]
    view = insider.page("POST", "/find", {"q": NAME}).headers["location"].rpartition("/")[2]
    job = insider.page("POST", "/reports/monthly", {"period": "month:2025-01"}).headers["location"].rpartition("/")[2]
    seq = next(e.seq for e in trail(town.service.kit.store) if e.subject == KIN)
    return {"view": view, "job": job, "seq": str(seq)}


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_finds_nothing_on_any_page_and_changes_nothing_by_any_form(town: Any, who: str) -> None:
    stolen, officer = _stolen(town), town.people[who]
    role = who.partition("@")[0] if "@" in who else "clerk"
    before = len(trail(town.service.kit.store))
    wrong: list[object] = []
    for (method, path), kind in sorted(PAGES.items()):
        if path.startswith(("/sign-", "/language")) or path in (
            "/account/password",
            "/account/sessions",
            "/own-password",
            "/second-factor",
        ):
            continue  # the visitor's own things, which would end this visit
        if officer.id in KEEPERS and kind in ("admin", "office", "officer", "brings lists"):
            continue
        answer = officer.page(method, filled(path, **stolen), FORM)
        status = answer.status_code
        comes = role in COMES[kind]
        if (
            status >= 500
            or (kind in ("person", "own job", "officer") and status != 404)
            or (not comes and status != 404)
        ):
            wrong.append((method, path, kind, status))
        told = text_of(answer)
        if status == 303:  # what a search or a form leads to
            told += text_of(officer.page("GET", answer.headers["location"]))
        if any(s in told for s in SECRETS):
            wrong.append((method, path, kind, "told"))
    assert wrong == []
    _nothing_happened(town, before, officer.id)


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_finds_nothing_by_any_call_and_changes_nothing(town: Any, who: str) -> None:
    officer = town.people[who]
    role = who.partition("@")[0] if "@" in who else "clerk"
    before = len(trail(town.service.kit.store))
    wrong: list[object] = []
    for (method, path), kind in sorted(CALLS.items()):
        if path.startswith(("/tokens", "/feed")) and method != "GET":
            continue
        if officer.id in KEEPERS and kind in ("changes", "officer"):
            continue
        answer = officer.call(method, filled(path), **_sent(method, path))
        status, allowed = answer.status_code, _statuses(kind, role, officer.id)
        if status not in allowed:
            wrong.append((method, path, kind, status, answer.text[:200]))
        if any(s in text_of(answer) for s in SECRETS):
            wrong.append((method, path, kind, "told"))
    assert wrong == []
    _nothing_happened(town, before, officer.id)


def _statuses(kind: str, role: str, id: str) -> set[int]:
    if kind in ("own", "list"):
        return {200, 404} if id else set()
    if kind == "whole":
        return {403}
    return {404} if kind in ("person", "unit", "officer") else {200, 201, 400, 403, 404}


def _sent(method: str, path: str) -> dict[str, Any]:
    bodies: dict[str, Any] = {
        "/subjects": {"workflow": "candidate", "org": "cb1", "facts": {"full_name": NAME[:4]}},
        "/subjects/find": {"workflow": "candidate", "facts": {"full_name": NAME}},
        "/subjects/similar": {"workflow": "candidate", "facts": {"full_name": NAME, "birth_date": "1999-09-09"}},
        "/subjects/{subject}/openings": {"purpose": "x"},
        "/subjects/{subject}/steps": {"trigger": "drop", "reason": "x", "facts": {"drop_reason": "other"}},
        "/subjects/{subject}/facts": {"facts": {"helper": "khác"}},
        "/subjects/{subject}/undo": {"reason": "x"},
        "/steps": {"steps": [{"subject": KIN, "version": 1, "trigger": "drop", "reason": "x"}]},
        "/officers/{officer}": {"roles": ["admin"], "org": "tu"},
        "/orgs": {"id": "cb1", "name": "Khác", "parent": "xa2"},
        "/orgs/{org}/close": {},
        "/orgs/{org}/split": {"into": ["cb2"], "assign": {KIN: "cb2"}},
        "/calendar": {"day": "2025-03-03", "off": False},
        "/substitutes": {"officer": "clerk@cb1", "stand_in": "stood_in", "from": "2025-01-21", "until": "2025-02-01"},
        "/notices/resolve": {"ids": ["x"], "outcome": "sent"},
        "/notices/correct": {"ids": ["x"], "reason": "x"},
        "/reports/{name}": {"period": "2025-01", "org": "cb1", "format": "xlsx"},
        "/audit/export": {"org": "cb1"},
    }
    if path.startswith("/imports"):
        return {
            "content": b"id,name,org,roles\nclerk@cb1,X,cb1,admin\n",
            "headers": {"Content-Type": "text/csv"},
            "params": {"dry_run": "false"},
        }
    if method in ("POST", "PUT", "PATCH"):
        return {"json": bodies.get(path, {})}
    params = {
        "/subjects": {"workflow": "candidate"}, "/subjects/{subject}/sheet": {"trigger": "hold"},
        "/calendar": {"from": "2025-01-01", "to": "2025-02-01"}, "/reports/{name}": {"period": "2025-01", "org": "cb1"},
        "/notices/forecast": {"from": "2025-01-21", "to": "2025-01-22"}, "/audit/events": {"org": "cb1"},
        "/audit/proof": {"event": "0"},
    }  # fmt: skip
    return {"params": params.get(path, {})}


def _nothing_happened(town: Any, before: int, who: str) -> None:
    """Sees that no unit, officer, account or person of cb1 was touched by this officer."""
    changed = [
        (e.kind, e.subject, e.detail.get("what"), e.org)
        for e in trail(town.service.kit.store, before - 1)
        if e.actor == who
        and (e.subject in (KIN, MOVED) or (e.kind == "office" and e.org == "cb1") or e.kind == "opened")
        if e.subject not in (None,) or e.kind == "office"
    ]
    assert [c for c in changed if c[1] in (KIN, MOVED) or (c[0] == "office" and c[3] == "cb1")] == []
    with town.service.work() as work:
        assert work.case(KIN).subject.version == 1
        assert work.office.tree.by_id["cb1"].parent == "xa1"
        assert {h.role for h in work.office.officers["clerk@cb1"].holdings} == {"clerk"}


def test_a_feed_tells_its_officer_nothing_of_what_they_do_not_read(town: Any) -> None:
    for who in ("clerk@cb2", "secretary@xa2", "admin@tu"):
        officer = town.people[who]
        address = officer.call("POST", "/feed").json()["address"]
        feed = officer.http.get(address)
        assert feed.status_code == 200
        assert NAME not in feed.text
        assert "cb1" not in feed.text


def test_those_who_read_come_to_every_page_of_the_person(town: Any) -> None:
    """So that the tests above do not hold only because nobody sees anything."""
    for who in ("secretary@cb1", "clerk@xa1", "inspector@tu", "clerk@tcnv"):
        officer = town.people[who]
        assert NAME in officer.page("GET", f"/subjects/{KIN}").text
        assert NAME in officer.page("GET", "/list/candidate").text, who
        for path in ("facts", "undo", "forms", "steps/recognise"):
            assert officer.page("GET", f"/subjects/{KIN}/{path}").status_code in (200, 400, 403, 409), (who, path)
        assert NAME in officer.call("GET", "/subjects?workflow=candidate").text
