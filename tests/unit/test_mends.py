"""What an officer is told to do about a rule in the way is what helps."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from engine.answers import Document, Teller
from engine.core.commands import Move, SetFacts
from engine.steps import By
from tests.report_world import Person, ReportTown
from tests.world import office_time
from web.words import translator

HEAD = By(officer="tu_secretary")


def _why(town: ReportTown, subject: str, on: date) -> Document:
    teller = Teller(lang="vi", translate=translator("vi"), zone=ZoneInfo("Asia/Ho_Chi_Minh"))
    stands, prospects = town.service.why(subject, "hold_ceremony", officer="tu_secretary", on=on)
    document: Document = teller.why(town.service.reading.definition(subject), stands, prospects)["transitions"][0]
    return document


def test_a_limit_that_counts_from_an_unknown_day_asks_for_that_day_first() -> None:
    """No consent and no reason helps a ceremony before the day on which the decision was received is written."""
    town = ReportTown(office_time(date(2025, 3, 3)))
    town.play(Person(id="a", unit="cb1", begun=date(2024, 6, 1)))
    [probation] = town.service.find("probation", "cb1", {})
    on, given = date(2025, 3, 3), {"ceremony_on": "2025-03-03"}
    asked = Move(subject=probation, trigger="hold_ceremony", facts=given, on=on, reason="Chờ")
    assert not town.service.move(asked, HEAD).allowed
    told = _why(town, probation, on)
    first = "Ghi trước: Ngày chi bộ nhận quyết định (ở hồ sơ: Người được kết nạp)"
    assert first in told["next"]
    assert first in [g["mend"] for g in told["guards"]]
    assert not [line for line in told["next"] if "đồng ý" in line]
    town.service.set_facts(SetFacts(subject="a", facts={"decision_received_on": "2024-12-15"}), HEAD)
    late = _why(town, probation, on)["next"]
    assert not [line for line in late if line == first]
    assert town.service.move(asked, HEAD).allowed
