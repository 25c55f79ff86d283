"""What needs more than one form or a setting: each is posted as from its page, and the event it leaves is looked at.

`tests/integration/web/test_recorded.py` counts what is posted here and holds that no form and no call is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import wraps
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.core.commands import Start
from engine.steps import By
from tests.integration.web.test_imports import bring, follow
from tests.integration.web.test_reports import made
from tests.web_office import PASSWORD, Client, PagesOffice, Program, serving
from tests.world import office_time, trail

Route = tuple[str, str]

LEFT: dict[Route, str] = {}  # what is posted here, with the kind of event that it leaves; "" for nothing
READY = {
    "birth_date": "1996-08-14", "education": "university", "motives": "Muốn cống hiến", "helper": "Nguyễn Văn Thịnh",
    "helper_is_formal": "true", "helper_together_since": "2022-09-10", "branch_proposed_on": "2025-01-15",
}  # fmt: skip
PEOPLE = {"p1": "Bùi An", "p2": "Cao Bích", "p3": "Đỗ Cúc", "p4": "Hà Duyên", "p5": "Lê Giang", "p6": "Mai Hạnh"}
PLAN, REVIEW = "annual_plan-xa1-2025", "monthly_review-xa1-2025-01"
SHEET = f"/subjects/{REVIEW}/sheets/hold"


@dataclass(frozen=True, kw_only=True)
class Post:
    """One request that was answered: what it left in the trail in the name of whoever sent it."""

    method: str
    path: str
    status: int
    left: frozenset[str]

    def is_of(self, route: Route) -> bool:
        """Tells whether it went to this route."""
        pattern = re.sub(r"\{\w+\}", "[^/]+", route[1])
        return self.method == route[0] and re.fullmatch(pattern, self.path) is not None


class Posting:
    """The office, its officers' browsers and programs, and what each of their requests left."""

    def __init__(self, office: PagesOffice, mail: Path) -> None:
        self.office, self.service, self.mail = office, office.service, mail
        self.sent: list[Post] = []
        self.signed: dict[str, Client] = {}

    def by(self, officer: str, password: str = PASSWORD) -> Client:
        """Returns an officer's browser: signed in once, as a code fits only once."""
        if officer not in self.signed:
            self.signed[officer] = self.office.client()
            assert self.signed[officer].sign_in(officer, password).status_code == 303
            self._watch(self.signed[officer].http, officer)
        return self.signed[officer]

    def program(self, officer: str) -> Program:
        """Returns a program with an officer's token."""
        program = Program(self.office, officer)
        self._watch(program.http, officer)
        return program

    def form(self, officer: str, path: str, page: str | None = None, /, **typed: str) -> httpx.Response:
        """Posts a form; where a page shows first what follows, posts what it bears."""
        signed = self.by(officer)
        answer = signed.post(path, typed, page)
        if answer.status_code == 200 and 'name="confirmed"' in answer.text:
            answer = signed.send(path, bears(answer.text, path))
        assert answer.status_code < 400, (path, answer.text.partition("<main")[2])
        return answer

    def _watch(self, http: httpx.Client, officer: str) -> None:
        store, before = self.service.kit.store, [0]

        def ask(_: httpx.Request) -> None:
            before[0] = len(trail(store))

        def answered(response: httpx.Response) -> None:
            kinds = frozenset(e.kind for e in trail(store, before[0] - 1) if e.actor == officer)
            asked = response.request
            self.sent.append(Post(method=asked.method, path=asked.url.path, status=response.status_code, left=kinds))

        http.event_hooks = {"request": [ask], "response": [answered]}


def bears(page: str, path: str) -> dict[str, str]:
    """Returns what the form of a page that is posted to an address bears hidden."""
    form = next(f for f in re.findall(r"<form\b.*?</form>", page, re.S) if f'action="{path}"' in f)
    return {unescape(n): unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)}


Test = Callable[[Posting], None]


def leaves(**wanted: str) -> Callable[[Test], Test]:
    """Says of a test what it posts: the kind of event, or `nothing`, and its routes, with commas between.

    The test fails unless each of them was answered, and left the event in the trail in the name of whoever asked.
    """
    routes = {(r.split()[0], r.split()[1]): kind for kind, r in _split(wanted)}
    LEFT.update(routes)

    def of(test: Test) -> Test:
        @wraps(test)
        def held(posting: Posting) -> None:
            posting.sent.clear()
            test(posting)
            for route, kind in routes.items():
                done = [p for p in posting.sent if p.is_of(route) and p.status < 400]
                assert done, (route, "was not posted", posting.sent)
                if kind == "nothing":
                    assert not any(p.left for p in done), (route, done)
                else:
                    assert any(kind in p.left for p in done), (route, kind, done)

        return held

    return of


def _split(wanted: dict[str, str]) -> Iterator[tuple[str, str]]:
    for kind, routes in wanted.items():
        yield from ((kind, route.strip()) for route in routes.split(","))


@pytest.fixture(scope="module")
def posting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posting]:
    """An office in January: plans and reviews are open, their notices written; six people of cb1."""
    sender = {"address": "nhac-viec@ketnap.test", "name": "Văn phòng", "domain": "ketnap.test"}
    mail = tmp_path_factory.mktemp("post")
    maildir = {"root": str(mail), "sender": sender}
    with serving(now=office_time(date(2024, 12, 31)), channels={"maildir": maildir}) as office:
        service = office.service
        service.tick()
        office.clock.set(office_time(date(2025, 1, 21), time(9, 42)))
        service.tick()
        office.clock.set(office_time(date(2025, 1, 22), time(9, 42)))  # when nobody was reminded yet today
        for id, name in PEOPLE.items():
            start = Start(workflow="candidate", org="cb1", id=id, facts={**READY, "full_name": name})
            service.start(start, By(officer="cb1_clerk"))
        yield Posting(office, mail)


# ---- the officer's own account ----


@leaves(access="POST /account/tokens, POST /account/tokens/end")
def test_a_token_made_and_ended(posting: Posting) -> None:
    shown = posting.form("xa1_clerk", "/account/tokens", "/account", name="Một cửa", days="30", scope="read")
    assert "Một cửa" in shown.text
    rows = re.search(r'action="/account/tokens/end".*?name="end" value="([^"]+)"', shown.text, re.S)
    assert rows is not None
    posting.form("xa1_clerk", "/account/tokens/end", "/account", end=rows[1])
    assert "Một cửa" not in posting.by("xa1_clerk").get("/account").text


@leaves(access="POST /account/sessions, POST /second-factor", office_changed="POST /account/password")
def test_a_session_a_password_and_a_second_factor(posting: Posting) -> None:
    other = posting.office.client("xa1_deputy")
    page = posting.by("xa1_deputy").get("/account").text
    rows = re.search(r'action="/account/sessions".*?name="end" value="([^"]+)"', page, re.S)
    assert rows is not None
    posting.form("xa1_deputy", "/account/sessions", "/account", end=rows[1])
    assert other.get("/").status_code == 401
    new = "một mật khẩu khác"
    posting.form("xa1_deputy", "/account/password", "/account", old=PASSWORD, new=new, again=new)
    secret = posting.by("xa1_deputy").get("/second-factor").text.split("<code>")[1].split("</code>")[0]
    posting.form("xa1_deputy", "/second-factor", code=posting.office.codes.code(secret))


@leaves(access="POST /own-password")
def test_an_own_password_in_place_of_one_that_was_given(posting: Posting) -> None:
    given, own = "mật khẩu được cấp", "mật khẩu của riêng tôi"
    posting.service.accounts.reset_password("cs1_secretary", given, By(officer="tu_admin"))
    posting.by("cs1_secretary", given)
    posting.form("cs1_secretary", "/own-password", new=own, again=own)


@leaves(nothing="POST /language, POST /list/{workflow}/saved/{id}/forget, POST /matters/{workflow}/numbers")
def test_what_only_changes_what_an_officer_looks_at(posting: Posting) -> None:
    posting.form("tu_inspector", "/language", "/account", lang="en", to="/account")
    posting.form("tu_inspector", "/language", "/account", lang="vi", to="/account")
    at = "/list/candidate"
    kept = posting.form("tu_inspector", f"{at}/saved", at, narrow3="sex=male", name="Nam giới")
    posting.form("tu_inspector", kept.headers["location"] + "/forget", at)
    posting.form("ttct_trainer", "/matters/training_class/numbers", text="0001")


# ---- a person ----


@leaves(
    facts_set="POST /subjects/{subject}/facts/{names}",
    moved="POST /subjects/{subject}/steps/{trigger}",
    undone="POST /subjects/{subject}/undo",
    nothing="POST /subjects/{subject}/steps/{trigger}/check",
    exported="POST /subjects/{subject}/forms/{form}",
    key_erased="POST /subjects/{subject}/person/erase",
)
def test_a_persons_facts_steps_forms_and_erasure(posting: Posting) -> None:
    who, at = "xa1_secretary", "/subjects/p1"
    posting.form("cb1_clerk", f"{at}/facts/helper", **{"f.helper": "Lê Mai"})
    posting.form(who, f"{at}/steps/recognise/check", f"{at}/steps/recognise", **{"f.helper": "Lê Mai"})
    posting.form("cb1_secretary", f"{at}/forms/application", kind="docx")
    posting.form(who, f"{at}/steps/drop", reason="Chuyển đi", **{"f.drop_reason": "moved"})
    posting.form(who, f"{at}/undo", reason="Nhầm")
    posting.form(who, f"{at}/steps/drop", reason="Chuyển đi", **{"f.drop_reason": "moved"})
    posting.form(who, f"{at}/person/erase", f"{at}/person", reason="Đơn số 5", basis="Luật số 91/2025/QH15")
    assert PEOPLE["p1"] not in posting.by(who).get(at).text


@leaves(started="POST /start/{workflow}", moved="POST /list/{workflow}/step")
def test_somebody_is_begun_and_a_step_is_taken_for_many(posting: Posting) -> None:
    posting.form("cb1_clerk", "/start/candidate", **{"f.full_name": "Trần Mới", "f.birth_date": "01/02/1999"})
    path, who = "/list/candidate/step", posting.by("xa1_secretary")
    page = who.post(path, {"step": "drop", "who": "p2"}, "/list/candidate")
    typed = {"f.drop_reason": "moved", "on": "22/01/2025", "reason": "Chuyển đi", "confirmed": "yes"}
    assert who.send(path, {**bears(page.text, path), **typed}).status_code == 200


@leaves(
    listed="POST /api/subjects/find",
    nothing="GET /api/subjects/{subject}/sheet",  # codes, ids and units
    started="POST /api/subjects",
    moved="POST /api/steps",
    access="DELETE /api/tokens/{token}",
)
def test_people_by_a_program(posting: Posting) -> None:
    program = posting.program("xa1_secretary")
    body = {"workflow": "candidate", "org": "cb1", "facts": {"full_name": "Phan Khải"}}
    assert posting.program("cb1_clerk").http.post("/subjects", json=body).status_code in (200, 201)
    program("POST", "/subjects/find", 200, json={"workflow": "candidate", "facts": {"full_name": PEOPLE["p3"]}})
    program("GET", f"/subjects/{REVIEW}/sheet", 200, params={"trigger": "hold"})
    within = {"trigger": "send_proposals", "unit": "cb1"}
    people = program("GET", f"/subjects/{REVIEW}/sheet", 200, params=within)["people"]
    assert {p["org"] for p in people} == {"cb1"}
    drop = {"subject": "p3", "version": 1, "trigger": "drop", "facts": {"drop_reason": "moved"}, "reason": "Đi"}
    program("POST", "/steps", 200, json={"steps": [drop]})
    program("DELETE", f"/tokens/{program.row.id[:12]}", 200)


# ---- sheets ----


@leaves(
    listed="POST /subjects/{subject}/lists/{trigger}, POST /subjects/{subject}/lists/{trigger}/{unit}",
    moved="POST /subjects/{subject}/sheets/{trigger}, POST /subjects/{subject}/sheets/{trigger}/{unit}",
)
def test_lists_for_a_sheet_go_into_its_draft_and_what_is_recorded_is_a_step(posting: Posting) -> None:
    branch = f"/subjects/{REVIEW}/sheets/send_proposals/cb1"
    for who, at in (("cb1_secretary", branch), ("xa1_secretary", SHEET)):
        signed, lists = posting.by(who), at.replace("/sheets/", "/lists/")
        answer = signed.http.post(
            lists, data={**signed.hidden("/account"), "line": "add"},
            files={"lists": ("ds.csv", f"Họ và tên,Ngày sinh\n{PEOPLE['p4']},14/08/1996\n".encode())},
        )  # fmt: skip
        assert answer.status_code == 200, re.findall('role="alert".*?</div>', answer.text, re.S)
        tried = signed.post(at, {"f.held_on": "22/01/2025", "d:p4": "add", "do": "try"})
        done = signed.send(at, {**bears(tried.text, at), "confirmed": "yes"})
        assert done.status_code == 303, tried.text


# ---- the grid ----


@leaves(
    nothing="POST /grid/{workflow}, POST /grid/{workflow}/{period}/narrow",
    exported="POST /grid/{workflow}/{period}/export",
    notice="POST /grid/{workflow}/{period}/remind",
    moved="POST /grid/{workflow}/{period}/take, POST /grid/{workflow}/{period}/own",
)
def test_the_grid(posting: Posting) -> None:
    who, at = "tcnv_clerk", "/grid/annual_plan/2025"
    posting.form(who, "/grid/annual_plan", at, period="2025")
    posting.form(who, f"{at}/narrow", at, unit="xa2")
    posting.form(who, f"{at}/export", at)
    posting.form(who, f"{at}/remind", at, subject=PLAN)
    posting.form(who, f"{at}/take", at, subject=PLAN, **{"f.received_at": "20/01/2025 15:42", "f.document_no": "1-KH"})
    own = "/grid/monthly_review/2025-01"
    posting.form(
        "cb3_secretary", f"{own}/own", own, subject=REVIEW.replace("xa1", "xa2"), trigger="report_nothing", unit="cb3"
    )


# ---- notices ----


@leaves(
    notice="POST /notices/one/{id}, POST /api/notices/resolve, POST /api/notices/correct",
    office_changed="POST /notices/mine",
    opened="POST /notices/preview",
    nothing="POST /notices/channels",  # about nobody
)
def test_notices_settled_corrected_previewed_and_how_one_wants_them(posting: Posting) -> None:
    id, who = posting.office.lose("xa2_secretary"), "xa2_secretary"
    posting.program(who)("POST", "/notices/resolve", 200, json={"ids": [id], "outcome": "again"})
    posting.form(who, f"/notices/one/{id}", outcome="cancel", reason="Đã báo trực tiếp")
    rows = [r for r, _ in posting.service.outbox.rows() if r.recipient == "cb3_secretary"]
    sent = next(r.id for r in rows if r.state == "accepted")
    posting.program(who)("POST", "/notices/correct", 200, json={"ids": [sent], "reason": "Gửi nhầm"})
    posting.form("tu_clerk", "/notices/channels", name="maildir", to="lan@example.org")
    assert len(list(posting.mail.glob("lan@example.org/new/*.eml"))) == 1
    posting.form(who, "/notices/mine", channel_1="webhook", webhook="https://vi-du.test/thong-bao")
    posting.form("cb1_clerk", "/notices/preview", rule="candidate:refused", subject="p5")


# ---- the office ----


@leaves(
    office_changed="POST /new-officer, POST /officers/{officer}/release, POST /substitutes, POST /substitutes/end,"
    "POST /days, POST /api/orgs/{org}/close, POST /api/imports/{kind}",
    nothing="POST /imports",
    started="POST /imports/{job}/preview",
)
def test_officers_days_units_and_lists(posting: Posting) -> None:
    posting.form("tu_admin", "/new-officer", id="moi", name="Mới", org="cb2", role="clerk")
    posting.form("tu_admin", "/officers/cb2_clerk/release", "/officers/cb2_clerk", term="clerk/cb2", last="31/12/2025")
    days = {"first": "22/01/2025", "last": "25/01/2025"}
    posting.form("cs1_secretary", "/substitutes", officer="cs1_secretary", stand_in="tu_clerk", **days)
    rows = re.search(r'name="end" value="([^"]+)"', posting.by("cs1_secretary").get("/substitutes").text)
    assert rows is not None
    posting.form("cs1_secretary", "/substitutes/end", "/substitutes", end=rows[1])
    posting.form("tu_clerk", "/days", first="23/01/2025", last="", kind="off")
    admin = posting.program("tu_admin")
    table = "id,name,org,roles\nmoi2,Mới Hai,cb2,clerk\n".encode()
    sent: dict[str, Any] = {"headers": {"Content-Type": "text/csv"}, "params": {"dry_run": "false"}}
    admin("POST", "/imports/officers", 200, content=table, **sent)
    body = {"id": "cb8", "kind": "branch", "name": "Chi bộ 8", "parent": "xa1"}
    admin("POST", "/orgs", 200, json=body)
    admin("POST", "/orgs/cb8/close", 200, json={})
    clerk = posting.by("xa1_clerk")
    shown = bring(clerk, "Họ và tên,Ngày sinh,Chi bộ\nVõ Thị Hoa,02/03/1999,cb1\n".encode())
    assert "Danh sách đã vào" in follow(clerk, clerk.post(shown.request.url.path, {})).text


# ---- reports and the inspector ----


@leaves(
    exported="POST /reports/made/{job}, POST /inspection/supervised/{job}",
    checkpoint_left="POST /inspection/checkpoint",
)
def test_what_is_taken_away_as_a_file(posting: Posting) -> None:
    to, _ = made(posting.by("xa1_secretary"), "elite_list", on="21/01/2025")
    posting.form("xa1_secretary", to, form="xlsx", purpose="Gửi cơ quan tổ chức")
    unit = {"unit": "xa2", "first": "01/01/2025", "purpose": "Quyết định 12"}
    to, _ = made(posting.by("tu_inspector"), "", address="/inspection/supervision", **unit)
    posting.form("tu_inspector", to, form="docx")
    posting.form("tu_inspector", "/inspection/checkpoint", to="Ủy ban Kiểm tra")
