"""Notices on the pages: a month past and coming, what has to be settled, previews, a forecast, one's own wishes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import httpx
import pytest

from engine.core.commands import Move, Start
from engine.doors.mail import Mail
from engine.steps import By
from tests.integration.web.test_inspection import shown
from tests.integration.web.test_reports import FACTS, made
from tests.web_office import PagesOffice, serving
from tests.world import office_time


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """The plans and reviews of the year are open and their notices written; one message's end is not known."""
    with serving() as found:
        service = found.service
        facts = {**FACTS, "full_name": "Vũ Thị Ngọc Ánh", "birth_date": "1996-08-14"}
        service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts), By(officer="cb1_secretary"))
        for unit in ("xa1", "xa2"):
            service.start(
                Start(workflow="annual_plan", org=unit, facts={"year": 2025}), By(officer=f"{unit}_secretary")
            )
        found.go_on(office_time(date(2025, 1, 23)))
        yield found


def test_a_month_shows_what_went_out_and_what_comes_to_whoever_reads_it(office: PagesOffice) -> None:
    office.lose("xa1_secretary")
    client = office.client("xa1_secretary")
    page = client.get("/notices")
    assert page.status_code == 200
    assert 'class="days month"' in page.text
    assert "xa1_secretary" in page.text
    assert "xa2" not in re.sub(r"<option.*?</option>", "", page.text), "nothing of another committee"
    assert "✓" in page.text
    assert "dự kiến" in page.text, "what is planned"
    assert ">Thư điện tử<" in page.text, "a channel is called as people call it"
    assert "hằng năm 2025, " in page.text, "of which year the plan is"
    later = client.get(re.search(r'href="(/notices/months/2025-02)"', page.text)[1])  # type: ignore[index]
    assert later.status_code == 200
    assert client.get("/notices/months/2025-13").status_code == 404


def test_a_month_that_is_cut_leads_to_each_of_its_days_and_a_day_to_its_next_page(
    office: PagesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page shows more than so many; what it leaves out is reached from it, and nothing is left out or doubled."""
    client = office.client("tu_inspector")
    whole = client.get("/notices").text
    assert "/notices/days/" not in whole, "a month that is shown whole needs no other page"
    days = {d: int(n) for d, n in re.findall(r"<h2>(\d\d/\d\d/\d{4}) \((\d+)\)</h2>", whole)}
    day = max(days, key=lambda d: days[d])
    assert days[day] > 3
    for name in ("web.pages.notices.PAGE", "engine.doors.mail.PAGE"):
        monkeypatch.setattr(name, 2)
    monkeypatch.setattr("engine.doors.mail.PLANNED", 2)
    for door in (Mail.between, Mail.coming):
        monkeypatch.setattr(door, "__defaults__", tuple(2 if v in (500, 1_000) else v for v in door.__defaults__ or ()))
    cut = client.get("/notices/months/2025-01").text
    assert "Bấm một ngày trên lịch" in cut
    at = "-".join(reversed(day.split("/")))
    assert f'href="/notices/days/{at}"' in cut
    seen: list[str] = []
    path: str | None = f"/notices/days/{at}"
    while path is not None:
        page = client.get(path).text
        rows = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]*)</a>', page)
        assert 0 < len(rows) <= 4
        seen += [" ".join(row) for row in rows]
        following = re.search(r'href="([^"]+[?]page=[0-9]+)"', page)
        path = following[1] if following is not None else None
    assert len(seen) == days[day]
    assert client.get("/notices/days/2025-02-30").status_code == 404
    assert client.get(f"/notices/days/{at}?page=x").status_code == 200


def test_what_is_planned_far_ahead_is_shown_whatever_comes_before_it(
    office: PagesOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = office.client("tu_inspector")
    there = "dự kiến" in client.get("/notices/months/2025-03").text
    assert there
    monkeypatch.setattr("engine.doors.mail.PLANNED", 3)
    assert "dự kiến" in client.get("/notices/months/2025-03").text


def test_a_notice_nobody_knows_the_end_of_is_settled_with_a_reason(office: PagesOffice) -> None:
    id = office.lose("xa1_secretary")
    client = office.client("xa1_secretary")
    assert f"/notices/one/{id}" in client.get("/notices/unsettled").text
    refused = client.post(f"/notices/one/{id}", {"outcome": "cancel", "reason": " "})
    assert refused.status_code == 400
    assert "Chưa lưu gì." in refused.text
    assert client.post(f"/notices/one/{id}", {"outcome": "again"}).status_code == 303
    row = next(r for r, _ in office.service.outbox.rows() if r.id == id)
    assert row.state == "queued"
    done = client.post(f"/notices/one/{id}", {"outcome": "cancel", "reason": "đã báo trực tiếp"})
    assert done.status_code == 303
    assert "không gửi" in shown(client.get(done.headers["location"]).text)
    again = client.post(f"/notices/one/{id}", {"outcome": "sent"})
    assert again.status_code == 400, "what is cancelled was not sent"


def test_nobody_settles_or_reads_a_notice_of_another_unit(office: PagesOffice) -> None:
    id = office.lose("xa1_secretary")
    for officer in ("xa2_secretary", "cb3_secretary"):
        client = office.client(officer)
        assert client.get(f"/notices/one/{id}").status_code == 404, officer
        form = {**client.hidden("/account"), "outcome": "sent"}
        assert client.send(f"/notices/one/{id}", form).status_code == 404, officer
    inspector = office.client("tu_inspector")
    assert inspector.get(f"/notices/one/{id}").status_code == 200
    form = {**inspector.hidden("/account"), "outcome": "sent"}
    assert inspector.send(f"/notices/one/{id}", form).status_code == 403
    assert next(r for r, _ in office.service.outbox.rows() if r.id == id).state == "unknown"


def test_the_administrator_settles_what_they_may_not_read(office: PagesOffice) -> None:
    office.service.move(Move(subject="u1", trigger="recognise", facts={"branch_proposed_on": "2025-01-20"}),
                        By(officer="xa1_secretary"))  # fmt: skip
    id = office.lose("xa1_secretary")
    text = next(t for r, t in office.service.outbox.rows() if r.id == id)
    admin = office.client("tu_admin")
    page = admin.get(f"/notices/one/{id}")
    assert page.status_code == 200
    assert text["subject_line"] not in page.text
    assert "Ngọc Ánh" not in page.text + admin.get("/notices").text
    assert admin.get("/notices/preview").status_code == 404
    assert admin.post("/notices/forecast", {}, page="/notices").status_code == 404
    assert admin.post(f"/notices/one/{id}", {"outcome": "sent"}).status_code == 303
    assert next(r for r, _ in office.service.outbox.rows() if r.id == id).state == "accepted"


def test_a_rule_is_previewed_on_what_one_reads_and_nothing_is_written(office: PagesOffice) -> None:
    before = len(office.service.outbox.rows())
    client = office.client("xa1_secretary")
    page = client.post("/notices/preview", {"rule": "annual_plan:plan_reminder"})
    subjects = re.findall(r'<option value="(annual_plan-[^"]+)"', page.text)
    assert subjects == ["annual_plan-xa1-2025"]
    page = client.post("/notices/preview", {"rule": "annual_plan:plan_reminder", "subject": subjects[0]})
    assert page.status_code == 200
    assert "25/01" in shown(page.text) or "24/01" in shown(page.text)
    other = client.post("/notices/preview", {"rule": "annual_plan:plan_reminder", "subject": "annual_plan-xa2-2025"})
    assert other.status_code == 400
    assert "chua" not in other.text
    assert len(office.service.outbox.rows()) == before


def test_a_forecast_says_what_would_go_out_to_ones_own_and_sends_nothing(office: PagesOffice) -> None:
    before = len(office.service.outbox.rows())
    client = office.client("xa1_secretary")
    form = {**client.hidden("/notices"), "first": "21/01/2025", "last": "28/01/2025"}
    _, page = made(client, "", address="/notices/forecast", **form)
    assert page.status_code == 200
    assert "xa1_" in page.text
    assert "xa2_" not in page.text
    assert len(office.service.outbox.rows()) == before
    refused = client.send("/notices/forecast", {**client.hidden("/notices"), "first": "1/1/2025", "last": "2/1/2025"})
    assert refused.status_code == 400


def test_an_officer_says_how_notices_reach_them_and_opens_a_calendar_feed(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    wrong = client.post("/notices/mine", {"channel_1": "sms", "channel_2": "sms", "webhook": ""})
    assert wrong.status_code == 400
    wrong = client.post("/notices/mine", {"channel_1": "sms", "webhook": "javascript:alert(1)"})
    assert wrong.status_code == 400
    assert 'value="javascript:alert(1)"' in wrong.text
    nowhere = client.post("/notices/mine", {"channel_1": "webhook", "webhook": ""})
    assert nowhere.status_code == 400
    assert "chưa có địa chỉ" in nowhere.text
    hook = "https://vi-du.test/thong-bao"
    assert (
        client.post("/notices/mine", {"channel_1": "webhook", "channel_2": "email", "webhook": hook}).status_code == 303
    )
    officer, _ = office.service.mail.me(By(officer="cb1_secretary"))
    assert (officer.channels, officer.webhook) == (("webhook", "email"), hook)
    client.post("/notices/mine", {"channel_1": "", "webhook": ""})
    officer, _ = office.service.mail.me(By(officer="cb1_secretary"))
    assert (officer.channels, officer.webhook) == ((), None)
    client.post("/notices/feed", {}, page="/notices/mine")
    page = client.get("/notices/mine").text
    address = re.search(r"(http://\S+/calendar/[0-9a-f]+\.ics)", page)
    assert address is not None
    assert httpx.get(address[1], trust_env=False).text.startswith("BEGIN:VCALENDAR")
    assert address[1] not in client.get("/notices/mine").text, "shown once"
    client.post("/notices/feed", {"close": "yes"}, page="/notices/mine")
    assert httpx.get(address[1], trust_env=False).status_code == 404


def test_channels_are_tried_by_whoever_may_settle_notices(office: PagesOffice) -> None:
    assert office.client("tu_inspector").get("/notices/channels").status_code == 404
    client = office.client("tu_clerk")
    page = client.get("/notices/channels")
    assert page.status_code == 200
    assert "Chưa có kênh nào" in page.text
    assert client.post("/notices/channels", {"name": "email"}).status_code == 404, "it is not set up"
