"""Notices on their whole way: from a day that comes, through the outbox and a real server, to the state they end in."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.contacts import REPORT
from engine.metrics import status
from engine.steps import By
from notifications.channels.bounces import BounceBox, BounceSettings
from notifications.channels.email import EmailChannel, EmailSettings
from notifications.channels.gammu import GammuChannel, GammuSettings
from notifications.channels.kannel import KannelChannel, KannelSettings
from notifications.channels.letter import Sender
from notifications.channels.receipt import BadReceipt, read_kannel
from notifications.channels.smpp import SmppChannel, SmppSettings
from notifications.receiving import Receiver
from notifications.worker import Worker
from tests.notice_world import NoticeWorld, at
from tests.servers.mail import PASSWORD, USER
from tests.servers.proxy import LossyLine
from tests.servers.wait import until
from tests.world import OFFICERS

OPENED = at("2024-01-02")
CLERK = By(officer="tcnv_clerk")
SECRET = "callback-secret"
TOLD = ("xa1_secretary", "xa1_clerk", "xa1_both", "xa2_secretary", "cs1_secretary", "doan1_secretary")


class MailWorld(NoticeWorld):
    """An office whose officers have mailboxes at the test's server, `<officer>.<name>@dong.test` unless said."""

    def __init__(self, server: Any, name: str, addresses: dict[str, str] | None = None, **changed: Any) -> None:
        super().__init__()
        self.server, self.name = server, name
        for id in OFFICERS:
            self.officer(id, email=(addresses or {}).get(id, self.address(id)))
        self.use(**changed)

    def address(self, officer: str) -> str:
        """Returns an officer's mailbox."""
        return f"{officer}.{self.name}@dong.test"

    def use(self, **changed: Any) -> None:
        """Sends through the server with these settings from now on."""
        given: dict[str, Any] = {
            "host": "localhost", "port": self.server.smtp, "tls": "starttls", "user": USER, "password": PASSWORD,
            "ca_file": self.server.ca_file, "timeout_s": 15.0,
            "sender": Sender(address=f"{self.name}-box@ketnap.test", name="Văn phòng", domain="ketnap.test"),
        }  # fmt: skip
        self.close()
        self.channels["email"] = EmailChannel(EmailSettings(**(given | changed)))

    def close(self) -> None:
        """Lets go of the connection."""
        if isinstance(self.channels["email"], EmailChannel):
            self.channels["email"].close()

    def mails(self, officer: str, n: int = 1) -> list[Any]:
        """Returns an officer's mails when there are so many."""
        raws = self.server.wait_for(self.address(officer), n)
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in raws]

    def states(self, officer: str) -> list[tuple[str, str, str | None]]:
        """Returns how an officer's notices stand."""
        return sorted((r.channel, r.state, r.code) for r in self.rows("plan_opened", officer))


@pytest.fixture
def mail_world(mail_server: Any) -> Iterator[Callable[..., MailWorld]]:
    """Makes offices at the test's mail server, and closes their connections."""
    made: list[MailWorld] = []

    def make(name: str, addresses: dict[str, str] | None = None, **changed: Any) -> MailWorld:
        made.append(MailWorld(mail_server, name, addresses, **changed))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.mark.xdist_group("mail")
class TestMail:
    """A real Postfix and Dovecot."""

    def test_451_452_550_and_a_policy_each_end_in_their_state_and_hold_up_nobody(self, mail_server, mail_world):
        world = mail_world(
            "codes",
            {
                "xa1_secretary": "temp.lan@dong.test",
                "xa1_clerk": "full.lan@dong.test",
                "xa1_both": "perm.lan@dong.test",
                "cs1_secretary": "policy.lan@dong.test",
            },
        )
        world.officer("xa1_both", phone="+84900001001")
        world.go(OPENED)
        assert world.states("xa1_secretary") == [("email", "queued", "451 4.3.2")]
        assert world.states("xa1_clerk") == [("email", "queued", "452 4.2.2")]
        assert world.states("xa1_both") == [("email", "refused", "550 5.1.1"), ("sms", "accepted", None)]
        assert world.states("cs1_secretary") == [("email", "refused", "550 5.7.1")]
        assert status(world.service).bad_contacts == 1
        row = world.row("plan_opened", "xa2_secretary")
        (mail,) = world.mails("xa2_secretary")
        assert (row.state, mail["Message-ID"]) == ("accepted", f"<{row.message}@ketnap.test>")
        assert "kế hoạch" in mail.get_body(("plain",)).get_content()
        reports = world.mails("tu_admin")
        assert any("xa1_both" in one.get_body(("plain",)).get_content() for one in reports)

    def test_a_greylisted_notice_arrives_once_with_the_date_of_its_first_attempt(self, mail_server, mail_world):
        world = mail_world("grey")
        mail_server.answer(world.address("xa1_secretary"), "450 4.2.1 greylisted, come back")
        world.go(OPENED)
        assert world.states("xa1_secretary") == [("email", "queued", "450 4.2.1")]
        mail_server.answer(world.address("xa1_secretary"), None)
        world.channels["email"].close()
        world.go(OPENED + timedelta(minutes=1))
        (mail,) = world.mails("xa1_secretary")
        assert world.states("xa1_secretary")[0][1] == "accepted"
        assert mail["Date"].datetime == OPENED

    def test_a_bounce_ends_the_notice_marks_the_address_and_goes_to_the_phone(self, mail_server, mail_world):
        world = mail_world("bounced", {"xa1_secretary": "bounce.hoa@dong.test"})
        world.officer("xa1_secretary", phone="+84900001002")
        world.go(OPENED)
        assert world.states("xa1_secretary") == [("email", "accepted", "250 2.0.0")]
        box_of = "bounced-box@ketnap.test"
        mail_server.wait_for(box_of)
        settings = BounceSettings(
            host="localhost", port=mail_server.imap, tls="starttls", user=box_of, password=PASSWORD,
            domain="ketnap.test", ca_file=mail_server.ca_file, timeout_s=15.0,
        )  # fmt: skip
        receiver = Receiver(world.service)
        assert receiver.bounces(BounceBox(settings)).code == "1"
        world.settle()
        assert world.states("xa1_secretary") == [("email", "refused", "5.1.1"), ("sms", "accepted", None)]
        assert status(world.service).bad_contacts == 1
        assert {r.recipient for r in world.rows(REPORT)} == {"tu_secretary", "tu_admin"}
        assert receiver.bounces(BounceBox(settings)).code == "0"

    @pytest.mark.parametrize(
        ("wrong", "detail"),
        [
            ({"password": "wrong"}, "The mail server refused the user name or password."),
            ({"ca_file": None}, "The mail server's certificate is not trusted."),
            ({"port": "plain"}, "The mail server offers no STARTTLS."),
        ],
        ids=["password", "certificate", "no-tls"],
    )
    def test_a_wrong_setup_holds_all_notices_until_it_is_mended(self, mail_server, mail_world, wrong, detail):
        changed = {**wrong, **({"port": mail_server.plain} if "port" in wrong else {})}
        world = mail_world(f"setup{len(detail)}", **changed)
        world.go(OPENED + timedelta(minutes=10))
        assert {r.state for r in world.rows("plan_opened")} == {"queued"}
        (lane,) = status(world.service).held
        assert (lane.channel, lane.domain, lane.detail, lane.setup) == ("email", "", detail, True)
        world.use()
        world.go(OPENED + timedelta(minutes=16))
        assert {r.state for r in world.rows("plan_opened")} == {"accepted"}
        assert len(world.mails("xa1_secretary")) == 1

    def test_a_server_that_is_down_for_a_while_gets_everything_once_when_it_is_back(self, mail_server, mail_world):
        world = mail_world("down")
        mail_server.stop_postfix()
        try:
            world.go(OPENED + timedelta(minutes=3))
            assert {r.state for r in world.rows("plan_opened")} == {"queued"}
            assert {r.attempts for r in world.rows("plan_opened")} == {0}
        finally:
            mail_server.start_postfix()
        world.go(OPENED + timedelta(minutes=10))
        assert {r.state for r in world.rows("plan_opened")} == {"accepted"}
        assert len(world.mails("xa1_secretary")) == 1

    def test_a_lost_answer_waits_for_a_person_and_the_second_copy_is_the_same_mail(self, mail_server, mail_world):
        world = mail_world("lost")
        with LossyLine(mail_server.plain, lambda sent: sent.endswith(b"\r\n.\r\n")) as line:
            world.use(host="127.0.0.1", port=line.port, tls="none", user=None, password=None)
            world.go(OPENED)
        unknown = world.rows("plan_opened", state="unknown")
        assert {r.recipient for r in unknown} >= {"xa1_secretary"}
        world.use()
        (row,) = [r for r in unknown if r.recipient == "xa1_secretary"]
        world.service.outbox.resolve([row.id], "again", CLERK, "Không thấy thư")
        world.settle()
        first, second = world.mails("xa1_secretary", 2)
        assert first["Message-ID"] == second["Message-ID"]
        assert first["Date"] == second["Date"]


class SmsWorld(NoticeWorld):
    """An office in which these officers have only a telephone."""

    def __init__(self, numbers: dict[str, str], channel: Any) -> None:
        super().__init__()
        for id, number in numbers.items():
            self.officer(id, email="", phone=number)
        if channel is not None:
            self.channels["sms"] = channel

    def state(self, officer: str) -> str:
        """Returns how the officer's notice stands."""
        return self.row("plan_opened", officer).state


def kannel_of(server: Any, web: Any, **changed: Any) -> KannelChannel:
    given: dict[str, Any] = {
        "url": server.url, "user": "ketnap", "password": "s3cret", "callback_secret": SECRET, "timeout_s": 15.0,
        "callback_url": f"http://127.0.0.1:{web.port}/sms/receipt",
    }  # fmt: skip
    return KannelChannel(KannelSettings(**(given | changed)))


@pytest.mark.xdist_group("kannel")
class TestKannel:
    """A real Kannel and an SMS centre."""

    def hear(self, world: SmsWorld, web: Any, officer: str, state: str) -> None:
        """Hands Kannel's calls on, all of them and again, until the notice stands so."""
        receiver = Receiver(world.service)

        def look() -> bool:
            for asked in list(web.asked):
                try:
                    receiver.receipt(read_kannel(asked.query, SECRET))
                except BadReceipt:
                    pytest.fail("Kannel's call was not understood")
            return world.state(officer) == state

        until(look, what=f"a notice that is {state}; asked: {[one.query for one in web.asked]}")

    @pytest.mark.parametrize(
        ("number", "state", "bad"),
        [("+84900005001", "delivered", 0), ("+84900005333", "failed", 0), ("+84900005111", "refused", 1)],
    )
    def test_what_the_centre_says_later_ends_the_notice(self, kannel_server, web_server, number, state, bad):
        world = SmsWorld({"xa1_secretary": number}, kannel_of(kannel_server, web_server, mode="gsm7"))
        world.go(OPENED)
        assert world.state("xa1_secretary") == "accepted"
        self.hear(world, web_server, "xa1_secretary", state)
        assert status(world.service).bad_contacts == bad
        assert bool(world.rows(REPORT)) == (state != "delivered")
        if state == "delivered":
            assert "ke hoach" in kannel_server.centre.wait_for(number)[-1]["whole"].lower()

    def test_a_throttled_notice_is_sent_again_after_a_pause(self, kannel_server, web_server):
        # In one part: of a text that it has cut itself Kannel tells no reason.
        world = SmsWorld({"xa1_secretary": "+84900005000"}, kannel_of(kannel_server, web_server, mode="gsm7"))
        world.go(OPENED)
        self.hear(world, web_server, "xa1_secretary", "queued")
        row = world.row("plan_opened", "xa1_secretary")
        assert (row.message, row.next_try_at) == (None, "2024-01-02T00:35:00.000000Z")

    def test_a_lost_receipt_leaves_the_notice_accepted(self, kannel_server, web_server):
        numbers = {"xa1_secretary": "+84900005555", "xa2_secretary": "+84900005002"}
        world = SmsWorld(numbers, kannel_of(kannel_server, web_server))
        world.go(OPENED)
        self.hear(world, web_server, "xa2_secretary", "delivered")
        assert world.state("xa1_secretary") == "accepted"

    def test_a_lost_answer_is_settled_by_the_receipt(self, kannel_server, web_server):
        with LossyLine(kannel_server.http, lambda sent: b"\r\n\r\n" in sent) as line:
            url = kannel_server.url.replace(str(kannel_server.http), str(line.port))
            world = SmsWorld({"xa1_secretary": "+84900005003"}, kannel_of(kannel_server, web_server, url=url))
            world.go(OPENED)
        assert world.state("xa1_secretary") == "unknown"
        self.hear(world, web_server, "xa1_secretary", "delivered")
        assert [one["part"] for one in kannel_server.centre.taken("+84900005003")] == ["1/2", "2/2"]

    def test_a_gateway_that_restarts_gets_the_notice_once(self, kannel_server, web_server):
        world = SmsWorld({"xa1_secretary": "+84900005004"}, kannel_of(kannel_server, web_server))
        kannel_server.stop()
        try:
            world.go(OPENED)
            assert world.state("xa1_secretary") == "queued"
            assert [lane.channel for lane in status(world.service).held] == ["sms"]
        finally:
            kannel_server.start()
        world.go(OPENED + timedelta(minutes=1))
        self.hear(world, web_server, "xa1_secretary", "delivered")
        assert [one["part"] for one in kannel_server.centre.taken("+84900005004")] == ["1/2", "2/2"]


@pytest.mark.xdist_group("smpp")
def test_a_notice_straight_over_smpp_is_delivered_by_its_receipt(sms_centre):
    world = SmsWorld({"xa1_secretary": "+84900005101"}, None)

    def stored(receipt: Any) -> None:
        Receiver(world.service, before=world.worker.flush).receipt(receipt)

    settings = SmppSettings(
        host="127.0.0.1", port=sms_centre.port, system_id="ketnap", password="s3cret", sender="Ketnap", timeout_s=10.0
    )
    channel = SmppChannel(settings, on_receipt=stored)
    world.channels["sms"] = channel
    world.worker = Worker(world.service, world.channels)
    try:
        world.go(OPENED)

        def look() -> bool:
            channel.receive(0.2)
            return world.state("xa1_secretary") == "delivered"

        until(look, what="a receipt over SMPP")
    finally:
        channel.close()


@pytest.mark.xdist_group("gammu")
def test_a_modems_notice_that_the_daemon_gives_up_on_gets_another_round(gammu_server, tmp_path: Path):
    folders = {name: gammu_server.work / name for name in ("outbox", "sent", "error")}
    world = SmsWorld({"xa1_secretary": "+84900005201"}, None)
    world.channels["sms"] = channel = GammuChannel(GammuSettings(**folders), clock=world.clock.now)
    gammu_server.stop()
    try:
        world.go(OPENED)
        row = world.row("plan_opened", "xa1_secretary")
        assert row.state == "accepted"
        assert row.provider_id is not None
        (folders["outbox"] / row.provider_id).rename(folders["error"] / row.provider_id)  # the daemon gave up
        assert Receiver(world.service).modem(channel) == 1
        assert world.state("xa1_secretary") == "queued"
        world.go(OPENED + timedelta(minutes=1))
        again = world.row("plan_opened", "xa1_secretary")
        assert (again.state, again.message, again.provider_id) == ("accepted", row.message, row.provider_id)
    finally:
        gammu_server.start()
    gammu_server.wait_for("sent", row.provider_id)
    assert Receiver(world.service).modem(channel) == 0
    assert world.state("xa1_secretary") == "accepted"
