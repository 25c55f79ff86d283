"""Reading the trail on the command line: who opened what, other times, differences, finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.cli.conftest import LISTS, Ketnap, plain


def test_every_opening_of_a_dossier_stands_in_the_trail_and_again_within_minutes_is_one(office: Ketnap) -> None:
    office.elite()
    for args in (
        ("show", "u1"),
        ("show", "u1"),
        ("history", "u1"),
        ("why", "u1"),
        ("show", "u1", "--as-of", "2999-01-01"),
    ):
        office.run(*args)
    opened = [e for e in office.ask("history", "u1", "--openings") if e["kind"] == "opened"]
    assert [e["detail"]["through"] for e in opened] == ["show", "history", "why"]
    assert all(e["account"] and e["channel"] == "cli" for e in opened)
    assert all(e["kind"] != "opened" for e in office.ask("history", "u1"))


def test_an_opening_with_a_purpose_is_noted_each_time_with_its_purpose_sealed(office: Ketnap) -> None:
    office.elite()
    for purpose in ("Kiểm tra quý I", "Kiểm tra quý I", "Trả lời đơn"):
        office.run("show", "u1", "--purpose", purpose)
    found = office.ask("audit", "search", "--subject", "u1", "--kind", "opened")["events"]
    assert len(found) == 3
    assert "Kiểm tra" not in (office.folder / "ketnap.db").read_bytes().decode("latin-1")


def test_a_subject_without_sensitive_facts_is_opened_without_a_note(office: Ketnap) -> None:
    office.run("start", "annual_plan", "--id", "k1", "--org", "xa1", "--as", "lan", "--fact", "year=2024")
    office.run("show", "k1")
    assert office.ask("audit", "search", "--kind", "opened")["events"] == []


def test_events_are_found_by_person_officer_unit_rule_kind_and_day_page_after_page(office: Ketnap) -> None:
    office.elite()
    office.elite("u2")
    office.run("move", "u1", "recognise", "--as", "lan", code=1)
    office.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")

    def found(*args: str) -> list[tuple[str, str]]:
        return [(e["kind"], e["subject"]) for e in office.ask("audit", "search", *args)["events"]]

    moved, refused, second, first = ("moved", "u1"), ("refused", "u1"), ("started", "u2"), ("started", "u1")
    assert found("--person", "TRAN VAN") == [moved, refused, second, first]
    assert found("--person", "nobody") == []
    assert found("--officer", "lan", "--subject", "u1") == [moved, refused, first]
    assert found("--unit", "cb1", "--kind", "started") == [second, first]
    assert found("--rule", "introduced") == [moved, refused]
    assert found("--trigger", "recognise", "--kind", "moved") == [moved]
    assert found("--kind", "started", "--until", "2001-01-01") == []
    page = office.ask("audit", "search", "--person", "an", "--limit", "3")
    assert len(page["events"]) == 3
    rest = office.ask("audit", "search", "--person", "an", "--limit", "3", "--before", str(page["before"]))
    assert ([e["subject"] for e in rest["events"]], rest["before"]) == (["u1"], None)
    office.run("audit", "search", "--rule", "frob", code=2)
    office.run("audit", "search", "--unit", "frob", code=2)


def test_a_late_entry_is_found_by_its_delay(office: Ketnap) -> None:
    office.elite()
    office.run("set", "u1", "ethnicity=Kinh", "--as", "lan", "--on", "2024-01-05")
    (late,) = office.ask("audit", "search", "--late", "30")["events"]
    assert (late["kind"], late["on"]) == ("facts_set", "2024-01-05")
    assert late["days_late"] > 30
    assert office.ask("audit", "search", "--late", "99999")["events"] == []
    office.run("audit", "search", "--late", "0", code=2)


@pytest.fixture(scope="module")
def entered_late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database that `backdated` copies."""
    folder = tmp_path_factory.mktemp("backdated")
    for path in LISTS.iterdir():
        shutil.copy(path, folder)
    with pytest.MonkeyPatch.context() as patch:
        plain(patch)
        patch.chdir(folder)
        office = Ketnap(folder)
        patch.setenv("KETNAP_NOW", "2024-02-01 08:00")
        office.office()
        office.elite()
        for now, value, on in (("2024-04-02", "Giáo viên", "2024-04-01"), ("2024-05-10", "Nông dân", "2024-03-01")):
            patch.setenv("KETNAP_NOW", f"{now} 08:00")
            office.run("set", "u1", f"occupation={value}", "--as", "lan", "--on", on)
    return folder


@pytest.fixture
def backdated(ketnap: Ketnap, entered_late: Path, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """Somebody whose occupation was entered on 10 May for 1 March, after another had been entered for 1 April."""
    for path in filter(Path.is_file, entered_late.glob("ketnap.db*")):  # not the folder of what was sent
        shutil.copy(path, ketnap.folder)
    monkeypatch.setenv("KETNAP_NOW", "2024-05-10 08:00")
    return ketnap


@pytest.mark.parametrize(
    ("as_of", "on", "occupation"),
    [
        ("2024-03-15", None, None),
        ("2024-04-15", None, "Giáo viên"),
        ("2024-05-15", None, "Nông dân"),
        ("2024-05-15", "2024-03-15", "Nông dân"),
        ("2024-04-15", "2024-03-15", None),
        ("2024-04-15", "2024-04-15", "Giáo viên"),
    ],
)
def test_a_subject_is_shown_as_it_was_known_then_and_as_it_then_was(
    backdated: Ketnap, as_of: str, on: str | None, occupation: str | None
) -> None:
    day = ("--on", on) if on is not None else ()
    shown = backdated.ask("show", "u1", "--as-of", as_of, *day)
    assert shown["facts"].get("occupation") == occupation


def test_two_times_are_compared_fact_by_fact(backdated: Ketnap) -> None:
    found = backdated.ask("audit", "diff", "u1", "--from", "2024-03-15", "--until", "2024-04-15")
    assert found["facts"] == {"occupation": [None, "Giáo viên"]}
    assert [e["kind"] for e in found["events"]] == ["facts_set"]
    assert "Nông dân" in backdated.run("audit", "diff", "u1", "--from", "2024-03-15").stdout
    backdated.run("audit", "diff", "u1", "--from", "2024-06-15", "--until", "2024-04-15", code=2)
