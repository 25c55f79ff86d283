"""The commands of notices and feeds, and the channels of ketnap.toml."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifications.channels.webhook import verify
from tests.integration.cli.conftest import Ketnap
from tests.servers.http import WebServer

EMAIL = """
[channels.email]
host = "127.0.0.1"
port = 1
[channels.email.sender]
address = "nhac-viec@ketnap.test"
name = "Văn phòng"
domain = "ketnap.test"
"""
GAMMU = '[channels.gammu]\noutbox = "out"\nsent = "sent"\nerror = "error"\n'
ONE_PHONE = "id,name,org,roles,email,phone\nlan,Nguyễn Thị Lan,xa1,secretary,,+84900000001\n"
OPENED_LAN = ("plan_opened", "lan")
OPENED_AT = datetime(2024, 1, 2, 0, 30, tzinfo=UTC)
KANNEL = '[channels.kannel]\nurl = "http://127.0.0.1:1/"\nuser = "u"\npassword = "p"\n'


def settings(ketnap: Ketnap, text: str) -> None:
    (ketnap.folder / "ketnap.toml").write_text(text, encoding="utf-8")


def at_work(ketnap: Ketnap, patch: pytest.MonkeyPatch) -> None:
    """The office of the lists on 9 January 2024, when plans have been opened and reminded of."""
    patch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    patch.setenv("KETNAP_NOW", "2024-01-09 08:00")
    ketnap.run("run", "--once")


def digest(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (EMAIL.replace("port", "prot"), ("channels.email.prot", "channels.email.port")),
        (EMAIL.replace("address", "adress"), ("channels.email.sender.adress", "channels.email.sender.address")),
        (EMAIL.replace('host = "127.0.0.1"\n', ""), ("channels.email.host",)),
        (EMAIL.replace("port = 1", 'port = "one"'), ("channels.email.port",)),
        (EMAIL.replace("channels.email", "channels.emial"), ("channels.emial", "channels.email")),
        (EMAIL.replace("channels.email", "chanels.email"), ("chanels", "channels")),
        (KANNEL + 'mode = "utf8"\n', ("channels.kannel.mode",)),
        (KANNEL + 'callback_url = "http://127.0.0.1/"\n', ("channels.kannel.callback_secret",)),
        ('[channels.webhook]\nsecret = "short"\nhosts = ["a"]\n', ("channels.webhook.secret",)),
        ("channels = 1\n", ("channels",)),
        ("[channels]\nemail = 1\n", ("channels.email",)),
        ("sandbox_sends = true\n" + KANNEL + GAMMU, ("kannel", "gammu", "sms")),
        ('sandbox_sends = true\nsms = "smpp"\n' + GAMMU, ("channels.smpp",)),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_meant(ketnap: Ketnap, text: str, named: tuple[str, ...]) -> None:
    ketnap.run("init", "--sandbox")
    settings(ketnap, text)
    message = ketnap.ask("run", "--once", code=2)["error"]["message"]
    for name in named:
        assert name in message


def test_a_wrong_variable_of_the_environment_is_named_and_a_right_one_wins(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    ketnap.run("init", "--sandbox")
    settings(ketnap, KANNEL + 'callback_url = "http://127.0.0.1/"\n')
    monkeypatch.setenv("KETNAP_CHANNELS_KANNEL_CALLBACK_SECRET", "0123456789abcdef")
    monkeypatch.setenv("KETNAP_CHANNELS_KANNEL_PASSWORD", "12345")  # a text, though it reads as a number
    ketnap.run("run", "--once")
    monkeypatch.setenv("KETNAP_CHANNELS_KANNEL_PASWORD", "x")
    message = ketnap.ask("run", "--once", code=2)["error"]["message"]
    assert "KETNAP_CHANNELS_KANNEL_PASWORD" in message
    assert "KETNAP_CHANNELS_KANNEL_PASSWORD" in message


def test_a_channel_may_stand_in_the_environment_alone(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    ketnap.run("init", "--sandbox")
    for name, value in (
        ("ROOT", "post"), ("SENDER_ADDRESS", "a@b.test"), ("SENDER_NAME", "A"), ("SENDER_DOMAIN", "b.test")
    ):  # fmt: skip
        monkeypatch.setenv(f"KETNAP_CHANNELS_MAILDIR_{name}", value)
    assert ketnap.ask("notices", "test-channel", "maildir", "--to", "lan@dong.test")["ok"] is True
    (mail,) = (ketnap.folder / "post" / "lan@dong.test" / "new").glob("*.eml")
    assert b"a@b.test" in mail.read_bytes()


def test_a_sandbox_keeps_its_notices_though_channels_are_set_up(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(ketnap, EMAIL + KANNEL)
    at_work(ketnap, monkeypatch)
    assert {n["state"] for n in ketnap.ask("notices", "list")} == {"accepted"}
    assert list(ketnap.folder.glob("ketnap.db.mail/lan@example.org/new/*.eml"))
    error = ketnap.ask("notices", "test-channel", "email", "--to", "lan@example.org", code=2)["error"]
    assert "sandbox_sends" in error["message"]
    assert ketnap.ask("notices", "test-channel", "kannel", code=1)["state"] == "failed"


def test_a_modem_takes_text_messages_says_which_failed_and_gets_them_again(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(ketnap, "sandbox_sends = true\n" + GAMMU)
    for name in ("out", "sent", "error"):
        (ketnap.folder / name).mkdir()
    (ketnap.folder / "can-bo.csv").write_text(ONE_PHONE, encoding="utf-8")
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    (file,) = (ketnap.folder / "out").glob("OUTC*")
    assert "phát triển đảng viên" in file.read_bytes().decode("utf-16")
    assert {n["state"] for n in ketnap.ask("notices", "list")} == {"accepted"}
    file.rename(ketnap.folder / "error" / file.name)
    ketnap.run("run", "--once")
    assert {n["state"] for n in ketnap.ask("notices", "list")} == {"queued"}
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:30")
    ketnap.run("run", "--once")
    assert {n["state"] for n in ketnap.ask("notices", "list")} == {"accepted"}
    assert list((ketnap.folder / "out").glob("OUTC*"))


def test_a_preview_shows_a_notice_to_each_who_would_get_it_and_writes_nothing(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(ketnap, monkeypatch)
    before = digest(ketnap.folder / "ketnap.db")
    words = ("notices", "preview", "plan_reminder", "--subject", "annual_plan-xa1-2024")
    found = ketnap.ask(*words)
    assert (found["would_send"], found["why"]) == (True, None)
    assert {(n["to"], n["channel"]) for n in found["notices"]} == {("lan", "email"), ("dao", "email")}
    assert all(n["subject_line"].startswith("Nhắc nộp kế hoạch") for n in found["notices"])
    assert all(1 <= n["segments"] <= 2 for n in found["notices"])
    assert "Nhắc nộp" not in ketnap.run(*words, "--lang", "en").stdout
    assert digest(ketnap.folder / "ketnap.db") == before


def test_a_preview_of_what_would_not_go_out_says_why(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work(ketnap, monkeypatch)
    found = ketnap.ask("notices", "preview", "plan_overdue", "--subject", "annual_plan-xa1-2024")
    assert found["notices"]
    error = ketnap.ask("notices", "preview", "plan_remindr", "--subject", "annual_plan-xa1-2024", code=2)["error"]
    assert "plan_reminder" in error["message"]
    ketnap.run("notices", "preview", "plan_reminder", "--subject", "nobody", code=2)


def test_a_preview_of_a_notice_about_a_date_nobody_knows_says_so(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(ketnap, monkeypatch)
    plan = "branch_plan-cb6-2024"
    assert ketnap.ask("notices", "preview", "branch_plan_reminder", "--subject", plan)["would_send"] is True
    ketnap.run("set", plan, "due_on=", "--as", "lan")
    found = ketnap.ask("notices", "preview", "branch_plan_reminder", "--subject", plan)
    assert (found["would_send"], found["why"]) == (False, "Chưa biết ngày mà thông báo nói tới.")


def test_a_message_that_was_refused_is_sent_again_when_somebody_says_so(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    settings(ketnap, "sandbox_sends = true\n" + KANNEL.replace("127.0.0.1:1/", f"127.0.0.1:{web_server.port}/"))
    (ketnap.folder / "can-bo.csv").write_text(ONE_PHONE, encoding="utf-8")
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    web_server.answers.append((400, {}))
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    refused = ketnap.ask("notices", "list", "--state", "refused")
    assert refused
    assert ketnap.ask("notices", "retry", refused[0]["id"], "--as", "lan")["changed"] == len(refused)
    ketnap.run("run", "--once")
    again = ketnap.ask("notices", "list", "--subject", refused[0]["subject"], "--state", "accepted")
    assert {n["id"] for n in refused} & {n["id"] for n in again}
    assert len(web_server.asked) >= 2


def test_a_message_whose_answer_was_lost_is_listed_until_a_person_says_what_became_of_it(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    settings(ketnap, "sandbox_sends = true\n" + KANNEL.replace("127.0.0.1:1/", f"127.0.0.1:{web_server.port}/"))
    (ketnap.folder / "can-bo.csv").write_text(ONE_PHONE, encoding="utf-8")
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()
    web_server.answers.append(None)
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    listed = ketnap.ask("notices", "list", "--state", "unknown")
    assert listed
    assert {n["message"] for n in listed} == {listed[0]["message"]}
    ketnap.run("run", "--once")
    assert len(web_server.asked) == 1  # it is not sent again by itself
    answer = ketnap.ask("notices", "resolve", listed[0]["id"], "sent", "--as", "lan")
    assert answer["changed"] == len(listed)
    assert {n["state"] for n in ketnap.ask("notices", "list")} == {"accepted"}


WEBHOOK = '[channels.webhook]\nsecret = "a secret of twenty-four letters"\nhosts = ["127.0.0.1:{port}"]\n'


def test_an_officer_gets_notices_by_a_webhook_first_then_by_email_as_they_chose(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    """The choice stands in the trail, is shown, and is the officer's own to make; an address is not."""
    settings(ketnap, "sandbox_sends = true\n" + WEBHOOK.format(port=web_server.port))
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    ketnap.run("user", "add", "qt", "--org", "tu", "--name", "Quản Trị", "--role", "admin", "--phone", "+84900000009")
    ketnap.run("import", "officers", "can-bo.csv", "--as", "qt")
    url = f"http://127.0.0.1:{web_server.port}/nhac-viec"
    ketnap.run("user", "add", "lan", "--webhook", url, "--as", "lan", code=3)
    ketnap.run("user", "add", "lan", "--webhook", "nhac-viec", "--as", "qt", code=2)
    ketnap.run("user", "add", "lan", "--webhook", url, "--as", "qt")
    ketnap.run("user", "add", "lan", "--channel", "pigeon", "--as", "lan", code=2)
    ketnap.run("user", "add", "lan", "--channel", "webhook", "--channel", "email", "--as", "lan")
    shown = ketnap.ask("user", "show", "lan")
    assert [c["channel"] for c in shown["channels"]] == ["webhook", "email", "sms"]
    assert shown["channels"][0]["to"] == url
    assert url in ketnap.run("user", "show", "lan").stdout
    web_server.answers.append((410, {}))
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    (told,) = web_server.asked
    assert verify(b"a secret of twenty-four letters", told.headers, told.body, now=OPENED_AT)
    found = {n["channel"]: n["state"] for n in ketnap.ask("notices", "list") if (n["rule"], n["to"]) == OPENED_LAN}
    assert found == {"webhook": "refused", "email": "accepted"}
    assert ketnap.ask("user", "show", "lan")["channels"][0]["refused"] is True
    ketnap.run("user", "add", "lan", "--channel", "office", "--as", "lan")
    assert [c["channel"] for c in ketnap.ask("user", "show", "lan")["channels"]] == ["email", "sms"]
    assert ketnap.ask("audit", "verify")["ok"] is True


def test_a_sandbox_keeps_what_would_go_to_a_webhook_as_files(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.run("init", "--sandbox")
    ketnap.run("import", "orgs", "to-chuc.csv")
    hook = ("--webhook", "https://mot-cua.example/x", "--channel", "webhook")
    ketnap.run("user", "add", "lan", "--org", "xa1", "--name", "Lan", "--role", "secretary", *hook)
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    assert list((ketnap.folder / "ketnap.db.mail" / "mot-cua.example" / "new").glob("*.eml"))


def test_what_a_command_may_say_of_a_notice_is_checked(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    (ketnap.folder / "can-bo.csv").write_text(
        "id,name,org,roles,email,phone\nlan,Nguyễn Thị Lan,xa1,secretary,lan@example.org,\nqt,Quản Trị,tu,admin,,\n",
        encoding="utf-8",
    )
    settings(ketnap, "sandbox_sends = true\n" + EMAIL.replace("[channels.email]", '[channels.email]\ntls = "none"'))
    at_work(ketnap, monkeypatch)
    first, second = (n["id"] for n in ketnap.ask("notices", "list", "--state", "queued"))
    ketnap.run("notices", "retry", first, "--as", "qt", code=2)  # it waits to be sent anyway
    ketnap.run("notices", "cancel", first, "--as", "qt", code=2)  # no reason
    assert ketnap.ask("notices", "cancel", first, "--reason", "đã báo miệng", "--as", "qt")["changed"] == 1
    ketnap.run("notices", "resolve", second, "sent", "--as", "qt", code=2)
    ketnap.run("notices", "resolve", second, "lost", "--as", "qt", code=2)
    assert [n["id"] for n in ketnap.ask("notices", "list", "--state", "cancelled")] == [first]
    ketnap.run("notices", "retry", "nothing", "--as", "qt", code=2)


def test_status_tells_how_long_the_oldest_notice_waits_and_what_is_held(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(ketnap, "sandbox_sends = true\n" + EMAIL.replace("[channels.email]", '[channels.email]\ntls = "none"'))
    at_work(ketnap, monkeypatch)
    status = ketnap.ask("status")
    week = 7 * 24 * 3600
    assert status["notices"]["queued"] == 4
    assert week <= status["notices_oldest_s"]["queued"] <= week + 3600
    shown = ketnap.run("status").stdout
    assert "7 ngày trước" in shown


def test_a_feed_is_opened_by_its_officer_shown_once_and_closed(office: Ketnap) -> None:
    (office.folder / "ketnap.toml").write_text('base_url = "https://ketnap.test/"\n', encoding="utf-8")
    address = office.ask("feed", "open", "lan", "--as", "lan")["address"]
    assert address.startswith("https://ketnap.test/calendar/")
    assert address.endswith(".ics")
    secret = address.rpartition("/")[2].removesuffix(".ics")
    assert len(secret) == 48
    assert secret.encode() not in (office.folder / "ketnap.db").read_bytes()
    office.run("feed", "open", "lan", "--as", "dao", code=3)
    office.run("feed", "open", "nobody", "--as", "lan", code=2)
    assert office.ask("feed", "close", "lan", "--as", "lan")["closed"] is True


def test_units_are_reminded_by_a_command_once_a_day_by_whoever_takes_the_next_step(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, line in (
        ("to-chuc.csv", "tcnv,organisation_agency,Cơ quan Tổ chức,tu\n"),
        ("can-bo.csv", "hai,Trần Hải,tcnv,clerk,hai@example.org,\n"),
    ):
        with (ketnap.folder / file).open("a", encoding="utf-8") as list_:
            list_.write(line)
    at_work(ketnap, monkeypatch)
    monkeypatch.setenv("KETNAP_NOW", "2024-01-12 09:00")
    remind = ("notices", "remind", "plan_reminder", "annual_plan-xa1-2024", "--as")
    ketnap.run(*remind, "lan", code=3)
    [came] = ketnap.ask(*remind, "hai")
    assert came["why"] is None
    assert {m["to"] for m in came["messages"]} >= {"lan"}
    [again] = ketnap.ask(*remind, "hai", code=1)
    assert "hôm nay đã nhắc" in again["why"]
