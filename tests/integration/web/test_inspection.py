"""An inspector finds everything alone, within reach, and changes nothing; an altered row is named."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest

from engine.audit.note import SigningKey
from engine.clock import SetClock
from engine.core.commands import Move, Start
from engine.core.events import CHECKPOINT_LEFT, EXPORTED, LISTED
from engine.officework import OfficerChange
from engine.steps import By
from engine.store.open import open_store
from tests.integration.audit.lab import opened
from tests.integration.web.test_imports import follow
from tests.integration.web.test_reports import FACTS, made
from tests.web_office import KEY, PagesOffice, hashed, serving
from tests.world import trail, wire

PAGES = (
    "/inspection", "/inspection/lists/exceptions", "/inspection/lists/late", "/inspection/lists/refused",
    "/inspection/lists/openings", "/inspection/supervision", "/inspection/verify", "/inspection/checkpoint",
    "/inspection/bundle", "/inspection/events/3",
)  # fmt: skip


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """Two people of two committees; one was entered late, of one a step was refused."""
    with serving() as found:
        service = found.service
        facts = {**FACTS, "full_name": "Vũ Thị Ngọc Ánh", "birth_date": "1996-08-14"}
        service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts, on=date(2025, 1, 3)), By(
            officer="cb1_secretary"))  # fmt: skip
        named = {"full_name": "Lê <b>Hữu Phước"}
        service.start(Start(workflow="candidate", org="cb3", id="u2", facts=named), By(officer="cb3_secretary"))
        assert not service.move(Move(subject="u2", trigger="recognise"), By(officer="xa2_secretary")).allowed
        yield found


def shown(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_inspector_sees_every_page_and_nobody_else_does(office: PagesOffice) -> None:
    inspector = office.client("tu_inspector")
    for path in PAGES:
        answer = inspector.get(path)
        assert answer.status_code == 200, (path, answer.text)
    for officer in ("tu_admin", "tu_secretary", "xa1_clerk", "ttct_trainer"):
        client = office.client(officer)
        for path in PAGES:
            assert client.get(path).status_code == 404, (officer, path)
        for path in ("/inspection/bundle", "/inspection/verify", "/inspection/checkpoint", "/inspection/search"):
            assert client.post(path, {"to": "tôi"}, page="/").status_code == 404, (officer, path)


def test_looking_changes_nothing_but_what_is_noted_of_it(office: PagesOffice) -> None:
    before = len(trail(office.service.kit.store))
    inspector = office.client("tu_inspector")
    for path in PAGES:
        inspector.get(path)
    noted = trail(office.service.kit.store, after=before - 1)
    assert {e.kind for e in noted} <= {LISTED, "signed_in"}
    assert all(e.actor == "tu_inspector" for e in noted)


def test_a_search_by_name_stands_in_no_address_and_finds_with_or_without_accents(office: PagesOffice) -> None:
    inspector = office.client("tu_inspector")
    answer = inspector.post("/inspection/search", {"person": "huu phuoc"}, page="/inspection")
    to = answer.headers["location"]
    assert re.fullmatch(r"/inspection/search/[\w-]+", to)
    page = inspector.get(to).text
    assert "Lê &lt;b&gt;Hữu Phước" in page
    assert "Ngọc Ánh" not in re.sub(r"<option.*?</option>", "", page)
    assert office.client("tu_inspector").get(to).status_code == 303, "another session does not have it"


def test_refusals_late_entries_and_openings_are_listed_with_who_and_when(office: PagesOffice) -> None:
    inspector = office.client("tu_inspector")
    inspector.get("/subjects/u1")
    refused = shown(inspector.get("/inspection/lists/refused").text)
    assert "Lê <b>Hữu Phước" in refused
    assert "xa2_secretary" in refused
    late = inspector.get("/inspection/lists/late").text
    assert '<span class="late">18</span>' in late, "entered on 21/01 for 03/01"
    assert "cb1_secretary" in late
    opened = shown(inspector.get("/inspection/lists/openings").text)
    assert "tu_inspector 1 1 0 0" in opened
    found = inspector.post("/inspection/search", {"kind": "refused", "unit": "xa2"}, page="/inspection")
    assert "Lê" in inspector.get(found.headers["location"]).text
    happened = {"first": "03/01/2025", "last": "03/01/2025"}
    for by, there in (("on", True), ("at", False)):
        answer = inspector.post("/inspection/search", {**happened, "by": by}, page="/inspection")
        assert ("Ngọc Ánh" in inspector.get(answer.headers["location"]).text) is there


def test_a_search_pages_on_without_losing_or_doubling(office: PagesOffice) -> None:
    by = By(officer="cb1_secretary")
    for n in range(60):
        office.service.start(Start(workflow="candidate", org="cb1", id=f"p{n}", facts={"full_name": f"Người {n}"}), by)
    inspector = office.client("tu_inspector")
    to = inspector.post("/inspection/search", {"kind": "steps"}, page="/inspection").headers["location"]
    seen: list[str] = []
    while to:
        page = inspector.get(to).text
        seen += re.findall(r'/inspection/events/(\d+)"', page)
        onward = re.search(r'href="(/inspection/search/[\w-]+\?before=\d+)"', page)
        to = onward[1] if onward else ""
    assert len(seen) == len(set(seen)) == 62


def test_an_inspector_of_one_unit_reads_no_event_of_another(office: PagesOffice) -> None:
    hand = office.service.set_up()
    hand.officers([OfficerChange(id="xa1_inspector", name="xa1_inspector", org="xa1", roles=("inspector",),
                                 password=hashed())])  # fmt: skip
    client = office.client("xa1_inspector")
    answer = client.post("/inspection/search", {}, page="/inspection")
    page = client.get(answer.headers["location"]).text
    assert "Ngọc Ánh" in page
    assert "Hữu Phước" not in page
    assert "Hữu Phước" not in client.get("/inspection/lists/refused").text
    for event in trail(office.service.kit.store):
        within = event.org in ("xa1", "cb1", "cb2", "doan1")
        if event.kind in ("started", "refused", "office_changed"):
            assert client.get(f"/inspection/events/{event.seq}").status_code == (200 if within else 404), event
    assert client.get("/inspection/events/999999").status_code == 404
    assert client.get("/inspection/verify").status_code == 404
    for form in ({}, {"unit": "xa2"}, {"unit": "tu"}):
        assert client.post("/inspection/bundle", form).status_code == 400
    assert client.post("/inspection/supervision", {"unit": "xa2", "first": "01/01/2025"}).status_code == 400


def test_a_unit_is_supervised_and_the_report_taken_away(office: PagesOffice) -> None:
    inspector = office.client("tu_inspector")
    form = {"unit": "xa2", "first": "01/01/2025", "purpose": "Quyết định 12-QĐ/UBKT"}
    to, page = made(inspector, "", address="/inspection/supervision", **form)
    assert "Lê &lt;b&gt;Hữu Phước" in page.text
    assert "Ngọc Ánh" not in page.text
    answer = inspector.post(to, {"form": "docx"})
    assert answer.content.startswith(b"PK")
    noted = [e for e in trail(office.service.kit.store) if e.kind == EXPORTED]
    assert [(e.actor, e.detail["what"]) for e in noted] == [("tu_inspector", "supervision")]


def test_the_trail_verifies_until_a_row_is_altered(tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    with serving(open_store(f"sqlite:///{file}")) as office:
        facts = {"full_name": "Lê Hữu Phước"}
        office.service.start(Start(workflow="candidate", org="cb3", id="u2", facts=facts), By(officer="cb3_secretary"))
        inspector = office.client("tu_inspector")
        inspector.post("/inspection/checkpoint", {"to": "Ủy ban Kiểm tra"})
        note = inspector.get("/inspection/checkpoint/note").text
        _, page = made(inspector, "", address="/inspection/verify", note=note)
        assert "1 điểm" in shown(page.text) or "2 điểm" in shown(page.text)
        assert "Nhật ký không khớp" not in shown(page.text)
        key = str(KEY.verifier)
        assert "Đây không phải là khóa" in inspector.post("/inspection/verify", {"key": "ketnap/x"}).text
        _, page = made(inspector, "", address="/inspection/verify", note=note, key=key)
        assert "Nhật ký không khớp" not in shown(page.text)
        other = str(SigningKey(name=KEY.name, seed=bytes([1] * 32)).verifier)
        _, page = made(inspector, "", address="/inspection/verify", note=note, key=other)
        assert "khóa" in shown(page.text)
        assert "Nhật ký không khớp" in shown(page.text)
        two = [("file", ("a.txt", note.encode())), ("file", ("b.eml", b"Subject: x\n\n" + note.encode()))]
        hidden = inspector.hidden("/inspection/verify")
        answer = inspector.http.post("/inspection/verify", data=hidden, files=two)
        assert "Nhật ký nguyên vẹn" in shown(follow(inspector, answer).text)
        seq = next(e.seq for e in trail(office.service.kit.store) if e.kind == "started")
        with opened(file) as db:
            db.execute("UPDATE events SET body = replace(body, 'cb3_secretary', 'cb1_secretary') WHERE seq = ?", (seq,))
        _, page = made(inspector, "", address="/inspection/verify", note=note)
        assert f'href="/inspection/events/{seq}"' in page.text
        assert "Nhật ký không khớp" in shown(inspector.get("/inspection").text)


def test_an_officer_is_told_that_the_clock_was_set_back(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    ahead = wire(office.service.kit.store, SetClock(office.clock.now() + timedelta(minutes=30)))
    ahead.start(Start(workflow="candidate", org="cb1", id="u9", facts={"full_name": "An"}), By(officer="cb1_clerk"))
    answer = client.post("/subjects/u1/facts", {"f.helper": "Lê Mai"}, "/account")
    assert answer.status_code == 503
    assert "Đồng hồ của máy chậm 30 phút" in shown(answer.text)
    assert "Hãy chỉnh lại giờ" in shown(answer.text)


def test_a_checkpoint_is_signed_for_whoever_carries_it_out(office: PagesOffice) -> None:
    inspector = office.client("tu_inspector")
    assert inspector.post("/inspection/checkpoint", {"to": "  "}).status_code == 400
    answer = inspector.post("/inspection/checkpoint", {"to": "đồng chí Nghĩa"})
    page = inspector.get(answer.headers["location"]).text
    assert "<svg" in page
    assert len(re.findall(r"<li>[^<]+ – [^<]+</li>", page)) > 3
    left = [e for e in trail(office.service.kit.store) if e.kind == CHECKPOINT_LEFT]
    assert [(e.actor, e.detail["way"], e.detail["to_whom"]) for e in left] == [
        ("tu_inspector", "print", "đồng chí Nghĩa")
    ]


def test_a_bundle_is_taken_out_and_verifies_elsewhere(office: PagesOffice, tmp_path: Path) -> None:
    inspector = office.client("tu_inspector")
    to, page = made(inspector, "", address="/inspection/bundle", unit="xa1")
    assert page.status_code == 200
    packed = inspector.get(f"{to}/file")
    assert packed.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(packed.content)) as file:
        file.extractall(tmp_path)
    told = (tmp_path / "ketnap" / "report.html").read_text(encoding="utf-8")
    assert "Ngọc Ánh" in told
    assert "Hữu Phước" not in told
    done = subprocess.run(
        [sys.executable, "verify_bundle.py"], cwd=tmp_path / "ketnap", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert office.client("tu_secretary").get(f"{to}/file").status_code == 404
