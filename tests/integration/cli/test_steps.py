"""Starting, moving, asking, undoing on the command line: documents, texts, exit codes."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.integration.cli.conftest import Ketnap


def test_a_start_answers_with_the_fixed_keys(office: Ketnap) -> None:
    answer = office.ask("start", "candidate", "--id", "u1", "--org", "cb1", "--as", "lan", "--fact", "full_name=An")
    assert {k: answer[k] for k in ("subject", "workflow", "state", "version")} == {
        "subject": "u1",
        "workflow": "candidate",
        "state": "source",
        "version": 1,
    }


def test_a_refused_step_names_every_rule_with_its_source_and_changes_nothing(office: Ketnap) -> None:
    office.run("start", "candidate", "--id", "u1", "--org", "cb1", "--as", "lan", "--fact", "full_name=An")
    answer = office.ask("move", "u1", "recognise", "--as", "lan", code=1)
    assert (answer["subject"], answer["from"], answer["to"], answer["event"]) == ("u1", "source", None, None)
    rules = {g["rule"]: g for g in answer["guards"]}
    assert {r: g["result"] for r, g in rules.items()} == {
        "introduced": "fail",
        "motives_known": "unknown",
        "helper_named": "unknown",
    }
    first = rules["introduced"]
    assert first["in_force"] == {"from": "2016-01-01", "until": None}
    assert first["source"].startswith("Quy định")
    assert first["facts"] == {"introduced_by": None, "branch_proposed_on": None}
    assert "Ngày chi bộ đề nghị" in first["message"]
    assert rules["motives_known"]["missing"] == ["motives"]
    assert office.ask("show", "u1")["state"] == "source"


def test_a_step_that_goes_through_answers_where_from_and_where_to(office: Ketnap) -> None:
    office.elite()
    answer = office.ask("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=01/03/2024")
    assert (answer["from"], answer["to"], answer["version"]) == ("source", "elite", 2)
    assert {g["result"] for g in answer["guards"]} == {"pass"}
    assert office.ask("history", "u1")[-1]["event"] == answer["event"]


def test_who_may_not_ends_with_3_and_the_attempt_stands_in_the_history(office: Ketnap) -> None:
    office.elite()
    error = office.ask("move", "u1", "recognise", "--as", "dao", "--fact", "branch_proposed_on=2024-03-01", code=3)[
        "error"
    ]
    assert (error["code"], error["why"]) == ("denied", "role")
    assert office.ask("history", "u1")[-1]["kind"] == "denied"


def test_a_subject_changed_meanwhile_ends_with_4(office: Ketnap) -> None:
    office.elite()
    office.run("set", "u1", "ethnicity=Kinh", "--as", "lan")
    error = office.ask("set", "u1", "ethnicity=Tày", "--as", "lan", "--if-version", "1", code=4)["error"]
    assert error["params"] == {"subject": "u1", "now": 2, "seen": 1}
    assert office.ask("show", "u1")["facts"]["ethnicity"] == "Kinh"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("move", "u1", "frob", "--as", "lan"), "frob"),
        (("move", "u1", "certify", "--as", "lan"), "certify"),
        (("move", "nobody", "recognise", "--as", "lan"), "nobody"),
        (("set", "u1", "sex=other", "--as", "lan"), "sex"),
        (("set", "u1", "frob=1", "--as", "lan"), "frob"),
        (("set", "u1", "frob", "--as", "lan"), "frob"),
        (("set", "u1", "sex=male", "sex=female", "--as", "lan"), "sex"),
        (("set", "u1", "papers.frob=2024-01-01", "--as", "lan"), "papers.frob"),
        (("set", "u1", "birth_date=2001-02-30", "--as", "lan"), "birth_date"),
        (("set", "u1", "sex=male"), "--as"),
        (("set", "u1", "sex=male", "--as", "lan", "--on", "gestern"), "on"),
        (("set", "u1", "sex=male", "--as", "lan", "--on", "2999-01-01"), "2999-01-01"),
        (("start", "candidate", "--id", "u1", "--org", "cb1", "--as", "lan", "--fact", "full_name=An"), "u1"),
        (("start", "candidate", "--org", "cb9", "--as", "lan", "--fact", "full_name=An"), "cb9"),
        (("start", "candidate", "--org", "cb1", "--as", "lan"), "full_name"),
        (("start", "frob", "--org", "cb1", "--as", "lan"), "frob"),
        (("undo", "u1", "--as", "lan"), "undo"),
        (("why", "u1", "frob"), "frob"),
        (("show", "u1", "--as-of", "2001-01-01"), "u1"),
        (("set", "u1", "sex=male", "--as", "nobody"), "nobody"),
    ],
)
def test_bad_input_ends_with_2_names_what_is_wrong_and_changes_nothing(
    office: Ketnap, args: tuple[str, ...], said: str
) -> None:
    office.elite()
    before = office.ask("history", "u1")
    error = office.ask(*args, "--lang", "en", code=2)["error"]
    assert said in error["message"]
    assert error["exit_code"] == 2
    assert office.ask("history", "u1") == before


def test_facts_are_written_key_by_key_and_made_unknown_by_null(office: Ketnap) -> None:
    office.elite()
    office.run(
        "set", "u1", "papers.application=2024-05-01", "papers={opinions: 2024-05-02}", "ethnicity=Kinh", "--as", "lan"
    )
    facts = office.ask("show", "u1")["facts"]
    assert facts["papers"] == {"application": "2024-05-01", "opinions": "2024-05-02"}
    office.run("set", "u1", "papers.opinions=null", "ethnicity=", "--as", "lan")
    facts = office.ask("show", "u1")["facts"]
    assert facts["papers"] == {"application": "2024-05-01"}
    assert "ethnicity" not in facts


def test_why_says_of_every_transition_what_stands_in_the_way_and_what_to_do(office: Ketnap) -> None:
    office.elite()
    answer = office.ask("why", "u1", "--as", "dao")
    steps = {t["trigger"]: t for t in answer["transitions"]}
    assert (answer["subject"], answer["state"]) == ("u1", "source")
    assert steps["recognise"]["to"] == ["elite"]
    assert (steps["recognise"]["allowed"], steps["recognise"]["denied"]) == (False, "role")
    assert steps["recognise"]["asks"] == []  # a rule reads the fact, so the rule answers
    assert any("Bí thư" in text for text in steps["recognise"]["next"])
    assert any("Ghi tổ chức giới thiệu" in text for text in steps["recognise"]["next"])
    one = office.ask("why", "u1", "recognise", "--as", "lan")["transitions"]
    assert [t["trigger"] for t in one] == ["recognise"]
    assert one[0]["denied"] is None


def test_why_names_the_papers_that_are_missing_by_their_names(office: Ketnap) -> None:
    office.elite()
    office.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    course = ("certificate_no=1", "certificate_issuer=TTCT", "certificate_on=2026-01-05")
    office.run("move", "u1", "certify", "--as", "dao", *(x for f in course for x in ("--fact", f)))
    office.run("set", "u1", "education=university", "--as", "lan")
    office.run("move", "u1", "open_dossier", "--as", "lan", "--fact", "application_on=2026-02-01")
    guards = office.ask("why", "u1", "admit")["transitions"][0]["guards"]
    papers = next(g for g in guards if g["rule"] == "papers_complete")
    assert papers["result"] == "fail"
    assert "Đơn xin vào Đảng (1-KNĐ)" in papers["message"]
    assert "4-KNĐ" not in papers["message"]  # the union's resolution is for its members


def test_history_is_oldest_first_with_the_fixed_keys_and_office_time(office: Ketnap) -> None:
    office.elite()
    office.run("set", "u1", "ethnicity=Kinh", "--as", "lan", "--reason", "Bổ sung")
    found = office.ask("history", "u1")
    assert [e["trigger"] for e in found] == ["start", "set"]
    keys = {
        "event",
        "at",
        "on",
        "actor",
        "on_behalf_of",
        "trigger",
        "from",
        "to",
        "facts",
        "reason",
        "definition",
        "hash",
    }
    assert all(keys <= set(e) for e in found)
    offset = datetime.fromisoformat(found[0]["at"]).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 7 * 3600
    assert (found[1]["facts"], found[1]["reason"], found[1]["channel"]) == ({"ethnicity": "Kinh"}, "Bổ sung", "cli")


def test_show_as_of_tells_what_was_known_then(office: Ketnap) -> None:
    office.elite()
    office.run("set", "u1", "ethnicity=Kinh", "--as", "lan")
    before, after = (e["at"] for e in office.ask("history", "u1"))
    assert "ethnicity" not in office.ask("show", "u1", "--as-of", before)["facts"]
    assert office.ask("show", "u1", "--as-of", after)["facts"]["ethnicity"] == "Kinh"
    assert office.ask("show", "u1", "--as-of", after[:10])["version"] == 2  # a day means all of it


def test_an_undo_takes_the_step_back_and_both_stay_in_the_history(office: Ketnap) -> None:
    office.elite()
    office.run("move", "u1", "recognise", "--as", "lan", "--fact", "branch_proposed_on=2024-03-01")
    answer = office.ask("undo", "u1", "--as", "lan", "--reason", "Nhầm người")
    assert (answer["from"], answer["to"], answer["sent"]) == ("elite", "source", [])
    assert [e["trigger"] for e in office.ask("history", "u1")] == ["start", "recognise", "undo"]
    assert office.ask("audit", "verify")["ok"] is True


def test_a_command_sent_twice_under_its_id_is_done_once(office: Ketnap) -> None:
    args = ("start", "candidate", "--org", "cb1", "--as", "lan", "--fact", "full_name=An", "--command-id", "c-1")
    assert office.ask(*args)["subject"] == office.ask(*args)["subject"]
    assert office.ask("status")["subjects"] == {"candidate": {"source": 1}}


def test_a_review_moves_the_lines_of_a_file_all_or_none(office: Ketnap) -> None:
    for id_ in ("u1", "u2"):
        office.elite(id_)
    office.run(
        "start", "monthly_review", "--id", "r1", "--org", "xa1", "--as", "lan", "--fact", "month=2026-01", code=0
    )
    today = office.ask("status")["now"][:10]
    file = office.folder / "kq.yaml"
    file.write_text(
        "- {subject: u1, do: add, facts: {branch_proposed_on: 2024-03-01}}\n- {subject: u2, do: add}\n",
        encoding="utf-8",
    )
    held = ("move", "r1", "hold", "--as", "lan", "--fact", f"held_on={today}", "--decisions")
    answer = office.ask(*held, "kq.yaml", code=1)
    assert [(line["subject"], line["state"]) for line in answer["lines"]] == [("u1", "done"), ("u2", "refused")]
    assert answer["refused"] == ["introduced"]
    assert office.ask("show", "u1")["state"] == "source"
    rows = "subject;do;branch_proposed_on;reason\nu1;add;2024-03-01;\nu2;add;01/03/2024;Đủ điều kiện\n"
    (office.folder / "kq.csv").write_text(rows, encoding="utf-8-sig")
    assert office.ask(*held, "kq.csv")["to"] == "held"
    assert office.ask("show", "u2")["state"] == "elite"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("d.yaml", "- {subject: u1}\n", 1),
        ("d.yaml", "- {subject: u1, do: add}\n- {subject: u1, do: add, frob: 1}\n", 2),
        ("d.yaml", "frob\n", 1),
        ("d.csv", "subject,do\nu1,add\nu2\n", 3),
        ("d.csv", "subject,do\n,add\n", 2),
        ("d.csv", "", 1),
        ("d.csv", "người,việc\n", 1),
    ],
)
def test_a_file_of_decisions_that_is_wrong_is_refused_with_its_line(
    office: Ketnap, name: str, text: str, line: int
) -> None:
    (office.folder / name).write_text(text, encoding="utf-8")
    error = office.ask("move", "r1", "hold", "--as", "lan", "--decisions", name, code=2)["error"]
    assert (error["file"], error["line"]) == (name, line)


def test_notices_that_a_late_entry_proves_wrong_are_named_in_words(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The branch's plan had come on 10/01 and is entered on 25/01, when the committee was told that it is overdue."""
    monkeypatch.setenv("KETNAP_NOW", "2023-12-20 08:00")
    ketnap.office()
    for now in ("2024-01-05 08:00", "2024-01-25 08:00"):
        monkeypatch.setenv("KETNAP_NOW", now)
        ketnap.run("set", "branch_plan-cb1-2024", "target=1", "--as", "lan")
    given = ("--fact", "received_at=2024-01-10T09:00")
    told = ketnap.run("move", "branch_plan-cb1-2024", "receive", "--as", "dao", *given).stdout
    assert "có thể phải đính chính: Chi bộ quá hạn nộp kế hoạch cho dao" in " ".join(told.split())
