"""An officer's calendar feed: what is due to them, behind one secret address that can be closed."""

from __future__ import annotations

import re

import pytest

from engine.core.commands import Move
from engine.core.errors import Denied, NotFound
from engine.steps import By
from notifications.feed import feed
from tests.notice_world import NoticeWorld, at
from tests.world import trail

OWN = By(officer="xa1_secretary")


@pytest.fixture
def world() -> NoticeWorld:
    made = NoticeWorld(("annual_plan", "monthly_review"))
    made.go(at("2024-01-03", "12:00"))
    return made


def unfolded(text: str) -> str:
    return text.replace("\r\n ", "")


def test_the_feed_has_all_coming_due_dates_of_an_officer_as_whole_days(world: NoticeWorld) -> None:
    """The day after is where an all-day event ends."""
    token = world.service.feeds.open("xa1_secretary", OWN)
    text = unfolded(feed(world.service, token, link_base="https://ketnap.example/"))
    assert text.count("BEGIN:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20240124\r\nDTEND;VALUE=DATE:20240125" in text
    assert "DTSTART;VALUE=DATE:20240131\r\nDTEND;VALUE=DATE:20240201" in text
    assert "X-WR-TIMEZONE:Asia/Ho_Chi_Minh" in text
    assert "URL:https://ketnap.example/subjects/annual_plan-xa1-2024" in text
    assert "xa2" not in text


def test_what_is_done_leaves_the_feed_and_a_date_that_moves_keeps_its_uid(world: NoticeWorld) -> None:
    """Its sequence grows, so that programs show one event on its new day."""
    token = world.service.feeds.open("xa1_secretary", OWN)
    before = unfolded(feed(world.service, token))
    from datetime import date

    world.service.set_up().days([(date(2024, 1, 31), True)])
    after = unfolded(feed(world.service, token))
    uids = [sorted(re.findall(r"UID:(\S+)", text)) for text in (before, after)]
    assert uids[0] == uids[1]
    assert "DTSTART;VALUE=DATE:20240130" in after
    sequences = [[int(n) for n in re.findall(r"SEQUENCE:(\d+)", text)] for text in (before, after)]
    assert min(sequences[1]) > max(sequences[0])
    world.service.move(Move(subject="annual_plan-xa1-2024", trigger="receive", facts={}), By(officer="tcnv_clerk"))
    assert "annual_plan" not in unfolded(feed(world.service, token))


def test_the_same_feed_twice_is_the_same_text(world: NoticeWorld) -> None:
    """A program that looks every hour sees no change where there is none."""
    token = world.service.feeds.open("xa1_secretary", OWN)
    first = feed(world.service, token)
    world.go(at("2024-01-03", "18:00"))
    assert feed(world.service, token) == first


def test_a_secret_opens_one_feed_until_it_is_renewed_or_closed(world: NoticeWorld) -> None:
    """The database and the trail hold only its digest."""
    service = world.service
    first = service.feeds.open("xa1_secretary", OWN)
    second = service.feeds.open("xa1_secretary", OWN)
    assert len(second) >= 32
    with pytest.raises(NotFound):
        feed(service, first)
    assert "BEGIN:VEVENT" in feed(service, second)
    with world.store.transaction(write=False) as tx:
        assert second not in str(list(tx.officers()))
        assert second.encode() not in b"".join(e.body for e in tx.events())
    service.feeds.close("xa1_secretary", OWN)
    for wrong in (second, "", "0" * 48):
        with pytest.raises(NotFound):
            feed(service, wrong)
    opened = [e.detail["what"] for e in trail(world.store) if str(e.detail.get("what")).startswith("feed")]
    assert opened == ["feed_opened", "feed_opened", "feed_closed"]


def test_only_the_officer_and_whoever_keeps_accounts_open_a_feed(world: NoticeWorld) -> None:
    """And one who has left has none."""
    with pytest.raises(Denied):
        world.service.feeds.open("xa1_secretary", By(officer="xa1_clerk"))
    with pytest.raises(NotFound):
        world.service.feeds.open("nobody", OWN)
    token = world.service.feeds.open("xa1_secretary", By(officer="tu_admin"))
    assert feed(world.service, token)
    world.officer("xa1_secretary", disabled=True)
    with pytest.raises(NotFound):
        feed(world.service, token)


def test_a_feed_names_no_person() -> None:
    """It often lies at a stranger's: units and procedures, and a link that asks who is there."""
    from datetime import date

    from engine.core.commands import Start

    world = NoticeWorld(("candidate",))
    secretary = By(officer="xa1_secretary")
    facts = {"full_name": "Lê Văn An", "introduced_by": "cb1", "motives": "m", "helper": "h"}
    world.service.start(Start(workflow="candidate", id="u1", org="cb1", facts=facts), secretary)
    proposed = {"branch_proposed_on": date(2023, 12, 1)}
    world.service.move(Move(subject="u1", trigger="recognise", facts=proposed), secretary)
    given = {"certificate_no": "1", "certificate_issuer": "c", "certificate_on": date(2019, 3, 1)}
    world.service.move(Move(subject="u1", trigger="certify", facts=given), By(officer="xa1_clerk"))
    text = unfolded(feed(world.service, world.service.feeds.open("xa1_secretary", OWN)))
    assert "DTSTART;VALUE=DATE:20240301" in text
    assert "Lê Văn An" not in text
