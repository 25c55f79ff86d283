"""Working days of an inspector: one unit, backdating, a consent, breaches with their reasons, a trail that tells."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import docx
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.store.open import open_store
from tests.browser.conftest import LOOKS, Desk, says
from tests.browser.people import name_units, person, take
from tests.integration.audit.lab import opened
from tests.web_office import serving
from tests.world import office_time, trail


@pytest.mark.parametrize("look", LOOKS)
def test_one_unit_is_supervised_and_each_case_has_its_sheet(january: Desk, look: str) -> None:
    person(january.office, "u1", "Vũ Thị Ngọc Ánh", stage="trained")
    person(january.office, "u2", "Lê Hữu Phước", org="cb3", stage="elite")
    page = january.at(look, "tu_inspector").go("/")
    page.get_by_role("link", name="Kiểm tra, giám sát").first.click()
    page.get_by_role("link", name="Giám sát một đơn vị").click()
    unit = page.get_by_label("Đơn vị").locator("option", has_text="Đảng ủy xã Phú Khê").first
    page.get_by_label("Đơn vị").select_option(value=unit.get_attribute("value"))
    page.get_by_label("Mỗi hồ sơ một trang").select_option(label="Có")
    page.get_by_label("Lập để làm gì").fill("Quyết định 21-QĐ/UBKT")
    page.get_by_role("button", name="Lập báo cáo").click()
    says(page, "Vũ Thị Ngọc Ánh")
    expect(page.get_by_role("main")).not_to_contain_text("Lê Hữu Phước")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Word (.docx)").click()
    read = docx.Document(io.BytesIO(Path(taken.value.path()).read_bytes()))
    text = "\n".join([p.text for p in read.paragraphs] + [c.text for t in read.tables for r in t.rows for c in r.cells])
    assert "Vũ Thị Ngọc Ánh" in text
    assert "Đưa vào danh sách quần chúng ưu tú" in text
    assert "Lê Hữu Phước" not in text


@pytest.mark.parametrize("look", LOOKS)
def test_backdating_is_sorted_by_delay_with_who_and_when(january: Desk, look: str) -> None:
    office = january.office
    for n, days in enumerate((17, 9)):
        take(office, f"annual_plan-{('xa1', 'xa2')[n]}-2025", "receive", "tcnv_clerk",
             received_at=f"2025-01-{days:02}T10:00+07:00")  # fmt: skip
    page = january.at(look, "tu_inspector").go("/inspection")
    page.get_by_role("link", name=re.compile("Ghi chậm|Ghi muộn")).click()
    lines = page.get_by_role("main").get_by_role("row")
    expect(lines.nth(1)).to_contain_text("Đảng ủy xã Tân Lập")
    expect(lines.nth(1)).to_contain_text("12")
    expect(lines.nth(1)).to_contain_text("tcnv_clerk")
    expect(lines.nth(1)).to_contain_text("21/01/2025")
    expect(lines.nth(2)).to_contain_text("Đảng ủy xã Phú Khê")


@pytest.mark.parametrize("look", LOOKS)
def test_of_an_admission_over_sixty_the_consent_is_seen_to_predate_the_decision(january: Desk, look: str) -> None:
    office = january.office
    facts = {"birth_date": "1960-03-08", "over_60_grounds": "Nơi chưa có đảng viên", "province_consent_no": "77-CV/TU",
             "province_consent_on": "2025-01-13"}  # fmt: skip
    person(office, "u1", "Cụ Vũ Văn Thọ", stage="reviewed", facts=facts)
    take(office, "u1", "admit", "tu_standing", date(2025, 1, 20), decision_no="3-QĐ/TU", decision_on=date(2025, 1, 20))
    page = january.at(look, "tu_inspector").go("/inspection")
    page.get_by_label("Người", exact=True).fill("vu van tho")
    page.get_by_role("region", name="Tìm trong nhật ký").get_by_role("button", name="Tìm").click()
    page.locator("tr", has_text="Quyết định kết nạp").locator("td.nb a").click()
    rule = page.get_by_role("row").filter(has_text="văn bản đồng ý của cấp ủy tỉnh trước khi quyết định")
    expect(rule).to_contain_text(re.compile("đạt", re.IGNORECASE))
    page.get_by_role("link", name="Cụ Vũ Văn Thọ").click()
    facts_of = page.locator("#facts dl")
    expect(facts_of.filter(has_text="Ngày văn bản đồng ý của cấp ủy tỉnh")).to_contain_text("13/01/2025")
    expect(facts_of.filter(has_text="Ngày quyết định")).to_contain_text("20/01/2025")


@pytest.mark.parametrize("look", LOOKS)
def test_breaches_and_extensions_are_read_with_their_reasons(january: Desk, look: str) -> None:
    office = january.office
    person(office, "u1", "Vũ Thị Ngọc Ánh", stage="reviewed", reviewed_on=date(2025, 1, 10))
    office.clock.set(office_time(date(2025, 7, 1)))
    take(office, "u1", "admit", "tu_standing", date(2025, 6, 30), decision_no="31-QĐ/TU",
         reason="Chờ thẩm tra lý lịch ở nước ngoài", decision_on=date(2025, 6, 30))  # fmt: skip
    page = january.at(look, "tu_inspector").go("/inspection")
    page.get_by_role("link", name="Ngoại lệ đã được cho qua").click()
    line = page.get_by_role("row").filter(has_text="Vũ Thị Ngọc Ánh")
    expect(line).to_contain_text("Quyết định trong 60 ngày làm việc")
    expect(line).to_contain_text("Chờ thẩm tra lý lịch ở nước ngoài")
    expect(line).to_contain_text("tu_standing")


def bundle(page: Page, folder: Path) -> Path:
    """Takes a bundle out by the page and unpacks it, as onto a stick."""
    page.get_by_role("link", name="Lấy gói nhật ký").click()
    page.get_by_role("button", name="Ghi gói nhật ký").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Tải tệp (.zip)").click()
    with zipfile.ZipFile(taken.value.path()) as packed:
        packed.extractall(folder)
    return folder / "ketnap"


def verified(folder: Path) -> tuple[int, str]:
    """Runs what lies in the bundle with nothing but Python: no package, no network, no setting."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify_bundle.py"], cwd=folder, capture_output=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("look", LOOKS)
def test_a_bundle_on_a_stick_verifies_offline_or_names_the_altered_event(
    january: Desk, look: str, tmp_path: Path
) -> None:
    person(january.office, "u1", "Vũ Thị Ngọc Ánh", stage="elite")
    stick = bundle(january.at(look, "tu_inspector").go("/inspection"), tmp_path)
    code, said = verified(stick)
    assert code == 0, said
    assert said.strip().splitlines()[-1] == "đúng"
    lines = (stick / "events.jsonl").read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if "cb1_secretary" in line)
    lines[at] = lines[at].replace("cb1_secretary", "xa1_secretary", 1)
    (stick / "events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said = verified(stick)
    assert code != 0
    assert re.search(rf"\b{at}\b", said), said


def test_a_row_altered_behind_the_program_is_named_on_the_page(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "office.db"
    with serving(open_store(f"sqlite:///{file}")) as office:
        name_units(office)
        person(office, "u1", "Vũ Thị Ngọc Ánh", stage="elite")
        desk = Desk(browser, office)
        page = desk.at("laptop", "tu_inspector").go("/inspection")
        page.get_by_role("link", name="Kiểm tra nhật ký").click()
        page.get_by_role("button", name="Kiểm tra nhật ký").click()
        expect(page.get_by_role("heading", name="Nhật ký nguyên vẹn")).to_be_visible()
        seq = next(e.seq for e in trail(office.service.kit.store) if e.kind == "moved")
        with opened(file) as db:
            db.execute("UPDATE events SET body = replace(body, 'xa1_secretary', 'cb1_secretary') WHERE seq = ?", (seq,))
        page.goto(office.base + "/inspection/verify")
        page.get_by_role("button", name="Kiểm tra nhật ký").click()
        says(page, "Nhật ký không khớp")
        page.locator(f'a[href="/inspection/events/{seq}"]').first.click()
        says(page, "Đưa vào danh sách quần chúng ưu tú")
        for context in desk.opened:
            context.close()
