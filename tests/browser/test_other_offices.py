"""The pages of another field, which has no file of pages; and the pages over PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, expect

from engine.clock import SetClock
from engine.library import find_sources
from engine.officework import OfficerChange, OrgChange
from engine.service import Service
from engine.store.open import open_store
from engine.store.ports import Store
from tests.browser.conftest import Desk, furnish, furnish_work, says, step
from tests.browser.pages import PAGES
from tests.browser.test_pages import look
from tests.web_office import WORKFLOWS, serving
from tests.world import office_time, wire

PERMITS = Path(__file__).parents[2] / "examples" / "permits"
UNITS = (("xa", "commune", "Ủy ban nhân dân xã Phú Khê", None), ("mc", "desk", "Bộ phận Một cửa", "xa"),
         ("kt", "office", "Phòng Kinh tế - Hạ tầng", "xa"))  # fmt: skip
PEOPLE = (("nhan", "mc", "receptionist", "Lê Thị Nhàn"), ("tham", "kt", "examiner", "Đỗ Văn Thẩm"),
          ("chu", "xa", "chair", "Trần Chủ"), ("tri", "xa", "admin", "Vũ Quản Trị"))  # fmt: skip
OF_OTHERS = (
    "/", "/list/permit", "/list/permit/at/examined", "/matters/permit", "/matters/signing", "/start/permit", "/notices",
    "/notices/mine", "/procedures", "/procedures/permit", "/reports", "/subjects/permit-1", "/subjects/permit-1/facts",
    "/subjects/permit-1/steps/extend", "/subjects/signing-1/sheets/sign", "/organisations", "/officers", "/substitutes",
    "/days", "/account", "/acting", "/transfers", "/scores", "/imports", "/inspection",
)  # fmt: skip


def permits(store: Store, clock: SetClock) -> tuple[Service, Iterable[str]]:
    """Founds a commune's one-stop desk from the example, as `ketnap init --workflows` does."""
    store.create()
    service = wire(store, clock)
    service.load(find_sources([str(PERMITS)]), sandbox=True)
    hand = service.set_up()
    hand.orgs(OrgChange(id=id, kind=kind, name=name, parent=above) for id, kind, name, above in UNITS)
    hand.officers(OfficerChange(id=id, name=name, org=org, roles=[role]) for id, org, role, name in PEOPLE)
    return service, [p[0] for p in PEOPLE]


def test_a_permit_goes_through_pages_that_nobody_wrote_a_file_for(browser: Browser) -> None:
    with serving(found=permits) as office:
        desk, wrong, seen = Desk(browser, office), list[str](), set[str]()
        page = desk.at("laptop", "nhan").go("/")
        page.get_by_role("link", name="Danh sách").click()
        page.get_by_role("link", name="Tiếp nhận hồ sơ").click()
        page.get_by_label("Người nộp hồ sơ").fill("Vũ Văn Dân")
        page.get_by_label("Loại công trình").select_option(label="Nhà ở riêng lẻ")
        page.get_by_role("button", name="Tiếp nhận hồ sơ").click()
        says(page, "Đã ghi: Tiếp nhận hồ sơ, Vũ Văn Dân.")
        step(page, "Nhận đủ hồ sơ")
        for paper in ("Đơn đề nghị cấp giấy phép", "Giấy tờ về quyền sử dụng đất", "Bản vẽ thiết kế"):
            page.get_by_label(paper).fill("20/01/2025")
        page.get_by_role("button", name="Nhận đủ hồ sơ").click()
        says(page, "Đã ghi: Nhận đủ hồ sơ")
        page.goto(office.base + "/matters/signing")
        page.get_by_role("link", name="Trình ký", exact=True).first.click()
        page.get_by_role("button", name="Trình ký").click()
        says(page, "Đã ghi: Trình ký")
        for officer, _, _, _ in PEOPLE:
            visitor, client = desk.visitor(officer), office.client(officer)
            for path in OF_OTHERS:
                status = client.get(path).status_code
                assert status in (200, 404), (officer, path, status)
                if status == 200 and path not in seen:
                    seen.add(path)
                    visitor.go(path)
                    wrong += look(visitor, f"{officer} {path}".replace("/", "-"))
        assert not wrong
        page = desk.at("plain", "chu").go("/matters/signing")
        page.get_by_role("main").get_by_role("link", name=re.compile("^Ký ")).first.click()
        line = page.get_by_role("row").filter(has_text="Vũ Văn Dân")
        line.get_by_role("radio", name="Cấp giấy phép").check()
        line.get_by_label("Số giấy phép").fill("7/GPXD")
        page.get_by_role("button", name="Kiểm tra, rồi ghi").click()
        page.get_by_role("button", name="Ghi cả phiếu").click()
        says(page, "Đã ghi: Ký")
        assert office.service.show("permit-1")[0].subject.state == "granted"
        for context in desk.opened:
            context.close()


def test_every_page_answers_over_postgresql_and_a_plan_is_received(browser: Browser, postgres_url: str) -> None:
    store = open_store(postgres_url)
    with serving(store, workflows=(*WORKFLOWS, "training_class")) as office:
        furnish(office)
        furnish_work(office)
        desk = Desk(browser, office)
        clients = {officer: office.client(officer) for officer in {o for o, _ in PAGES.values()}}
        for name, (officer, path) in PAGES.items():
            answer = clients[officer].get(path)
            assert answer.status_code == (404 if name == "not-found" else 200), (name, answer.status_code)
        office.clock.set(office_time(date(2025, 1, 22)))
        page = desk.at("plain", "tcnv_clerk").go("/grid/annual_plan/2025")
        row = page.get_by_role("row").filter(has_text="Đảng ủy xã Phú Khê")
        row.locator("summary").click()
        row.get_by_role("button", name="Ghi: Nhận").click()
        expect(page.get_by_role("status")).to_contain_text("Đảng ủy xã Phú Khê: Đã nhận (22/01/2025 09:00).")
        for context in desk.opened:
            context.close()
    store.close()
