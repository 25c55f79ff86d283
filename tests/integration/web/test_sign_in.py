"""Signing in on the pages: who comes in, who has to wait, and what a session may do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest

from engine.core import events
from engine.entrances import entrances
from engine.officework import OfficerChange
from engine.steps import By
from tests.web_office import CODED, PASSWORD, TOKEN, PagesOffice, serving
from tests.world import trail


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """An office with its pages."""
    with serving() as found:
        yield found


def kinds(office: PagesOffice) -> list[str]:
    with office.service.work() as work:
        return [e.kind for e in work.tx.events()]


def test_an_officer_signs_in_with_name_and_password_and_the_trail_says_so(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    page = client.get("/")
    assert page.status_code == 200
    assert "Việc cần làm" in page.text
    assert kinds(office)[-1] == events.SIGNED_IN


def test_a_password_typed_with_another_composition_of_its_letters_is_the_same(office: PagesOffice) -> None:
    assert office.client().sign_in("xa1_clerk", unicodedata.normalize("NFD", PASSWORD)).status_code == 303


@pytest.mark.parametrize(("login", "password"), [("xa1_clerk", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(office: PagesOffice, login: str, password: str) -> None:
    answer = office.client().sign_in(login, password)
    assert answer.status_code == 403
    assert "Tên đăng nhập, mật khẩu hoặc mã không đúng." in answer.text
    assert kinds(office)[-1] == events.SIGN_IN_FAILED
    with office.service.work() as work:
        body = list(work.tx.events())[-1].body.decode()
    assert "nobody" not in body
    assert "wrong" not in body


def test_who_decides_signs_in_with_a_code_that_serves_once(office: PagesOffice) -> None:
    officer = CODED[0]
    code = office.code(officer)
    assert office.client().sign_in(officer, code="").status_code == 403
    assert office.client().sign_in(officer, code=code).status_code == 303
    assert office.client().sign_in(officer, code=code).status_code == 403
    office.clock.set(office.clock.now() + timedelta(seconds=31))
    assert office.client().sign_in(officer).status_code == 303


def test_who_decides_and_has_no_code_yet_may_only_set_one_up(office: PagesOffice) -> None:
    officer = CODED[0]
    office.service.accounts.take_factor(officer, By(officer="tu_admin"))
    del office.secrets[officer]
    client = office.client(officer)
    for path in ("/", "/account", "/subjects/x"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/second-factor")
    page = client.get("/second-factor").text
    secret = page.split("<code>")[1].split("</code>")[0]
    assert "<svg" in page
    assert client.post("/second-factor", {"code": "000000"}).status_code == 403
    assert client.post("/second-factor", {"code": office.codes.code(secret)}).status_code == 303
    assert client.get("/").status_code == 200


def test_failures_make_the_next_try_wait_longer_and_longer_and_a_right_password_does_not_help(
    office: PagesOffice,
) -> None:
    client = office.client()
    for _ in range(5):
        assert client.sign_in("xa1_clerk", "wrong").status_code == 403
    assert client.sign_in("xa1_clerk").status_code == 429
    office.clock.set(office.clock.now() + timedelta(seconds=31))
    assert client.sign_in("xa1_clerk", "wrong").status_code == 403
    office.clock.set(office.clock.now() + timedelta(seconds=31))
    assert client.sign_in("xa1_clerk").status_code == 429, "the second pause is twice as long"
    office.clock.set(office.clock.now() + timedelta(seconds=31))
    assert client.sign_in("xa1_clerk").status_code == 303
    assert office.client().sign_in("xa1_deputy").status_code == 303, "another officer does not wait"


def test_a_session_ends_when_nobody_uses_it_and_when_the_officer_says_so(office: PagesOffice) -> None:
    client, other = office.client("xa1_clerk"), office.client("xa1_clerk")
    assert client.post("/sign-out", {}, page="/").status_code == 303
    assert client.get("/").status_code == 401
    assert other.get("/").status_code == 200
    office.clock.set(office.clock.now() + timedelta(hours=2, minutes=1))
    assert other.get("/").status_code == 401


def test_an_officer_who_is_disabled_is_out_at_once(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    office.service.set_up().officers([OfficerChange(id="xa1_clerk", disabled=True)])
    assert client.get("/").status_code == 401
    assert office.client().sign_in("xa1_clerk").status_code == 403


def test_changing_the_password_ends_the_other_sessions(office: PagesOffice) -> None:
    client, other = office.client("xa1_clerk"), office.client("xa1_clerk")
    data = {"old": PASSWORD, "new": "một mật khẩu khác", "again": "một mật khẩu khác"}
    assert client.post("/account/password", {**data, "old": "x"}, page="/account").status_code == 403
    assert client.post("/account/password", {**data, "again": "x"}, page="/account").status_code == 400
    assert (
        client.post("/account/password", {**data, "new": "ngắn", "again": "ngắn"}, page="/account").status_code == 400
    )
    assert client.post("/account/password", data, page="/account").status_code == 303
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 401
    assert office.client().sign_in("xa1_clerk", "một mật khẩu khác").status_code == 303


def test_a_form_from_elsewhere_or_without_its_token_changes_nothing(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    token = TOKEN.search(client.get("/").text)
    assert token is not None
    before = kinds(office)
    for data, headers in (
        ({}, {}),
        ({"csrf": "0" * 32}, {}),
        ({"csrf": token[1]}, {"Origin": "https://elsewhere.example"}),
        ({"csrf": token[1]}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = client.http.post("/sign-out", content=urlencode(data), headers={
            "Content-Type": "application/x-www-form-urlencoded", **headers})  # fmt: skip
        assert answer.status_code == 403
    assert kinds(office) == before
    assert client.get("/").status_code == 200


def test_what_was_typed_when_the_session_ended_is_there_after_signing_in_again(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    form = client.hidden("/account")
    office.clock.set(office.clock.now() + timedelta(hours=3))
    answer = client.send("/account/password", {**form, "old": "một <b>", "new": "hai", "again": "hai"})
    assert answer.status_code == 401
    assert 'name="k.old" value="một &lt;b&gt;"' in answer.text

    hidden = {
        unescape(n): unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
    }
    again = client.send("/sign-in", {**hidden, "login": "xa1_clerk", "password": PASSWORD, "code": ""})
    assert again.status_code == 200
    assert 'action="/account/password"' in again.text
    assert 'name="old" value="một &lt;b&gt;"' in again.text
    office.clock.set(office.clock.now() + timedelta(hours=3))
    another = client.send("/sign-in", {**hidden, "login": "xa1_deputy", "password": PASSWORD, "code": ""})
    assert another.status_code in (303, 403), "nobody's input is sent in another's name"


def test_a_substitute_chooses_for_whom_they_act_and_it_shows(office: PagesOffice) -> None:
    office.service.set_up().substitute("xa1_secretary", "xa1_clerk", date(2025, 1, 20), date(2025, 1, 24))
    client = office.client("xa1_clerk")
    assert client.post("/acting", {"for": "xa2_secretary"}).status_code == 403
    assert client.post("/acting", {"for": "xa1_secretary"}).status_code == 303
    assert "Đang làm thay đồng chí xa1_secretary" in client.get("/").text
    office.clock.set(office.clock.now() + timedelta(days=4))
    client = office.client("xa1_clerk")
    assert "Đang làm thay" not in client.get("/").text


def test_every_page_is_strict_about_what_a_browser_may_do(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    for path in ("/", "/account", "/nothing/here", "/sign-in"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        text = client.get(path).text
        assert " style=" not in text
        assert "<script>" not in text
        assert " on" not in {a[:3] for a in text.split("<button")}
    cookie = office.client().get("/sign-in").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_guessing_the_code_that_is_being_set_up_makes_wait_and_the_right_one_then_does(office: PagesOffice) -> None:
    officer = CODED[0]
    office.service.accounts.take_factor(officer, By(officer="tu_admin"))
    del office.secrets[officer]
    client = office.client(officer)
    page = client.get("/second-factor").text
    secret = page.split("<code>")[1].split("</code>")[0]
    for _ in range(5):
        assert client.post("/second-factor", {"code": "000000"}).status_code == 403
    right = client.post("/second-factor", {"code": office.codes.code(secret)})
    assert right.status_code == 429
    assert "Thử sai quá nhiều lần" in right.text or "09:00:30" in right.text
    office.clock.set(office.clock.now() + timedelta(seconds=31))
    assert client.post("/second-factor", {"code": office.codes.code(secret)}).status_code == 303


def test_guessing_the_old_password_makes_wait_and_signing_in_goes_on_meanwhile(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    new = {"new": "mật khẩu thứ hai", "again": "mật khẩu thứ hai"}
    for _ in range(5):
        assert client.post("/account/password", {"old": "sai bét", **new}, "/account").status_code == 403
    assert client.post("/account/password", {"old": PASSWORD, **new}, "/account").status_code == 429
    assert office.client().sign_in("xa1_clerk").status_code == 303
    office.clock.set(office.clock.now() + timedelta(seconds=31))
    assert client.post("/account/password", {"old": PASSWORD, **new}, "/account").status_code == 303


def given(office: PagesOffice, officer: str, password: str = "mật khẩu được cấp") -> str:
    """Has the administrator give an officer a password."""
    office.service.accounts.reset_password(officer, password, By(officer="tu_admin"))
    return password


def test_a_password_that_an_administrator_gave_is_exchanged_for_an_own_one_before_anything_else(
    office: PagesOffice,
) -> None:
    old = office.client("xa1_clerk")
    password, own = given(office, "xa1_clerk"), "mật khẩu của riêng tôi"
    assert old.get("/").status_code == 401, "sessions of before have ended"
    client, second = office.client(), office.client()
    for one in (client, second):
        assert one.sign_in("xa1_clerk", password).status_code == 303
    page = client.get("/")
    assert (page.status_code, page.headers["location"]) == (303, "/own-password")
    page = client.get("/own-password")
    assert "Tự chọn mật khẩu" in page.text
    assert 'href="/account"' not in page.text
    assert 'action="/find"' not in page.text
    for data, said in (
        ({"new": own, "again": "khác"}, "không giống nhau"),
        ({"new": "ngắn", "again": "ngắn"}, "ít nhất"),
        ({"new": password, "again": password}, "vẫn là mật khẩu được cấp"),
        ({"new": unicodedata.normalize("NFD", password), "again": unicodedata.normalize("NFD", password)}, "vẫn là"),
    ):
        answer = client.post("/own-password", data)
        assert answer.status_code == 400
        assert said in answer.text
    assert client.post("/own-password", {"new": own, "again": own}).headers["location"] == "/"
    assert "chỉ mình đồng chí biết" in client.get("/").text
    assert client.get("/own-password").headers["location"] == "/account"
    assert second.get("/").status_code == 401, "whoever else came in with the given one is out"
    assert office.client().sign_in("xa1_clerk", password).status_code == 403
    again = office.client()
    assert again.sign_in("xa1_clerk", own).status_code == 303
    assert again.get("/").status_code == 200
    hers = [e for e in trail(office.service.kit.store) if e.detail.get("officer") == "xa1_clerk"]
    told = [(e.detail["what"], e.detail.get("password_by"), e.actor) for e in hers
            if e.detail.get("what") in ("officer", "password_chosen")]  # fmt: skip
    assert told[-3:] == [
        ("officer", "tu_admin", "tu_admin"), ("officer", None, "xa1_clerk"), ("password_chosen", None, "xa1_clerk"),
    ]  # fmt: skip
    with office.service.work() as work:
        assert next(o for o in work.tx.officers() if o.id == "xa1_clerk").password_by is None


def test_who_decides_chooses_the_password_first_and_then_sets_the_codes_up(office: PagesOffice) -> None:
    officer, own = CODED[0], "mật khẩu của riêng tôi"
    office.service.accounts.take_factor(officer, By(officer="tu_admin"))
    del office.secrets[officer]
    client, password = office.client(), given(office, officer)
    assert client.sign_in(officer, password).status_code == 303
    assert client.get("/second-factor").headers["location"] == "/own-password"
    assert client.post("/own-password", {"new": own, "again": own}).status_code == 303
    assert client.get("/").headers["location"] == "/second-factor"
    assert client.get("/own-password").headers["location"] == "/second-factor"


def test_a_form_typed_before_the_session_ended_is_not_sent_while_a_given_password_is_kept(office: PagesOffice) -> None:
    client = office.client("xa1_clerk")
    form = client.hidden("/account")
    password = given(office, "xa1_clerk")
    answer = client.send("/account/sessions", {**form, "end": "x"})
    assert answer.status_code == 401
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
    hidden = {unescape(n): unescape(v) for n, v in found}
    back = client.send("/sign-in", {**hidden, "login": "xa1_clerk", "password": password, "code": ""})
    assert back.status_code == 303


def test_a_verified_trail_notices_that_a_given_password_was_made_an_own_one_behind_its_back(
    office: PagesOffice,
) -> None:
    given(office, "xa1_clerk")
    with suppress(ZeroDivisionError), office.service.work(write=True) as work:
        assert not list(entrances(work))
        row = next(o for o in work.tx.officers() if o.id == "xa1_clerk")
        work.tx.put_officers([replace(row, password_by=None)])
        found = [p.message for p in entrances(work)]
        raise ZeroDivisionError  # so that nothing of this stays
    assert found == ["{officer}: who gave the password is not whom the trail names"]
