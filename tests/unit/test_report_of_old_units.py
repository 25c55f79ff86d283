"""A report of 2024 shows the units of 2024, whatever is merged, renamed or moved later."""

from __future__ import annotations

from datetime import date

from engine.officework import OrgChange
from engine.recording import Past, Record
from engine.steps import By
from reports.periods import year_span
from tests.report_world import ReportTown, rows
from tests.world import office_time


def test_a_report_of_2024_is_the_same_before_and_after_the_units_change() -> None:
    """Names and sums by unit stay; the report of 2025 shows who was there in 2025."""
    town = ReportTown(
        office_time(date(2025, 7, 1)), ["candidate", "target", "annual_plan", "probation", "monthly_review"]
    )
    by = By(officer="tu_secretary")
    records = []
    for n, (org, day) in enumerate((("cb1", date(2024, 3, 1)), ("cb3", date(2024, 5, 1)), ("xa1", date(2024, 6, 1)))):
        past = (Past(on=day, trigger="admit"),)
        records.append(Record(workflow="candidate", org=org, on=day, facts={"full_name": f"N{n}"}, past=past))
    town.service.past.record(records, by)
    before = rows(town.report("yearly", year_span(2024)), "theo đơn vị")
    town.service.organisations.put(
        [
            OrgChange(id="cb1", name="Chi bộ khu phố 1", from_=date(2025, 7, 1)),
            OrgChange(id="xa1", merge_into="xa2", from_=date(2025, 7, 1)),
        ],
        By(officer="tu_admin"),
    )
    after = rows(town.report("yearly", year_span(2024)), "theo đơn vị")
    assert before == after
    assert sum(row["admitted"] for name, row in after.items() if name != "total") == after["total"]["admitted"] == 3
    assert "xa1" in after
