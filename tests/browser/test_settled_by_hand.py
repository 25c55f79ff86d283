"""What only a person can settle, from sign-in to result: a notice whose fate is unknown, a transfer that is refused."""

from __future__ import annotations

import pytest

from engine.core.commands import Move
from engine.steps import By
from tests.browser.conftest import LOOKS, Desk, says, step


@pytest.mark.parametrize("look", LOOKS)
def test_a_notice_whose_fate_is_unknown_is_found_looked_at_and_settled(desk: Desk, look: str) -> None:
    size, scripts = LOOKS[look]
    service = desk.office.service
    desk.office.go_on(desk.office.clock.now())
    desk.office.lose("xa1_secretary")
    before = [row for row, _ in service.outbox.rows()]
    page = desk.visitor("tu_admin", size, scripts=scripts).go("/notices")
    page.get_by_role("link", name="Cần xử lý").click()
    page.get_by_role("link", name="Xử lý", exact=True).first.click()
    id = page.url.rpartition("/")[2]
    page.get_by_label("Lý do").fill("Đã gọi điện, đồng chí đã nhận được")
    page.get_by_role("button", name="Đã đến nơi").click()
    says(page, "đã gửi")
    (message,) = {r.message for r in before if r.id == id}
    lost = {r.id for r in before if r.message == message}
    assert {r.state for r in before if r.id in lost} == {"unknown"}
    after = {r.id: r.state for r, _ in service.outbox.rows()}
    assert after == {r.id: "accepted" if r.id in lost else r.state for r in before}, "all of one message, and no other"


@pytest.mark.parametrize("look", LOOKS)
def test_a_unit_refuses_whom_it_does_not_take_and_nobody_has_moved(desk: Desk, look: str) -> None:
    size, scripts = LOOKS[look]
    sent = Move(subject="u1", trigger="transfer", facts={"to_org": "cb3"}, reason="Chuyển công tác")
    desk.office.service.move(sent, By(officer="cb1_secretary"))
    page = desk.visitor("cb3_secretary", size, scripts=scripts).go("/transfers")
    page.get_by_role("link", name="Vũ Thị Ngọc Ánh").click()
    step(page, "Không tiếp nhận")
    page.get_by_label("Lý do").fill("Chưa có quyết định điều động")
    page.get_by_role("button", name="Không tiếp nhận").click()
    says(page, "Đã ghi")
    with desk.office.service.work() as work:
        subject = work.case("u1").subject
    assert (subject.org, subject.facts.get("to_org")) == ("cb1", None)
