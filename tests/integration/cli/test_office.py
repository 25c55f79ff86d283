"""Setting up, accounts, the calendar, notices, languages and output on the command line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.library import shipped_folder
from tests.integration.cli.conftest import Ketnap

ROOT = Path(__file__).parents[3]


def test_init_twice_is_safe_and_says_what_changed(ketnap: Ketnap) -> None:
    first = ketnap.ask("init", "--sandbox")
    assert (first["created"], first["sandbox"]) == (True, True)
    assert first["loaded"] == first["workflows"]
    again = ketnap.ask("init")
    assert (again["created"], again["sandbox"], again["loaded"], again["keys"]) == (False, True, [], [])


def test_the_keys_are_for_their_owner_only_and_a_lost_one_is_never_made_anew(ketnap: Ketnap) -> None:
    for key in ketnap.ask("init")["keys"]:
        assert stat.S_IMODE((ketnap.folder / key).stat().st_mode) == 0o600
    (ketnap.folder / "ketnap.db.key").unlink()
    assert "ketnap.db.key" in ketnap.ask("init", code=2)["error"]["message"]
    assert not (ketnap.folder / "ketnap.db.key").exists()


def test_a_fault_in_a_workflow_leaves_nothing_behind(ketnap: Ketnap) -> None:
    (ketnap.folder / "wf").mkdir()
    (ketnap.folder / "wf" / "area.yaml").write_text("area: 1\n", encoding="utf-8")
    (ketnap.folder / "wf" / "a.yaml").write_text("workflow: a\nfrob: 1\n", encoding="utf-8")
    error = ketnap.ask("init", "--workflows", "wf", code=2)["error"]
    assert error["findings"][0]["file"].endswith(".yaml")
    assert not (ketnap.folder / "ketnap.db").exists()


def test_a_real_database_takes_its_time_from_the_system_only(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    ketnap.run("init")
    monkeypatch.setenv("KETNAP_NOW", "2024-01-01 08:00")
    assert "KETNAP_NOW" in ketnap.ask("status", code=2)["error"]["message"]
    ketnap.run("init", "--sandbox", "--db", "sqlite:///other.db")
    assert ketnap.ask("status", "--db", "sqlite:///other.db")["now"].startswith("2024-01-01T08:00:0")


def test_a_sandbox_clock_moves_through_what_falls_due_and_never_back(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    monkeypatch.setenv("KETNAP_NOW", "2024-01-16 08:00")
    ketnap.run("set", "annual_plan-xa1-2024", "target=5", "--as", "lan")
    sent = ketnap.ask("notices", "list", "--state", "sent")
    assert {n["at"][:10] for n in sent if n["rule"] == "plan_opened"} == {"2024-01-02"}
    assert {n["at"][:10] for n in sent if n["rule"] == "plan_reminder"} == {"2024-01-09"}
    assert list(ketnap.folder.glob("ketnap.db.mail/lan@example.org/new/*.eml"))
    monkeypatch.setenv("KETNAP_NOW", "2024-01-10 08:00")
    assert "2024-01-16" in ketnap.ask("status", code=2)["error"]["message"]


def test_a_forecast_tells_what_would_be_sent_and_writes_nothing(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    before = ketnap.ask("status")
    found = ketnap.ask("notices", "forecast", "--from", "2024-01-01", "--to", "2024-01-31")
    assert ketnap.ask("status") | {"now": 0} == before | {"now": 0}
    assert ketnap.ask("notices", "list") == []
    assert not list(ketnap.folder.glob("ketnap.db.mail/*/new/*"))
    keys = {"at", "rule", "subject", "to", "channel", "subject_line", "body"}
    assert found
    assert all(keys <= set(n) for n in found)
    assert [n["at"] for n in found] == sorted(n["at"] for n in found)
    opened = [(n["at"][:16], n["to"]) for n in found if n["rule"] == "plan_opened"]
    assert sorted(opened) == [("2024-01-02T07:30", "dao"), ("2024-01-02T07:30", "lan")]
    ketnap.run("notices", "forecast", "--from", "2024-02-01", "--to", "2024-01-31", code=2)
    past = ketnap.ask("notices", "forecast", "--from", "2023-01-01", "--to", "2023-12-28", code=2)
    assert "2023-12-29" in past["error"]["message"]


def test_a_forecast_and_a_preview_leave_every_byte_of_the_database_as_it_was(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and its log beside it, in this time and in one that was moved on."""
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")

    def bytes_of() -> dict[str, str]:
        files = [p for p in ketnap.folder.rglob("*") if p.is_file() and not p.name.endswith("-shm")]
        found = {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files if p.stat().st_size}
        assert str(ketnap.folder / "ketnap.db") in found
        return found

    before = bytes_of()
    assert ketnap.ask("notices", "forecast", "--from", "2024-01-02", "--to", "2024-12-31")
    monkeypatch.setenv("KETNAP_NOW", "2024-01-09 08:00")
    assert ketnap.ask("notices", "forecast", "--from", "2024-01-09", "--to", "2024-03-31")
    ketnap.run("notices", "preview", "plan_overdue", "--subject", "annual_plan-xa1-2024")
    assert bytes_of() == before


def test_outside_a_sandbox_only_the_account_or_the_token_of_an_officer_acts(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    ketnap.run("init")
    ketnap.run("import", "orgs", "to-chuc.csv")
    monkeypatch.setattr("cli.session.Session.account", "may1")
    token = ketnap.ask(
        "user", "add", "qt", "--name", "Quản Trị", "--org", "tu", "--role", "admin", "--account", "may1", "--token"
    )["token"]
    ketnap.run("import", "officers", "can-bo.csv", "--as", "qt")
    start = ("start", "candidate", "--org", "cb1", "--fact", "full_name=An", "--as", "lan")
    assert ketnap.ask(*start, code=3)["error"]["why"] == "identity"
    assert ketnap.ask(*start, "--token", token, code=3)["error"]["why"] == "identity"
    tried = ketnap.ask("audit", "search", "--kind", "sign_in_failed")["events"]
    assert [(e["actor"], e["detail"]["how"]) for e in tried] == [("lan", "token"), ("lan", "account")]
    hers = ketnap.ask("user", "add", "lan", "--token", "--as", "qt")["token"]
    ketnap.run(*start, "--token", hers)
    assert hers not in (ketnap.folder / "ketnap.db").read_bytes().decode("latin-1")
    monkeypatch.setattr("cli.session.Session.account", "may2")
    ketnap.run("user", "disable", "lan", "--as", "qt", code=3)
    monkeypatch.setattr("cli.session.Session.account", "may1")
    ketnap.run("user", "disable", "lan", "--as", "qt")
    ketnap.run(*start, "--token", hers, code=3)


def test_officers_imported_without_accounts_can_still_be_given_the_first_one(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.session.Session.account", "may1")
    ketnap.run("init")
    ketnap.run("import", "orgs", "to-chuc.csv")
    ketnap.run("import", "officers", "can-bo.csv")
    refused = ketnap.ask("user", "add", "lan", "--account", "may1", "--as", "lan", code=3)
    assert refused["error"]["params"]["roles"] == "admin"
    ketnap.run("user", "password", "lan", "--stdin", "--as", "lan", input="mật khẩu của Lan\n", code=3)
    qt = ("user", "add", "qt", "--name", "Quản Trị", "--org", "tu", "--role", "admin", "--account", "may1")
    ketnap.run(*qt, "--as", "lan", code=3)
    ketnap.run(*qt, "--as", "qt")
    ketnap.run("user", "add", "lan", "--account", "may1", "--as", "qt")
    ketnap.run("start", "candidate", "--org", "cb1", "--fact", "full_name=An", "--as", "lan")
    ketnap.run("user", "add", "dao", "--account", "may1", "--as", "dao", code=3)


def test_the_first_account_of_a_database_is_an_administrators_and_gives_no_roles_where_there_is_one(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.session.Session.account", "may1")
    ketnap.run("init")
    ketnap.run("import", "orgs", "to-chuc.csv")
    person = ("--name", "Lê Văn Tư", "--org", "xa1")
    ketnap.run("user", "add", "tu", *person, "--role", "secretary", "--account", "may1", code=3)
    assert "qt" not in ketnap.run("status").stdout
    (ketnap.folder / "qt.csv").write_text(
        "id,name,org,roles\nqt,Quản Trị,tu,admin\nlan,Lan,xa1,secretary\n", encoding="utf-8"
    )
    ketnap.run("import", "officers", "qt.csv")
    ketnap.run("user", "add", "lan", "--role", "admin", "--org", "tu", "--account", "may1", "--as", "lan", code=3)
    ketnap.run("user", "add", "qt", "--account", "may1", "--as", "qt")
    ketnap.run("user", "add", "lan", "--email", "lan@example.org", "--as", "qt")


def test_a_password_is_kept_as_a_hash_that_knows_both_forms_of_its_letters(office: Ketnap) -> None:
    import unicodedata

    from cli.bootstrap import sqlite_file
    from engine.passwords import password_fits
    from engine.store.open import open_store

    typed = "mật khẩu dài"
    office.run("user", "password", "dao", "--stdin", "--as", "dao", input=unicodedata.normalize("NFD", typed) + "\n")
    assert sqlite_file("sqlite:///ketnap.db") is not None
    with open_store("sqlite:///ketnap.db").transaction(write=False) as tx:
        kept = next(o.password for o in tx.officers() if o.id == "dao")
    assert kept is not None
    assert kept.startswith("$argon2id$")
    assert password_fits(typed, kept)
    assert not password_fits(typed + "x", kept)
    office.run("user", "password", "dao", "--stdin", "--as", "dao", input="ngắn\n", code=2)
    office.run("user", "password", "lan", "--stdin", "--as", "dao", input=typed + "\n", code=3)


def test_a_password_that_somebody_else_sets_is_said_to_be_exchanged_and_ends_the_sessions(ketnap: Ketnap) -> None:
    from engine.store.open import open_store

    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    people = "id,name,org,roles\nqt,Quản Trị,tu,admin\nlan,Lan,xa1,secretary\n"
    (ketnap.folder / "qt.csv").write_text(people, encoding="utf-8")
    ketnap.run("import", "officers", "qt.csv")
    set_ = ("user", "password", "lan", "--stdin", "--as")
    own = ketnap.ask(*set_, "lan", input="mật khẩu của Lan\n")
    assert own == {"officer": "lan", "chooses_own": False}
    told = ketnap.ask(*set_, "qt", input="mật khẩu được cấp\n")
    assert told == {"officer": "lan", "chooses_own": True, "sessions_ended": 0}
    said = ketnap.run(*set_, "qt", input="mật khẩu được cấp\n")
    assert "phải tự chọn mật khẩu khác ở lần đăng nhập tới" in said.output
    with open_store("sqlite:///ketnap.db").transaction(write=False) as tx:
        assert next(o.password_by for o in tx.officers() if o.id == "lan") == "qt"
    ketnap.run("audit", "verify")


def test_days_and_substitutes_are_declared_by_who_may(office: Ketnap) -> None:
    assert office.ask("calendar", "add", "02/01/2026", "--off", "--as", "lan") == {
        "day": "2026-01-02",
        "off": True,
        "changed": True,
    }
    assert office.ask("calendar", "add", "2026-01-02", "--off", "--as", "lan")["changed"] is False
    office.run("calendar", "add", "2026-01-02", "--as", "lan", code=2)
    office.run("calendar", "add", "2026-01-02", "--work", code=2)
    period = ("--from", "2026-05-01", "--until", "2026-05-15")
    assert office.ask("substitute", "add", "lan", "dao", *period, "--as", "lan")["stand_in"] == "dao"
    office.run("substitute", "add", "lan", "lan", *period, "--as", "lan", code=2)


def test_the_options_of_every_command_may_stand_before_or_after_it(office: Ketnap) -> None:
    before = office.run("--json", "--db", "sqlite:///ketnap.db", "--lang", "en", "status").stdout
    after = office.run("status", "--lang=en", "--json", "--db=sqlite:///ketnap.db").stdout
    assert json.loads(before) | {"now": 0} == json.loads(after) | {"now": 0}
    assert office.run("--db", code=2).stderr


def test_people_read_vietnamese_or_english(office: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "không có hồ sơ mang mã u9" in office.run("show", "u9", code=2).stderr
    assert "there is no subject u9" in office.run("show", "u9", "--lang", "en", code=2).stderr
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert "there is no subject u9" in office.run("show", "u9", code=2).stderr
    monkeypatch.setenv("KETNAP_LANG", "vi")
    assert "không có hồ sơ mang mã u9" in office.run("show", "u9", code=2).stderr


@pytest.mark.parametrize("args", [("frob",), ("move",), ("status", "--frob"), ("move", "u1", "x", "--if-version", "a")])
def test_what_is_not_typed_as_it_must_be_ends_with_2(ketnap: Ketnap, args: tuple[str, ...]) -> None:
    answer = ketnap.ask(*args, code=2)
    assert answer["error"]["code"] == "usage"


def test_a_database_that_is_not_there_is_named(ketnap: Ketnap) -> None:
    assert "ketnap init" in ketnap.ask("status", code=2)["error"]["message"]
    assert ketnap.ask("--db", "frob://x", "status", code=2)["error"]["code"] == "bad_input"
    assert not (ketnap.folder / "ketnap.db").exists()


def test_a_setting_that_nobody_knows_is_refused(ketnap: Ketnap) -> None:
    (ketnap.folder / "ketnap.toml").write_text('frob = "x"\n', encoding="utf-8")
    assert "frob" in ketnap.ask("status", code=2)["error"]["message"]
    (ketnap.folder / "ketnap.toml").write_text('db = "sqlite:///mine.db"\n', encoding="utf-8")
    assert ketnap.ask("init")["db"] == "sqlite:///mine.db"


def test_an_edit_past_the_program_is_found_and_ends_with_1(office: Ketnap) -> None:
    import sqlite3

    office.elite()
    assert office.ask("audit", "verify")["problems"] == []
    with sqlite3.connect("ketnap.db") as db:
        db.execute("UPDATE subjects SET state = 'admitted' WHERE id = 'u1'")
    db.close()
    report = office.ask("audit", "verify", code=1)
    assert (report["ok"], {p["kind"] for p in report["problems"]}) == (False, {"projection"})


def test_check_names_a_template_that_no_rule_uses(ketnap: Ketnap) -> None:
    """A slip of a letter in a file's name; looking at one workflow alone says nothing of the others' templates."""
    folder = ketnap.folder / "admission"
    shutil.copytree(shipped_folder() / "admission", folder)
    (folder / "notices" / "plan_remider.vi.j2").write_text("Nhắc\n\nNhắc nộp\n", encoding="utf-8")
    (finding,) = ketnap.ask("check", str(folder), code=2)["findings"]
    assert finding["file"].endswith("admission/notices/plan_remider.vi.j2")
    assert finding["code"] == "template"
    assert ketnap.ask("check", str(folder / "annual_plan.yaml"))["ok"] is True


def test_control_characters_in_a_fact_are_shown_and_not_obeyed(office: Ketnap) -> None:
    """A name may hide a line, clear the screen or turn the reading direction round."""
    name = "Lê \x1b[2JAn\x9b31m\u202e\x07"
    office.run("start", "candidate", "--org", "cb6", "--fact", f"full_name={name}", "--as", "lan")
    printed = office.run("show", "candidate-1").stdout
    assert "Lê \\x1b[2JAn\\x9b31m\\u202e" in printed
    assert not set("\x1b\x9b\u202e\x07") & set(printed)
    assert office.ask("show", "candidate-1")["facts"]["full_name"] == name


def test_check_and_diagram(ketnap: Ketnap) -> None:
    assert ketnap.ask("check")["ok"] is True
    for form, begins in (("mermaid", "stateDiagram-v2"), ("dot", "digraph"), ("svg", "<svg"), ("scxml", "<?xml")):
        assert ketnap.run("diagram", "candidate", "--format", form).stdout.startswith(begins)
    ketnap.run("diagram", "candidate", "--format", "frob", code=2)
    ketnap.run("diagram", "frob", code=2)


def test_the_real_command_speaks_to_programs_through_a_pipe(ketnap: Ketnap) -> None:
    def ketnap_(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
        environ = (
            {k: v for k, v in os.environ.items() if not k.startswith("KETNAP_")} | {"PYTHONPATH": str(ROOT)} | more
        )
        return subprocess.run(
            [sys.executable, "-m", "cli", *args], cwd=ketnap.folder, env=environ, capture_output=True, encoding="utf-8"
        )

    assert ketnap_("init", "--sandbox").returncode == 0
    refused = ketnap_("show", "u1", "--json", LC_ALL="C", PYTHONUTF8="0")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["message"] == "không có hồ sơ mang mã u1"
    assert "Traceback" not in refused.stderr
    assert ketnap_("--help").returncode == 0


def test_an_officer_of_a_unit_that_stands_no_more_has_no_role_and_is_told_so(ketnap: Ketnap) -> None:
    """Where roles are named they are named in words; who has none is told what to do."""
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    ketnap.run("user", "add", "qt", "--name", "Quản trị", "--org", "tu", "--role", "admin")
    ketnap.run("user", "add", "ba", "--name", "Ba", "--org", "cb2", "--role", "secretary", "--as", "qt")
    assert "Chi bộ thôn 2: Bí thư (secretary)" in ketnap.run("user", "show", "ba").stdout
    today = ketnap.ask("status")["now"][:10]
    ketnap.run("org", "merge", "cb2", "--into", "cb1", "--on", today, "--decision", "1-QĐ", "--as", "qt")
    told = ketnap.run("user", "show", "ba").stdout
    assert "Chi bộ thôn 2: hôm nay không giữ vai trò nào" in told
    assert "hãy giao vai trò ở đơn vị kế tục" in told


def test_the_status_calls_workflows_by_their_titles(office: Ketnap) -> None:
    office.elite("u1")
    assert "Quần chúng ưu tú (candidate)" in office.run("status").stdout
