"""A browser: the system's Chromium, driven by Playwright, on the pages of the test office."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from engine.core.commands import Line, Move, Start
from engine.officework import OrgChange
from engine.steps import By
from tests.browser.people import name_units
from tests.need import need
from tests.web_office import PASSWORD, WORKFLOWS, PagesOffice, serving
from tests.world import office_time

# The headless shell is the same Chromium without the windows that nobody looks at here: it takes half the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((p for p in map(shutil.which, NAMES) if p), None)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--in-process-gpu", "--renderer-process-limit=1", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=15_000)  # milliseconds; a busy machine needs more than the usual five seconds
SIZES = {"phone": (360, 780), "laptop": (1366, 900)}
# size, with scripts: a story is played at a laptop, and at a telephone whose scripts are off; a few also with them on
LOOKS = {"laptop": ("laptop", True), "plain": ("phone", False)}
EVERY_LOOK = {**LOOKS, "phone": ("phone", True)}
SHOTS = Path(__file__).parents[2] / "screenshots"
TIMEOUT = 15_000  # milliseconds a page may take on a busy machine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    need(CHROMIUM is not None, "no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def office() -> Iterator[PagesOffice]:
    """The test office with three people on their way, and its pages."""
    with serving(workflows=(*WORKFLOWS, "training_class")) as found:
        furnish(found)
        furnish_work(found)
        yield found


def furnish(office: PagesOffice) -> None:
    """Puts names and people into the office."""
    hand = office.service.set_up()
    names = {"tu": "Thị ủy Hòa Lâm", "xa1": "Đảng ủy xã Phú Khê", "cb1": "Chi bộ thôn Đông Thượng"}
    hand.orgs(OrgChange(id=id, name=name) for id, name in names.items())
    by = By(officer="cb1_secretary")
    people = (("u1", "Vũ Thị Ngọc Ánh", "1996-08-14"), ("u2", "Lê Hữu Phước", "1999-01-02"), ("u3", "Đặng <b>", None))
    for id, name, born in people:
        facts = {"full_name": name, "birth_date": born, "sex": "female", "religion": "none", "education": "university"}
        given = {n: v for n, v in facts.items() if v is not None}
        office.service.start(Start(workflow="candidate", org="cb1", id=id, facts=given), by)
    recognised = {
        "branch_proposed_on": "2025-01-20", "motives": "Muốn cống hiến", "helper": "Nguyễn Văn Thịnh",
        "helper_is_formal": "true", "helper_together_since": "2022-09-10",
    }  # fmt: skip
    office.service.move(Move(subject="u2", trigger="recognise", facts=recognised), By(officer="xa1_secretary"))
    certified = {
        "certificate_no": "118/GCN",
        "certificate_issuer": "Trung tâm Chính trị",
        "certificate_on": "2020-01-28",
    }
    office.service.move(
        Move(subject="u2", trigger="certify", facts=certified, on=date(2025, 1, 21)), By(officer="ttct_trainer")
    )


def furnish_work(office: PagesOffice) -> None:
    """Opens the month's review with a proposal, the plans of the year, and a class."""
    service = office.service
    review = Start(workflow="monthly_review", org="xa1", id="r1", facts={"month": "2025-01"})
    service.start(review, By(officer="xa1_secretary"))
    lines = [Line(subject="u1", do="add"), Line(subject="u2", do="send_to_class")]
    proposed = Move(subject="r1", trigger="send_proposals", facts={"branch": "cb1"}, lines=lines)
    service.move(proposed, By(officer="cb1_secretary"))
    for unit in ("xa1", "xa2", "cs1"):
        start = Start(workflow="annual_plan", org=unit, facts={"year": 2025})
        service.start(start, By(officer=f"{unit}_secretary"))
    service.move(Move(subject="annual_plan-cs1-2025", trigger="receive"), By(officer="tcnv_clerk"))
    facts = {"kind": "awareness", "class_title": "Khóa I/2025", "starts_on": "2025-02-10", "places": 40}
    trainer = By(officer="ttct_trainer")
    service.start(Start(workflow="training_class", org="ttct", id="k1", facts=facts), trainer)
    service.move(Move(subject="k1", trigger="open_class", facts={"allotments": {"xa1": 10, "xa2": 8}}), trainer)


def says(page: Page, text: str) -> None:
    """Waits until the page says it; a click returns before the next page is there."""
    expect(page.locator("body")).to_contain_text(text, timeout=TIMEOUT)


def step(page: Page, name: str) -> None:
    """Opens a step on a subject's page and goes to its form."""
    if not page.get_by_role("link", name=name, exact=True).is_visible():
        page.locator("details.step > summary").filter(has_text=name).click()
    page.get_by_role("link", name=name, exact=True).click()


class Visitor:
    """An officer at a browser."""

    def __init__(self, office: PagesOffice, context: BrowserContext) -> None:
        self.office, self.context = office, context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []  # what the browser says of the policy, of scripts, of missing files
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))

    def go(self, path: str) -> Page:
        """Opens a page."""
        self.page.goto(self.office.base + path)
        return self.page

    def come_in(self, officer: str) -> None:
        """Takes over the session of somebody who signed in elsewhere, for tests that are about what comes after."""
        session = self.office.client(officer).http.cookies["ketnap"]
        self.context.add_cookies([{"name": "ketnap", "value": session, "url": self.office.base}])

    def sign_in(self, officer: str) -> Page:
        """Signs in through the form."""
        page = self.go("/sign-in")
        page.get_by_label("Tên đăng nhập").fill(officer)
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        if code := self.office.code(officer):
            page.get_by_label("Mã một lần").fill(code)
        page.get_by_role("button", name="Đăng nhập").click()
        page.wait_for_url(self.office.base + "/")
        return page


class Desk:
    """Opens browsers for officers."""

    def __init__(self, browser: Browser, office: PagesOffice) -> None:
        self.browser, self.office = browser, office
        self.opened: list[BrowserContext] = []

    def visitor(self, officer: str | None = None, size: str = "laptop", *, scripts: bool = True) -> Visitor:
        """Returns somebody at a browser of their own, who is signed in already if named."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", java_script_enabled=scripts
        )
        context.set_default_timeout(TIMEOUT)
        self.opened.append(context)
        visitor = Visitor(self.office, context)
        if officer is not None:
            visitor.come_in(officer)
        return visitor

    def at(self, look: str, officer: str) -> Visitor:
        """Returns an officer who signed in through the form, at a browser of this look."""
        size, scripts = EVERY_LOOK[look]
        visitor = self.visitor(None, size, scripts=scripts)
        visitor.sign_in(officer)
        return visitor


@pytest.fixture
def january(browser: Browser) -> Iterator[Desk]:
    """The office on 21 January 2025, the plans and the reviews opened by the clock, nobody on the list yet."""
    with serving(workflows=(*WORKFLOWS, "training_class"), now=office_time(date(2024, 12, 31))) as found:
        name_units(found)
        for day in (date(2024, 12, 31), date(2025, 1, 2), date(2025, 1, 21)):
            found.clock.set(office_time(day))
            found.service.tick()
        made = Desk(browser, found)
        yield made
        for context in made.opened:
            context.close()


@pytest.fixture
def desk(browser: Browser, office: PagesOffice) -> Iterator[Desk]:
    """A way to put officers at browsers."""
    made = Desk(browser, office)
    yield made
    for context in made.opened:
        context.close()
