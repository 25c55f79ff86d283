"""SMS through a real Kannel, straight over SMPP, and through a real gammu-smsd."""

from __future__ import annotations

import re
from typing import Any

import pytest

from notifications.channels.gammu import GammuChannel, GammuSettings
from notifications.channels.kannel import KannelChannel, KannelSettings
from notifications.channels.receipt import Receipt, read_kannel
from notifications.channels.smpp import SmppChannel, SmppSettings
from notifications.segments import fold, split
from tests.servers.proxy import LossyLine
from tests.servers.wait import until
from tests.unit.channels.helpers import NOON, an_sms

SECRET = "callback-secret"
SHORT = "Nhắc đồng chí Nguyễn Thị Hường: kế hoạch năm đến hạn 24/01."
LONG = "Nhắc đồng chí Nguyễn Thị Hường: kế hoạch năm đến hạn ngày 24/01/2026, đề nghị gửi trước 17:00. 😀 Xin cảm ơn."
assert 70 < len(LONG.encode("utf-16-be")) // 2 <= 134


@pytest.fixture
def kannel(kannel_server, web_server):
    return KannelChannel(kannel_settings(kannel_server, web_server))


def kannel_settings(server, web, **changed):
    given: dict[str, Any] = {
        "url": server.url,
        "user": "ketnap",
        "password": "s3cret",
        "callback_url": f"http://127.0.0.1:{web.port}/sms/receipt",
        "callback_secret": SECRET,
        "timeout_s": 15.0,
    }
    return KannelSettings(**(given | changed))


def final_receipt(web, message_id):
    """Returns the final news of a message when Kannel has called with it."""

    def look():
        receipts = [read_kannel(asked.query, SECRET) for asked in list(web.asked)]
        return next((one for one in receipts if one.message_id == message_id and one.final), None)

    return until(look, what=f"a final receipt; asked: {web.asked}")


@pytest.mark.xdist_group("kannel")
class TestKannel:
    """HTTP to a real bearerbox and smsbox, which speak SMPP to the tests' SMS centre."""

    def test_a_reminder_arrives_at_the_service_centre_right_to_the_byte(self, kannel, kannel_server, web_server):
        outcome = kannel.send(an_sms(id="k-short", to="+84900001001", text=SHORT))
        assert (outcome.state, outcome.code) == ("accepted", "202")
        (taken,) = kannel_server.centre.wait_for("+84900001001")
        assert bytes.fromhex(taken["octets"]) == SHORT.encode("utf-16-be")
        assert final_receipt(web_server, "k-short").outcome.state == "delivered"

    def test_a_long_reminder_arrives_whole_in_two_parts(self, kannel, kannel_server, web_server):
        assert kannel.send(an_sms(id="k-long", to="+84900001002", text=LONG)).state == "accepted"
        taken = kannel_server.centre.wait_for("+84900001002", 2)
        assert [one["part"] for one in taken] == ["1/2", "2/2"]
        assert taken[-1]["whole"] == LONG
        assert final_receipt(web_server, "k-long").outcome.state == "delivered"

    def test_without_diacritics_it_is_one_segment_of_gsm_7(self, kannel_server, web_server):
        text = SHORT + " [€] ~ {mã}"
        channel = KannelChannel(kannel_settings(kannel_server, web_server, mode="gsm7"))
        assert channel.send(an_sms(id="k-gsm", to="+84900001003", text=text)).state == "accepted"
        (taken,) = kannel_server.centre.wait_for("+84900001003")
        assert (taken["coding"], taken["text"]) == (0, fold(text))

    @pytest.mark.parametrize(
        ("to", "state", "retry", "bad_contact"),
        [
            ("+84900001333", "failed", False, False),  # the centre could not deliver
            ("+84900001444", "failed", False, False),  # expired
            ("+84900001111", "refused", False, True),  # no such number
        ],
    )
    def test_what_the_centre_says_later_ends_in_its_state(
        self, kannel, kannel_server, web_server, to, state, retry, bad_contact
    ):
        assert kannel.send(an_sms(id=f"k-{to[-3:]}", to=to)).state == "accepted"
        outcome = final_receipt(web_server, f"k-{to[-3:]}").outcome
        assert (outcome.state, outcome.retry, outcome.bad_contact) == (state, retry, bad_contact)

    def test_a_throttled_message_fails_after_kannels_own_attempts_and_may_be_sent_again(
        self, kannel, kannel_server, web_server
    ):
        assert kannel.send(an_sms(id="k-slow", to="+84900001000")).state == "accepted"
        outcome = final_receipt(web_server, "k-slow").outcome
        assert (outcome.state, outcome.retry) == ("failed", True)
        statuses = [one["status"] for one in kannel_server.centre.wait_for("+84900001000", 2)]
        assert set(statuses) == {0x58}

    def test_a_receipt_that_is_lost_leaves_the_message_accepted(self, kannel, kannel_server, web_server):
        assert kannel.send(an_sms(id="k-lost", to="+84900001555")).state == "accepted"
        kannel_server.centre.wait_for("+84900001555")
        # A message sent later has its receipt: so the one before has none to come.
        assert kannel.send(an_sms(id="k-next", to="+84900001004")).state == "accepted"
        assert final_receipt(web_server, "k-next").outcome.state == "delivered"
        about = [read_kannel(asked.query, SECRET) for asked in web_server.asked if asked.query["id"] == "k-lost"]
        assert [(one.outcome.state, one.final) for one in about] == [("accepted", False)]

    def test_a_wrong_password_blames_the_setup(self, kannel_server, web_server):
        channel = KannelChannel(kannel_settings(kannel_server, web_server, password="wrong"))
        for outcome in (channel.send(an_sms()), channel.check()):
            assert (outcome.state, outcome.setup, outcome.code) == ("failed", True, "403")

    def test_check_says_ready_and_sends_nothing(self, kannel, kannel_server):
        before = kannel_server.sent()
        assert kannel.check().detail == "The SMS gateway is ready."
        assert kannel_server.sent() == before

    def test_an_answer_that_is_lost_leaves_unknown_what_has_arrived_all_the_same(self, kannel_server, web_server):
        with LossyLine(kannel_server.http, lambda sent: sent.endswith(b"\r\n\r\n")) as line:
            url = f"http://127.0.0.1:{line.port}/cgi-bin/sendsms"
            channel = KannelChannel(kannel_settings(kannel_server, web_server, url=url))
            assert channel.send(an_sms(id="k-unknown", to="+84900001005", text=SHORT)).state == "unknown"
            assert line.lost == 1
        assert len(kannel_server.centre.wait_for("+84900001005")) == 1
        # The callback bears our id, so the receipt settles what the lost answer left open.
        assert final_receipt(web_server, "k-unknown").outcome.state == "delivered"

    def test_a_gateway_that_restarts_while_the_centre_is_down_loses_nothing(self, kannel, kannel_server):
        kannel_server.centre.stop()
        try:
            kannel_server.wait_offline()
            queued = kannel.send(an_sms(id="k-spool", to="+84900001006", text=SHORT))
            kannel_server.stop()
            off = kannel.send(an_sms(id="k-off", to="+84900001007", text=SHORT))
        finally:
            kannel_server.centre.start()
            kannel_server.start()
        assert queued.state == "accepted"
        assert queued.detail == "The SMS gateway keeps the message until the SMS centre answers."
        assert (off.state, off.retry, off.setup) == ("failed", True, False)
        assert [one["whole"] for one in kannel_server.centre.wait_for("+84900001006")] == [SHORT]
        assert kannel.send(an_sms(id="k-off", to="+84900001007", text=SHORT)).state == "accepted"
        assert len(kannel_server.centre.wait_for("+84900001007")) == 1


class Listening(SmppChannel):
    """Keeps its receipts."""

    def __init__(self, settings):
        self.receipts: list[Receipt] = []
        super().__init__(settings, on_receipt=self.receipts.append)


@pytest.fixture
def smpp(sms_centre):
    channel = Listening(smpp_settings(sms_centre))
    yield channel
    channel.close()


def smpp_settings(centre, **changed):
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": centre.port,
        "system_id": "ketnap",
        "password": "s3cret",
        "sender": "Ketnap",
        "timeout_s": 10.0,
    }
    return SmppSettings(**(given | changed))


def smpp_receipt(channel, provider_id):
    def look():
        channel.receive(0.2)
        return next((one for one in channel.receipts if one.provider_id == provider_id), None)

    return until(look, what="a receipt over SMPP")


class TestSmpp:
    """SMPP straight to the tests' SMS centre."""

    def test_a_reminder_arrives_right_to_the_byte_and_its_receipt_comes_back(self, smpp, sms_centre):
        outcome = smpp.send(an_sms(id="s-1", to="+84900002001", text=SHORT))
        (taken,) = sms_centre.taken("+84900002001")
        assert (outcome.state, outcome.provider_id) == ("accepted", taken["id"])
        assert bytes.fromhex(taken["octets"]) == SHORT.encode("utf-16-be")
        assert (taken["from"], taken["from_ton"], taken["registered"]) == ("Ketnap", 5, 1)
        assert smpp_receipt(smpp, outcome.provider_id).outcome.state == "delivered"

    def test_a_long_reminder_goes_in_two_parts_and_one_receipt_is_asked_for(self, smpp, sms_centre):
        outcome = smpp.send(an_sms(id="s-2", to="+84900002002", text=LONG))
        taken = sms_centre.taken("+84900002002")
        assert [one["part"] for one in taken] == ["1/2", "2/2"]
        assert taken[-1]["whole"] == LONG
        assert all(one["size"] <= 140 for one in taken)
        assert [one["registered"] for one in taken] == [0, 1]
        assert outcome.provider_id == taken[-1]["id"]
        assert smpp_receipt(smpp, outcome.provider_id).outcome.state == "delivered"

    def test_without_diacritics_160_letters_are_one_part_and_an_escape_pair_is_not_cut(self, sms_centre):
        channel = SmppChannel(smpp_settings(sms_centre, mode="gsm7", sender="+84900000000"), on_receipt=print)
        text = "ê" * 152 + "€" + "x" * 20
        assert channel.send(an_sms(id="s-3", to="+84900002003", text="ệ" * 160)).state == "accepted"
        assert channel.send(an_sms(id="s-4", to="+84900002004", text=text)).state == "accepted"
        channel.close()
        (short,) = sms_centre.taken("+84900002003")
        assert (short["text"], short["from_ton"]) == ("e" * 160, 1)
        first, second = sms_centre.taken("+84900002004")
        assert (len(first["text"]), second["text"][0]) == (152, "€")
        assert second["whole"] == fold(text)

    @pytest.mark.parametrize(
        ("ending", "state", "retry", "bad_contact"),
        [("000", "failed", True, False), ("111", "refused", False, True), ("222", "failed", True, False)],
    )
    def test_throttled_wrong_number_and_system_error(self, smpp, ending, state, retry, bad_contact):
        outcome = smpp.send(an_sms(id=f"s-{ending}", to=f"+84900002{ending}"))
        assert (outcome.state, outcome.retry, outcome.bad_contact) == (state, retry, bad_contact)
        assert ending != "000" or outcome.retry_after_s == 30
        assert smpp.send(an_sms(id="s-next", to="+84900002005")).state == "accepted"

    @pytest.mark.parametrize("ending", ["333", "444"])
    def test_a_receipt_that_says_no_ends_as_failed(self, smpp, ending):
        outcome = smpp.send(an_sms(id=f"s-{ending}", to=f"+84900002{ending}"))
        later = smpp_receipt(smpp, outcome.provider_id)
        assert (later.outcome.state, later.final, later.outcome.retry) == ("failed", True, False)

    @pytest.mark.parametrize(("ending", "timeout_s"), [("666", 0.5), ("777", 10.0)])
    def test_an_answer_that_is_lost_leaves_unknown_what_was_taken(self, sms_centre, ending, timeout_s):
        channel = SmppChannel(smpp_settings(sms_centre, timeout_s=timeout_s), on_receipt=print)
        outcome = channel.send(an_sms(id=f"s-{ending}", to=f"+84900002{ending}"))
        assert (outcome.state, outcome.retry) == ("unknown", False)
        assert len(sms_centre.taken(f"+84900002{ending}")) == 1
        assert channel.send(an_sms(id=f"s-after-{ending}", to="+84900002006")).state == "accepted"
        channel.close()

    def test_a_receipt_that_could_not_be_recorded_comes_again(self, sms_centre):
        kept, seen = [], set()

        def record(receipt):
            if receipt.provider_id not in seen:
                seen.add(receipt.provider_id)
                raise RuntimeError("no room in the database")
            kept.append(receipt)

        channel = SmppChannel(smpp_settings(sms_centre), on_receipt=record)
        provider_id = channel.send(an_sms(id="s-again", to="+84900002007")).provider_id

        def look():
            channel.receive(0.2)
            return any(one.provider_id == provider_id for one in kept)

        until(look, what="the receipt once more")
        channel.close()

    def test_a_wrong_password_blames_the_setup(self, sms_centre):
        channel = SmppChannel(smpp_settings(sms_centre, password="wrong"), on_receipt=print)
        for outcome in (channel.send(an_sms()), channel.check()):
            assert (outcome.state, outcome.setup, outcome.code) == ("failed", True, "0x0E")

    def test_a_centre_that_restarts_between_two_messages_takes_the_second(self, smpp, sms_centre):
        assert smpp.send(an_sms(id="s-b", to="+84900002008")).state == "accepted"
        sms_centre.stop()
        off = smpp.send(an_sms(id="s-c", to="+84900002009"))
        sms_centre.start()
        assert (off.state, off.retry, off.setup) == ("failed", True, False)
        assert smpp.send(an_sms(id="s-c", to="+84900002009")).state == "accepted"
        assert len(sms_centre.taken("+84900002009")) == 1
        assert smpp.check().state == "accepted"


@pytest.fixture
def modem(gammu_server):
    folders = {name: gammu_server.work / name for name in ("outbox", "sent", "error")}
    return GammuChannel(GammuSettings(**folders), clock=lambda: NOON)


@pytest.mark.xdist_group("gammu")
class TestGammu:
    """A real gammu-smsd with its dummy phone."""

    @pytest.mark.parametrize("text", [SHORT, LONG], ids=["short", "long"])
    def test_a_reminder_is_sent_and_its_letters_are_what_the_daemon_read(self, modem, gammu_server, text):
        message = an_sms(id=f"g-{len(text)}", to="+84900003001", text=text)
        outcome = modem.send(message)
        assert outcome.state == "accepted"
        gammu_server.wait_for("sent", outcome.provider_id)
        receipt = modem.look(outcome.provider_id)
        assert (receipt.outcome.state, receipt.final) == ("accepted", True)
        log = (gammu_server.work / "smsd.log").read_text("utf-8", "replace")
        first = split(message.text, "ucs2")
        # Coding 1 is UCS-2; 3 would be seven bits, with the diacritics gone.
        found = rf'Found {len(first)} sms to "\+84900003001" with text "{re.escape(first[0])}" cod 1 '
        assert re.search(found, log)
        assert f"Transmitted {outcome.provider_id} (total: {len(first)}) to +84900003001" in log

    def test_what_the_daemon_gives_up_on_ends_in_error_under_its_name(self, modem, gammu_server):
        # The dummy phone takes everything; a name without a number is what the daemon itself gives up on.
        (gammu_server.work / "outbox" / "OUTC1_00.txt").write_text("x")
        gammu_server.wait_for("error", "OUTC1_00.txt")
        receipt = modem.look("OUTC1_00.txt")
        assert (receipt.outcome.state, receipt.outcome.retry, receipt.final) == ("failed", True, True)

    def test_check_reads_the_daemons_own_settings(self, gammu_server, tmp_path):
        folders = {name: gammu_server.work / name for name in ("outbox", "sent", "error")}
        smsdrc = gammu_server.work / "smsdrc"
        right = GammuChannel(GammuSettings(**folders, smsdrc=smsdrc), clock=lambda: NOON)
        assert right.check().state == "accepted"
        (tmp_path / "smsdrc").write_text(smsdrc.read_text().replace("transmitformat = auto\n", ""))
        wrong = GammuChannel(GammuSettings(**folders, smsdrc=tmp_path / "smsdrc"), clock=lambda: NOON)
        assert (wrong.check().state, wrong.check().setup) == ("failed", True)

    def test_messages_wait_while_the_daemon_is_off_and_go_once_when_it_is_back(self, modem, gammu_server):
        gammu_server.stop()
        try:
            message = an_sms(id="g-off", to="+84900003003")
            name = modem.send(message).provider_id
            assert modem.send(message).provider_id == name
            assert modem.look(name) is None
        finally:
            gammu_server.start()
        gammu_server.wait_for("sent", name)
        assert modem.send(message).state == "accepted"
        log = (gammu_server.work / "smsd.log").read_text("utf-8", "replace")
        assert log.count(f"Transmitted {name}") == 1
