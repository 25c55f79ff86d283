"""Officers, accounts, substitutes and days off on the pages, by whoever keeps them and by nobody else."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import httpx
import pytest

from engine.core.commands import Start
from engine.steps import By
from tests.web_office import Client, PagesOffice, serving

SIGNED: dict[tuple[int, str], Client] = {}


@pytest.fixture(scope="module")
def office():
    with serving() as made:
        yield made


def client(office: PagesOffice, officer: str) -> Client:
    """Returns an officer's client: signed in once, as that takes long and a code fits only once."""
    if (office.port, officer) not in SIGNED:
        SIGNED[office.port, officer] = office.client(officer)
    return SIGNED[office.port, officer]


def trail(office: PagesOffice) -> list[object]:
    """Returns every event there is."""
    with office.service.work() as work:
        return list(work.tx.events(after=-1))


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def post(office: PagesOffice, who: str, path: str, page: str | None = None, **typed: str) -> httpx.Response:
    """Posts a form; where a page shows first what follows, posts what it bears."""
    signed = client(office, who)
    answer = signed.post(path, typed, page or path)
    if answer.status_code == 200 and 'name="confirmed"' in answer.text:
        pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
        return signed.send(path, {unescape(n): unescape(v) for n, v in pairs})
    return answer


def test_an_administrator_adds_an_officer_who_signs_in_with_the_password_shown_once(office: PagesOffice) -> None:
    page = post(office, "tu_admin", "/new-officer", id="moi1", name="Lê Thị Mới", email="moi@example.org", phone="",
                account="", org="cb1", role="clerk")  # fmt: skip
    made = re.search(r"<code>([a-z0-9-]{15,})</code>", page.text)
    assert made is not None
    assert office.client().sign_in("moi1", made[1]).status_code == 303
    assert made[1] not in client(office, "tu_admin").get("/officers/moi1").text
    assert "Lê Thị Mới" in client(office, "cb1_clerk").get("/organisations/cb1").text


def test_an_officer_gets_a_role_for_a_time_and_it_ends_on_its_day(office: PagesOffice) -> None:
    assert post(office, "tu_admin", "/officers/cb2_clerk/appoint", role="deputy", org="cb2", first="01/02/2025",
                last="30/06/2025").status_code == 303  # fmt: skip
    shown = text(client(office, "tu_admin").get("/officers/cb2_clerk").text)
    assert "01/02/2025 30/06/2025" in shown
    ended = post(office, "tu_admin", "/officers/cb2_clerk/release", "/officers/cb2_clerk", term="clerk/cb2",
                 last="21/01/2025")  # fmt: skip
    assert ended.status_code == 303
    with office.service.work() as work:
        found = {(h.role, h.period.from_, h.period.until) for h in work.office.officers["cb2_clerk"].holdings}
    assert ("clerk", None, date(2025, 1, 21)) in found
    assert ("deputy", date(2025, 2, 1), date(2025, 6, 30)) in found


def test_what_is_done_with_an_account_is_said_first_and_holds_at_once(office: PagesOffice) -> None:
    away = office.client("cb3_secretary")
    assert away.get("/").status_code == 200
    asked = client(office, "tu_admin").post(
        "/officers/cb3_secretary/account", {"do": "disable"}, "/officers/cb3_secretary"
    )
    assert "không đăng nhập được nữa" in text(asked.text)
    assert away.get("/").status_code == 200
    path = "/officers/cb3_secretary"
    assert post(office, "tu_admin", f"{path}/account", path, do="disable").status_code == 303
    assert away.get("/").status_code == 401
    assert post(office, "tu_admin", f"{path}/account", path, do="enable").status_code == 303
    page = post(office, "tu_admin", f"{path}/account", path, do="password")
    made = re.search(r"<code>([a-z0-9-]{15,})</code>", page.text)
    assert made is not None
    assert away.sign_in("cb3_secretary").status_code == 403
    assert away.sign_in("cb3_secretary", made[1]).status_code == 303
    assert "cb3_secretary" not in made[1]


def test_nobody_takes_their_own_access_away(office: PagesOffice) -> None:
    answer = post(office, "tu_admin", "/officers/tu_admin/account", "/officers/tu_admin", do="disable")
    assert answer.status_code == 400
    assert client(office, "tu_admin").get("/officers").status_code == 200


def test_officers_are_found_without_a_name_in_the_address(office: PagesOffice) -> None:
    signed = client(office, "tu_admin")
    answer = signed.post("/officers", {"q": "XA2 secretary"})
    assert "xa2" not in answer.headers["location"].lower()
    page = text(signed.get(answer.headers["location"]).text)
    assert "xa2_secretary" in page or "Không có ai" in page


@pytest.mark.parametrize("path", ["/officers/xa2_secretary", "/officers/nobody", "/officers/tu_clerk"])
def test_whoever_may_not_see_an_officer_finds_nobody(office: PagesOffice, path: str) -> None:
    assert client(office, "cb1_clerk").get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/new-officer", {"id": "x1", "name": "X", "org": "cb1", "role": "clerk"}),
        ("/officers/cb1_clerk/change", {"name": "X"}),
        ("/officers/cb1_clerk/appoint", {"role": "secretary", "org": "cb1"}),
        ("/officers/cb1_clerk/release", {"term": "clerk/cb1"}),
        ("/officers/cb1_clerk/account", {"do": "password", "confirmed": "yes"}),
        ("/days", {"first": "24/01/2025", "kind": "off", "confirmed": "yes"}),
    ],
)
def test_a_form_posted_by_hand_changes_nothing_for_whoever_may_not(office, path, typed) -> None:
    signed, before = client(office, "cb1_clerk" if path != "/days" else "doan1_secretary"), len(trail(office))
    answer = signed.send(path, {**signed.hidden("/account"), **typed})
    assert answer.status_code == 404, path
    assert len(trail(office)) == before


def test_officers_name_their_own_substitute_and_end_it(office: PagesOffice) -> None:
    answer = post(office, "cb1_secretary", "/substitutes", officer="cb1_secretary", stand_in="cb1_deputy",
                  first="21/01/2025", last="25/01/2025")  # fmt: skip
    assert answer.status_code == 303
    with office.service.work() as work:
        assert list(work.office.absent_for("cb1_deputy")) == ["cb1_secretary"]
    assert "cb1_secretary" in text(client(office, "cb1_deputy").get("/acting").text)
    page = client(office, "cb1_secretary").get("/substitutes").text
    id = re.search(r'name="end" value="([^"]+)"', page)
    assert id is not None
    assert post(office, "cb1_deputy", "/substitutes/end", "/substitutes", end=id[1]).status_code == 403
    assert post(office, "cb1_secretary", "/substitutes/end", "/substitutes", end=id[1]).status_code == 303
    with office.service.work() as work:
        assert not work.office.absent_for("cb1_deputy")


def test_days_in_the_wrong_order_are_refused_in_words(office: PagesOffice) -> None:
    answer = post(office, "cb1_secretary", "/substitutes", officer="cb1_secretary", stand_in="cb1_deputy",
                  first="25/01/2025", last="21/01/2025")  # fmt: skip
    assert answer.status_code == 422
    assert "Ngày cuối (21/01/2025) sớm hơn ngày đầu (25/01/2025)." in text(answer.text)


def test_nobody_names_a_substitute_for_somebody_they_do_not_keep(office: PagesOffice) -> None:
    answer = post(office, "cb1_deputy", "/substitutes", officer="xa1_secretary", stand_in="cb1_deputy",
                  first="21/01/2025", last="25/01/2025")  # fmt: skip
    assert answer.status_code == 400
    with office.service.work() as work:
        assert not work.office.absent_for("cb1_deputy")


def test_what_moves_is_shown_before_a_day_off_is_declared(office: PagesOffice) -> None:
    office.service.start(Start(workflow="annual_plan", org="xa1", facts={"year": 2025}), By(officer="tu_clerk"))
    signed = client(office, "tu_clerk")
    shown = signed.post("/days", {"first": "23/01/2025", "last": "", "kind": "off"})
    assert shown.status_code == 200
    assert "23/01/2025" in text(shown.text)
    assert office.service.keeping.days() == {}
    assert post(office, "tu_clerk", "/days", first="23/01/2025", last="", kind="off").status_code == 303
    assert office.service.keeping.days() == {date(2025, 1, 23): True}
    assert "Thứ Năm, 23/01/2025" in text(client(office, "cb1_clerk").get("/days?year=2025").text)


def test_a_day_that_cannot_be_comes_back_with_its_error(office: PagesOffice) -> None:
    answer = post(office, "tu_clerk", "/days", first="31/02/2025", last="", kind="off")
    assert answer.status_code == 400
    assert 'value="31/02/2025"' in answer.text
