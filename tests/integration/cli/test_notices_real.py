"""A reminder from the rule to the mailbox and the phone: the command, postfix, dovecot, Kannel and an SMS centre."""

from __future__ import annotations

import email
import email.policy
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Ketnap
from tests.servers import kannel as sms
from tests.servers.mail import PASSWORD
from tests.servers.wait import free_ports, listening, start, until

pytestmark = pytest.mark.xdist_group("mail")

PHONE = "+84900003001"
SECRET = "a secret of sixteen letters or more"
OFFICERS = (
    "id,name,org,roles,email,phone\nlan,Nguyễn Thị Lan,xa1,secretary,{email},{lan}\ndao,Trịnh Đào,xa1,clerk,,{dao}\n"
)


def email_table(server: Any, box: str) -> str:
    """Returns the tables of email and of the bounces that come back to the same mailbox."""
    common = f'host = "localhost"\nuser = "{box}"\npassword = "{PASSWORD}"\nca_file = "{server.ca_file}"\n'
    return (
        f"[channels.email]\n{common}port = {server.smtp}\n"
        f'[channels.email.sender]\naddress = "{box}"\nname = "Văn phòng Phường Đông"\ndomain = "ketnap.test"\n'
        f'[channels.bounces]\n{common}port = {server.imaps}\ndomain = "ketnap.test"\n'
    )


def found(ketnap: Ketnap, patch: pytest.MonkeyPatch, settings: str, **contacts: str) -> None:
    """Makes the office at the end of 2023, with these settings and contacts."""
    (ketnap.folder / "ketnap.toml").write_text(settings, encoding="utf-8")
    (ketnap.folder / "can-bo.csv").write_text(
        OFFICERS.format(**({"email": "", "lan": "", "dao": ""} | contacts)), encoding="utf-8"
    )
    patch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    ketnap.office()


@contextmanager
def running(ketnap: Ketnap, *words: str, now: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `ketnap run` as a process of its own, and sees that it ends well when it is asked to."""
    log = ketnap.folder / "run.log"
    command = [sys.executable, "-m", "cli", "run", *words]
    root = str(Path(__file__).parents[3])
    process = start(command, log, env={"KETNAP_NOW": now, "PYTHONPATH": root})
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text("utf-8")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(15)


def notices(ketnap: Ketnap, rule: str, **wanted: object) -> list[dict[str, Any]]:
    """Returns notices of the outbox."""
    rows: list[dict[str, Any]] = ketnap.ask("notices", "list")
    return [n for n in rows if n["rule"] == rule and all(n[k] == v for k, v in wanted.items())]


def plain(raw: bytes) -> tuple[Any, str]:
    """Returns a mail with its plain text."""
    mail: Any = email.message_from_bytes(raw, policy=email.policy.default)
    return mail, mail.get_body(("plain",)).get_payload(decode=True).decode().replace("\r\n", "\n")


def test_one_process_sends_a_reminder_by_mail_and_sms_and_hears_that_the_phone_has_it(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, mail_server: Any, kannel_server: Any
) -> None:
    (port,) = free_ports(1)
    settings = (
        f"sandbox_sends = true\nport = {port}\n{email_table(mail_server, 'run@ketnap.test')}"
        f'[channels.kannel]\nurl = "{kannel_server.url}"\nuser = "{sms.USER}"\npassword = "{sms.PASSWORD}"\n'
        f'max_segments = 6\ncallback_url = "http://127.0.0.1:{port}/receipts/kannel"\ncallback_secret = "{SECRET}"\n'
    )
    found(ketnap, monkeypatch, settings, email="lan.run@dong.test", dao=PHONE)
    with running(ketnap, now="2024-01-09 09:00"):
        raw = mail_server.wait_for("lan.run@dong.test")
        taken = kannel_server.centre.wait_for(PHONE)
        monkeypatch.setenv("KETNAP_NOW", "2024-01-09 09:00")

        def delivered() -> bool:
            with suppress(AssertionError):  # the other process, whose clock is set apart, may write at this moment
                return bool(notices(ketnap, "plan_reminder", to="dao", state="delivered"))
            return False

        until(
            delivered,
            what="the receipt in the outbox",
            log=ketnap.folder / "run.log",
        )
    (mine,) = notices(ketnap, "plan_reminder", to="lan")
    assert (mine["state"], mine["channel"]) == ("accepted", "email")
    mail, text = next((m, t) for m, t in map(plain, raw) if m["Message-ID"] == f"<{mine['message']}@ketnap.test>")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wanted = [line.strip() for line in mine["body"].splitlines() if line.strip()]
    at = lines.index(wanted[0])
    assert lines[at : at + len(wanted)] == wanted  # indented, as it is one of two matters of that day
    assert "Nguyễn Thị Lan" in str(mail["To"])
    assert "Đảng ủy xã Tây Sơn chưa nộp đủ kế hoạch" in text
    (hers,) = notices(ketnap, "plan_reminder", to="dao")
    assert hers["channel"] == "sms"
    whole = bytes.fromhex(taken[0]["octets"]).decode("utf-16-be") if len(taken) == 1 else taken[-1]["whole"]
    assert "chưa nộp kế hoạch phát triển đảng viên năm 2024" in whole
    assert SECRET not in (ketnap.folder / "run.log").read_text("utf-8")
    assert "token=" not in (ketnap.folder / "run.log").read_text("utf-8")


def test_a_mail_that_comes_back_is_refused_its_address_marked_and_the_phone_tried(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, mail_server: Any
) -> None:
    settings = f"sandbox_sends = true\n{email_table(mail_server, 'back@ketnap.test')}"
    found(ketnap, monkeypatch, settings, email="bounce.lan@dong.test", lan="+84900003002")
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    mail_server.wait_for("back@ketnap.test")
    ketnap.run("run", "worker", "--once")
    by_channel = {n["channel"]: n for n in notices(ketnap, "plan_opened", to="lan")}
    assert by_channel["email"]["state"] == "refused"
    assert by_channel["email"]["detail"] == "The email came back."
    assert by_channel["sms"]["state"] == "accepted"  # kept as a file, as no channel for text messages is set up
    assert list((ketnap.folder / "ketnap.db.mail" / "+84900003002" / "new").glob("*.eml"))
    status = ketnap.ask("status")
    assert status["bad_contacts"] == 1
    assert status["notices"]["refused"] == len(ketnap.ask("notices", "list", "--state", "refused")) > 0
    assert status["notices_oldest_s"]["refused"] >= 0
    again = mail_server.mails("back@ketnap.test")
    ketnap.run("run", "--once")
    assert mail_server.mails("back@ketnap.test") == again


def test_a_receipt_of_the_sms_centre_is_heard_over_smpp(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, sms_centre: sms.SmsCentre
) -> None:
    settings = (
        f'sandbox_sends = true\n[channels.smpp]\nhost = "127.0.0.1"\nport = {sms_centre.port}\n'
        'system_id = "ketnap"\nsender = "Ketnap"\nmode = "gsm7"\nmax_segments = 6\n'
    )
    monkeypatch.setenv("KETNAP_CHANNELS_SMPP_PASSWORD", sms.PASSWORD)
    found(ketnap, monkeypatch, settings, dao="+84900003003")
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")

    def delivered() -> list[dict[str, Any]]:
        ketnap.run("run", "--once")
        return notices(ketnap, "plan_opened", to="dao", state="delivered")

    (notice,) = until(delivered, what="the receipt in the outbox")
    assert notice["channel"] == "sms"
    taken = sms_centre.taken("+84900003003")
    assert {t["coding"] for t in taken} == {0}  # without diacritics, as this office has it
    assert "ke hoach" in (taken[-1].get("whole") or taken[-1]["text"])


def test_a_wrong_password_holds_the_channel_and_the_trial_says_so(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, mail_server: Any
) -> None:
    found(
        ketnap,
        monkeypatch,
        f"sandbox_sends = true\n{email_table(mail_server, 'pass@ketnap.test')}",
        email="lan.pass@dong.test",
    )
    assert ketnap.ask("notices", "test-channel", "email")["ok"] is True
    monkeypatch.setenv("KETNAP_CHANNELS_EMAIL_PASSWORD", "wrong")
    answer = ketnap.ask("notices", "test-channel", "email", code=1)
    assert (answer["state"], answer["code"][:3]) == ("failed", "535")
    assert "mật khẩu" in answer["message"]
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    ketnap.run("run", "--once")
    assert {n["state"] for n in notices(ketnap, "plan_opened", to="lan")} == {"queued"}
    assert [g["channel"] for g in ketnap.ask("status")["gateways_held"]] == ["email"]
    assert mail_server.mails("lan.pass@dong.test") == []


def test_a_trial_with_an_address_really_sends_one_mail(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch, mail_server: Any
) -> None:
    found(ketnap, monkeypatch, f"sandbox_sends = true\n{email_table(mail_server, 'try@ketnap.test')}")
    assert ketnap.ask("notices", "test-channel", "email", "--to", "tin.hoc@dong.test")["state"] == "accepted"
    (raw,) = mail_server.wait_for("tin.hoc@dong.test")
    mail, text = plain(raw)
    assert mail["Subject"] == "Thử kênh email"
    assert "Tin này để thử kênh email." in text
    assert ketnap.ask("notices", "test-channel", "bounces")["ok"] is True


def test_the_web_server_runs_alone_and_shows_an_officer_their_dates(
    ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    found(ketnap, monkeypatch, f"port = {port}\n", email="lan@dong.test")
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    address = ketnap.ask("feed", "open", "lan", "--as", "lan")["address"]
    assert address.startswith(f"http://127.0.0.1:{port}/calendar/")
    with running(ketnap, "web", now="2024-01-02 08:00"):
        until(lambda: listening(port), what="the web server", log=ketnap.folder / "run.log")
        with urllib.request.urlopen(address, timeout=10) as page:
            assert "DTSTART;VALUE=DATE:20240124\r\n" in page.read().decode()
        ketnap.run("feed", "close", "lan", "--as", "lan")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address, timeout=10)


def test_run_says_that_its_port_is_taken(ketnap: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    ketnap.run("init", "--sandbox")
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("KETNAP_PORT", str(other.getsockname()[1]))
        error = ketnap.ask("run", "web", code=2)["error"]
    assert re.search(r"cổng \d+", error["message"])
