"""History by the command: the preamble's figures out of its lists, and what such a list may not do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Ketnap

ROOT = Path(__file__).parents[3]
LISTS = ROOT / "examples" / "preamble"


def test_the_lists_of_the_preamble_are_those_that_the_script_makes() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/make-preamble"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def town(ketnap: Ketnap) -> Ketnap:
    """A sandbox with the organisations and officers of the preamble."""
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", str(LISTS / "organisations.csv"))
    ketnap.run("import", "officers", str(LISTS / "officers.csv"))
    return ketnap


def test_the_preambles_figures_come_out_of_its_lists_and_the_lists_twice_change_nothing(town: Ketnap) -> None:
    history = ("import", "history", str(LISTS / "history.csv"), "--as", "bithu")
    assert town.ask(*history, "--dry-run")["created"] == 782
    assert town.ask("status")["subjects"] == {}
    assert town.ask(*history)["created"] == 782
    assert town.ask(*history)["unchanged"] == 782
    targets = ("import", "start", "target", str(LISTS / "targets.csv"), "--as", "bithu")
    assert town.ask(*targets)["created"] == 7
    assert town.ask(*targets)["unchanged"] == 7
    figures = {
        period: town.ask("report", "term", *period.split())["figures"]
        for period in ("--years 2015-2020", "--year 2021", "--year 2022")
    }
    assert [f["admitted"] for f in figures.values()] == [573, 79, 130]
    assert [f["target"] for f in figures.values()] == ["500-550", None, 130]
    assert "không giao chỉ tiêu" in town.run("report", "term", "--year", "2021").stdout
    assert town.ask("notices", "list") == []


def test_a_list_of_history_never_overwrites_who_is_on_the_way(town: Ketnap) -> None:
    facts = ("full_name=Lê Văn An", "birth_date=1990-05-20")
    town.run("start", "candidate", "--id", "u1", "--org", "xa1cb1", "--as", "bithu",
             *(x for f in facts for x in ("--fact", f)))  # fmt: skip
    rows = [
        "Họ và tên,Ngày sinh,Chi bộ,Ngày kết nạp,Số quyết định",
        "Lê Văn An,20/05/1990,Chi bộ thôn 1 xã 1,01/02/2020,1-QĐ",
        "Trần Thị Ba,21/05/1990,Chi bộ thôn 1 xã 1,01/02/2020,2-QĐ",
        "Trần Thị Tư,21/05/1990,Chi bộ thôn 1 xã 1,,",
    ]
    (town.folder / "cu.csv").write_text("\n".join(rows), encoding="utf-8")
    answer = town.ask("import", "history", "cu.csv", "--as", "bithu", code=2)
    assert [r["row"] for r in answer["rejected"]] == [4, 2]
    assert town.ask("show", "u1")["state"] == "source"
    (town.folder / "cu.csv").write_text("\n".join([rows[0], rows[2]]), encoding="utf-8")
    (id_,) = town.ask("import", "history", "cu.csv", "--as", "bithu")["ids"]
    told = town.ask("history", id_)
    assert [(e["kind"], e["on"], e["history"], e["delay_days"]) for e in told] == [
        ("started", "2020-02-01", True, 0),
        ("recorded", "2020-02-01", True, 0),
    ]
    assert "Lịch sử" in town.run("history", id_).stdout


def test_those_still_on_probation_are_opened_when_asked(town: Ketnap) -> None:
    rows = "Họ và tên,Ngày sinh,Chi bộ,Ngày kết nạp\nTrần Thị Ba,21/05/1990,Chi bộ thôn 1 xã 1,01/02/2020\n"
    (town.folder / "cu.csv").write_text(rows, encoding="utf-8")
    town.run("import", "history", "cu.csv", "--open", "--as", "bithu")
    assert town.ask("status")["subjects"]["probation"] == {"probationary": 1}
