"""Messages on their way: what the worker and the outbox make of every answer of a channel."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.contacts import REPORT
from engine.core.errors import BadInput, Denied, NotFound
from engine.core.sending import HAS_LEFT, NO_CONTACT, WORKER_DIED, Came
from engine.delivering import GIVE_UP
from engine.lanes import MANY
from engine.metrics import metrics, status
from engine.outbox import CANCELLED, EXPANDING
from engine.steps import By
from engine.verifying import verify
from notifications.channels.bounces import Bounce
from notifications.channels.port import Message, Outcome, failed, refused
from notifications.channels.receipt import Receipt
from notifications.channels.record import RecordChannel
from notifications.receiving import Receiver
from notifications.worker import Worker
from tests.notice_world import NoticeWorld, at
from tests.world import trail

OPENED = at("2024-01-02")  # the first working day, when every plan opens and is told
CLERK = By(officer="tcnv_clerk")


class Scripted(RecordChannel):
    """Answers as the test says, by address; takes the rest."""

    def __init__(self, answers: dict[str, Outcome] | None = None, **given: Any) -> None:
        super().__init__(**given)
        self.answers = answers or {}
        self.asked: list[Message] = []

    def send(self, message: Message) -> Outcome:
        """Answers as it was told to."""
        self.asked.append(message)
        return self.answers.get(message.to) or self.answers.get("*") or super().send(message)


def scripted(**answers: Outcome) -> tuple[NoticeWorld, Scripted]:
    """Returns an office whose email answers so; keys are officers."""
    world = NoticeWorld()
    channel = Scripted({f"{k}@example.org": v for k, v in answers.items()}, name="email")
    world.channels["email"] = channel
    return world, channel


def to(channel: RecordChannel, officer: str) -> list[Message]:
    return [m for m in channel.sent if m.to.startswith(officer)]


# ---- the message


def test_a_message_keeps_its_id_and_date_through_all_its_attempts() -> None:
    """Else the Date of an email changes, and a modem's folder takes the same message twice."""
    world, channel = scripted(xa1_secretary=failed("The mail server put the message off.", code="451 4.3.2"))
    world.go(OPENED + timedelta(hours=3))
    asked = [m for m in channel.asked if m.to.startswith("xa1_secretary")]
    assert len(asked) >= 5
    assert {(m.id, m.created_at) for m in asked} == {(asked[0].id, OPENED)}


def test_a_temporary_failure_is_tried_again_after_1_5_15_60_minutes_then_hourly() -> None:
    """And the others get theirs at once."""
    times = []

    class Slow(Scripted):
        def send(self, message: Message) -> Outcome:
            if message.to.startswith("xa1_secretary"):
                times.append(world.clock.now())
            return super().send(message)

    world = NoticeWorld()
    world.channels["email"] = slow = Slow({"xa1_secretary@example.org": failed("put off")}, name="email")
    world.go(OPENED + timedelta(hours=5))
    assert [(t - OPENED).total_seconds() / 60 for t in times] == [0, 1, 6, 21, 81, 141, 201, 261]
    assert len(to(slow, "xa2_secretary")) == 1


def test_what_is_put_off_waits_for_the_office_hours() -> None:
    """A retry that falls into the evening goes out the next working morning."""
    world, channel = scripted(xa1_secretary=failed("put off", retry_after_s=36_000))
    world.go(at("2024-01-02", "23:00"))
    assert world.row("plan_opened", "xa1_secretary").next_try_at == "2024-01-03T00:30:00.000000Z"
    channel.answers = {}
    world.go(at("2024-01-03", "07:30"))
    assert len(to(channel, "xa1_secretary")) == 1


def test_a_notice_of_yesterday_says_so_and_counts_its_days_anew() -> None:
    """What is written on the day of its delivery is true on that day."""
    world, channel = scripted(xa1_secretary=failed("put off", retry_after_s=36_000))
    world.go(at("2024-01-17", "08:00"))  # seven days before the 24th
    channel.answers = {}
    world.go(at("2024-01-18", "07:30"))
    (message,) = [m for m in to(channel, "xa1_secretary") if "kế hoạch" in m.text and "17/01/2024" in m.text]
    assert "lẽ ra gửi ngày 17/01/2024" in message.text
    assert "6 ngày" in message.text


def test_a_failure_is_given_up_at_last_and_told() -> None:
    """After so many attempts it ends, and the heads are told."""
    world, _ = scripted(xa1_secretary=failed("put off", code="451"))
    world.go(OPENED)
    row = world.row("plan_opened", "xa1_secretary")
    with world.store.transaction() as tx:
        tx.update_outbox([replace(row, attempts=GIVE_UP - 1)])
    world.go(OPENED + timedelta(minutes=1))
    row = world.row("plan_opened", "xa1_secretary")
    assert (row.state, row.code, row.next_try_at) == ("failed", "451", None)
    assert {r.recipient for r in world.rows(REPORT)} == {"tu_secretary", "tu_admin"}


# ---- contacts


def test_an_address_that_is_refused_is_not_used_again_until_it_is_changed() -> None:
    """The notice goes to the phone instead, the heads are told, and it stands in the trail."""
    bad = refused("The mail server refused this recipient.", code="550 5.1.1", bad_contact=True)
    world, channel = scripted(xa1_secretary=bad)
    world.officer("xa1_secretary", phone="+84900000001")
    world.go(OPENED)
    assert {(r.channel, r.state, r.detail, r.code) for r in world.rows("plan_opened", "xa1_secretary")} == {
        ("email", "refused", bad.detail, "550 5.1.1"),
        ("sms", "accepted", "The message was recorded.", None),
    }
    assert {r.recipient for r in world.rows(REPORT)} == {"tu_secretary", "tu_admin"}
    assert "bị từ chối" in to(channel, "tu_admin")[0].text
    assert any(e.detail.get("what") == "bad_contact" for e in trail(world.store))
    asked = len(channel.asked)
    world.go(at("2024-01-09", "12:00"))  # the first reminder
    assert world.row("plan_reminder", "xa1_secretary").channel == "sms"
    assert not [m for m in channel.asked[asked:] if m.to.startswith("xa1_secretary")]
    world.officer("xa1_secretary", email="new@example.org")
    world.go(at("2024-01-17", "12:00"))
    assert [m.to for m in channel.sent if m.to.startswith("new")] == ["new@example.org"]


def test_a_change_of_name_does_not_bring_back_a_bad_address() -> None:
    """Only another address does, or somebody who says that it is right."""
    world, _ = scripted(xa1_secretary=refused("no", bad_contact=True))
    world.go(OPENED)
    world.officer("xa1_secretary", name="Another Name")
    assert status(world.service).bad_contacts == 1
    world.channels["email"] = Scripted(name="email")
    world.service.outbox.resolve([world.row("plan_opened", "xa1_secretary").id], "again", CLERK)
    world.settle()
    assert world.row("plan_opened", "xa1_secretary").state == "accepted"
    assert status(world.service).bad_contacts == 0


def test_a_refusal_that_is_not_the_addresss_fault_blames_nobody_but_is_told() -> None:
    """A message refused for its contents says nothing of the address."""
    world, _ = scripted(xa1_secretary=refused("The mail server refused the message.", code="550 5.7.1"))
    world.officer("xa1_secretary", phone="+84900000001")
    world.go(OPENED)
    assert status(world.service).bad_contacts == 0
    assert world.rows(REPORT)


def test_an_officer_without_contact_is_reported_to_the_head_and_the_administrator_once_a_day() -> None:
    """Not skipped in silence: the notice stands in the outbox as failed, too."""
    world = NoticeWorld()
    world.officer("xa1_clerk", email="")
    world.go(OPENED)
    row = world.row("plan_opened", "xa1_clerk")
    assert (row.state, row.detail, row.channel) == ("failed", NO_CONTACT, "none")
    assert {r.recipient for r in world.rows(REPORT)} == {"xa1_secretary", "tu_admin"}
    (told,) = to(world.email, "xa1_secretary")
    assert "xa1_clerk" in told.text
    assert "2 việc" in told.subject  # the plan that opened, and the report: one message


def test_a_head_without_contact_is_reported_to_the_head_above() -> None:
    """Nobody is told through the address that is missing."""
    world = NoticeWorld()
    world.officer("xa1_secretary", email="")
    world.go(OPENED)
    assert {r.recipient for r in world.rows(REPORT)} == {"tu_secretary", "tu_admin"}


def test_an_officer_who_left_is_reported_where_nobody_has_taken_the_place() -> None:
    """Where somebody has, there is nothing to report."""
    world = NoticeWorld()
    world.officer("xa2_secretary", until=date(2023, 12, 31))
    world.officer("xa1_clerk", until=date(2023, 12, 31))
    world.go(OPENED)
    assert world.row("plan_opened", "xa2_secretary").detail == HAS_LEFT
    assert not world.rows("plan_opened", "xa1_clerk")


def test_a_notice_that_nobody_could_get_is_written_again_when_asked() -> None:
    """Once there is an address, `again` works it out anew; without one it stays a failure."""
    world = NoticeWorld()
    world.officer("xa1_clerk", email="")
    world.go(OPENED)
    id = world.row("plan_opened", "xa1_clerk").id
    world.service.outbox.resolve([id], "again", CLERK)
    world.settle()
    assert world.row("plan_opened", "xa1_clerk").state == "failed"
    world.officer("xa1_clerk", email="clerk@example.org")
    world.service.outbox.resolve([id], "again", CLERK)
    world.settle()
    assert world.row("plan_opened", "xa1_clerk", channel="email").state == "accepted"
    assert len([m for m in world.email.sent if m.to == "clerk@example.org"]) == 1


# ---- gateways


def test_a_gateway_that_is_set_up_wrongly_is_asked_once_a_pause_and_nothing_is_lost() -> None:
    """One message a round finds out; the others are held without an attempt, and none is given up."""
    world, channel = scripted()
    channel.answers = {"*": failed("The mail server refused the user name or password.", setup=True, retry_after_s=900)}
    world.go(at("2024-01-02", "11:30"))
    assert len(channel.asked) <= 8
    (lane,) = status(world.service).held
    assert (lane.channel, lane.domain, lane.setup) == ("email", "", True)
    assert {r.state for r in world.rows("plan_opened")} == {"queued"}
    assert {r.attempts for r in world.rows("plan_opened")} == {0}
    assert 'ketnap_gateway_held{channel="email",domain=""} 1' in metrics(world.service)
    channel.answers = {}
    world.go(at("2024-01-02", "12:45"))
    assert {r.state for r in world.rows("plan_opened")} == {"accepted"}
    assert not status(world.service).held


def test_a_channel_that_is_not_set_up_holds_its_notices_and_no_others() -> None:
    """They go out once it is."""
    world = NoticeWorld()
    world.officer("xa1_clerk", email="", phone="+84900000001")
    del world.channels["sms"]
    world.go(OPENED)
    assert world.row("plan_opened", "xa1_clerk").detail == "This channel is not set up."
    assert world.row("plan_opened", "xa1_secretary").state == "accepted"
    world.channels["sms"] = world.sms
    world.go(OPENED + timedelta(minutes=2))
    assert world.row("plan_opened", "xa1_clerk").state == "accepted"


def test_a_domain_is_held_when_many_there_are_put_off_and_others_are_not() -> None:
    """One bad address never holds up its domain."""
    world = NoticeWorld()
    for i in range(MANY + 5):
        world.service.set_up().officers([_clerk(f"far{i}", f"far{i}@far.example")])
    channel = Scripted({f"far{i}@far.example": failed("put off") for i in range(MANY + 5)}, name="email")
    world.channels["email"] = channel
    world.go(OPENED)
    assert len([m for m in channel.asked if m.to.endswith("far.example")]) < MANY + 5 + 8
    assert [(lane.channel, lane.domain) for lane in status(world.service).held] == [("email", "far.example")]
    assert world.row("plan_opened", "xa1_secretary").state == "accepted"
    channel.answers = {}
    world.go(OPENED + timedelta(minutes=2))
    assert {r.state for r in world.rows("plan_opened")} == {"accepted"}
    assert not status(world.service).held


def _clerk(id: str, email: str) -> Any:
    from engine.officework import OfficerChange

    return OfficerChange(id=id, name=id, org="xa1", roles=("clerk",), email=email)


# ---- lost answers


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_lost_answer_is_tried_again_only_where_the_same_message_arrives_once(idempotent: bool) -> None:
    """On any other channel it is parked for a person."""
    world = NoticeWorld()
    world.channels["email"] = channel = RecordChannel(name="email", idempotent=idempotent)
    channel.script("lost_after")
    world.go(OPENED + timedelta(minutes=2))
    states = sorted(r.state for r in world.rows("plan_opened"))
    assert states.count("unknown") == (0 if idempotent else 1)
    assert len({m.id for m in channel.sent}) == len(channel.sent)
    assert status(world.service).counts.get("unknown", 0) == (0 if idempotent else 1)


@pytest.mark.parametrize("idempotent", [True, False])
def test_what_a_dead_worker_had_claimed_is_taken_up(idempotent: bool) -> None:
    """Unknown, or sent again under the same id, never forgotten; and not before its time is over."""
    world = NoticeWorld()
    world.channels["email"] = RecordChannel(name="email", idempotent=idempotent)
    world.clock.set(OPENED)
    world.service.tick()
    (lost,) = world.service.outbox.claim(1)
    world.go(OPENED + timedelta(minutes=14))
    assert {r.state for r in world.rows(message=lost.message)} == {"claimed"}
    world.go(OPENED + timedelta(minutes=16))
    (row,) = world.rows(message=lost.message)
    assert row.state == ("accepted" if idempotent else "unknown")
    if not idempotent:
        assert row.detail == WORKER_DIED
        world.service.outbox.record(lost.message, "accepted")  # it was only slow
        assert world.row(message=lost.message).state == "accepted"


def test_a_digest_is_written_whole_before_any_of_it_is_sent() -> None:
    """A worker that looks in while a morning's notices are being written waits."""
    world = NoticeWorld()
    world.clock.set(OPENED)
    world.service.tick()
    with world.store.transaction() as tx:
        tx.put_setting(EXPANDING, "2024-01-02T00:30:00.000000Z")
    assert world.service.outbox.claim(5) == []
    world.clock.set(OPENED + timedelta(minutes=11))  # left behind by a crash
    assert len(world.service.outbox.claim(5)) == 5


# ---- news


def _sent(idempotent: bool = False) -> tuple[NoticeWorld, Receiver, Any]:
    world = NoticeWorld()
    world.officer("xa1_secretary", phone="+84900000001")
    world.go(OPENED)
    row = world.row("plan_opened", "xa1_secretary")
    return world, Receiver(world.service), row


def bounce(row: Any, address: str = "xa1_secretary@example.org", outcome: Outcome | None = None) -> Bounce:
    came = outcome or refused("The email came back.", code="5.1.1", bad_contact=True)
    return Bounce(message_id=row.message, recipient=address, outcome=came, final=True)


def test_a_bounce_marks_the_address_and_sends_the_notice_to_the_phone_once() -> None:
    """The same bounce twice changes nothing."""
    world, receiver, row = _sent()
    assert receiver.bounce(bounce(row, "XA1_secretary@example.org"))
    events = len(trail(world.store))
    assert not receiver.bounce(bounce(row))
    assert len(trail(world.store)) == events
    world.settle()
    states = {r.channel: r.state for r in world.rows("plan_opened", "xa1_secretary")}
    assert states == {"email": "refused", "sms": "accepted"}
    assert len(world.sms.sent) == 1
    assert status(world.service).bad_contacts == 1


@pytest.mark.parametrize("address", ["somebody@else.example", ""])
def test_a_bounce_that_names_another_address_is_not_believed(address: str) -> None:
    """Anybody can write such a mail."""
    world, receiver, row = _sent()
    assert not receiver.bounce(bounce(row, address))
    assert world.row("plan_opened", "xa1_secretary").state == "accepted"
    assert not receiver.bounce(replace(bounce(row), message_id="no-such-message"))


def test_a_delayed_mail_is_still_on_its_way() -> None:
    """A notice that is not final replaces nothing."""
    world, receiver, row = _sent()
    delayed = replace(
        bounce(row, outcome=Outcome(state="accepted", detail="The email is still on its way.")), final=False
    )
    assert receiver.bounce(delayed)
    assert world.row("plan_opened", "xa1_secretary").state == "accepted"


def test_a_receipt_settles_what_was_unknown_and_the_first_final_one_stays() -> None:
    """A gateway that gives back our own id answers for the answer that was lost."""
    world = NoticeWorld()
    world.officer("xa1_clerk", email="", phone="+84900000001")
    world.sms.script("lost_after")
    world.go(OPENED)
    row = world.row("plan_opened", "xa1_clerk")
    assert row.state == "unknown"
    receiver = Receiver(world.service)
    on_its_way = Outcome(state="accepted", detail="The SMS centre has the message.", provider_id="77")
    arrived = Outcome(state="delivered", detail="The phone has the message.", code="DELIVRD 000", provider_id="77")
    lost = failed("The SMS centre could not deliver the message.", retry=False, provider_id="77")
    assert receiver.receipt(Receipt(message_id=row.message, provider_id="77", outcome=on_its_way, final=False))
    assert world.row("plan_opened", "xa1_clerk").state == "accepted"
    assert receiver.receipt(Receipt(message_id=None, provider_id="77", outcome=arrived, final=True))
    assert not receiver.receipt(Receipt(message_id=None, provider_id="77", outcome=lost, final=True))
    row = world.row("plan_opened", "xa1_clerk")
    assert (row.state, row.code, row.provider_id) == ("delivered", "DELIVRD 000", "77")


def test_a_receipt_that_is_quicker_than_the_record_is_not_lost() -> None:
    """It is kept until the message's number is known; a number of nobody's changes nothing."""
    world = NoticeWorld()
    world.clock.set(OPENED)
    world.service.tick()
    (claimed,) = world.service.outbox.claim(1)
    receiver = Receiver(world.service)
    arrived = Outcome(state="delivered", detail="The phone has the message.", provider_id="9")
    for number in ("9", "8"):
        assert not receiver.receipt(Receipt(message_id=None, provider_id=number, outcome=arrived, final=True))
    world.service.outbox.record(claimed.message, "accepted", provider_id="9")
    assert world.row(message=claimed.message).state == "delivered"


def test_the_worker_records_before_news_is_stored() -> None:
    """`flush` gives the number to the row, so that the receipt finds it."""
    world = NoticeWorld()
    world.clock.set(OPENED)
    world.service.tick()
    worker = Worker(world.service, {})
    (claimed,) = world.service.outbox.claim(1)
    worker._came.append((claimed.message, Came(state="accepted", provider_id="5")))
    receiver = Receiver(world.service, before=worker.flush)
    arrived = Outcome(state="delivered", detail="d", provider_id="5")
    assert receiver.receipt(Receipt(message_id=None, provider_id="5", outcome=arrived, final=True))


def test_news_of_a_message_that_is_sent_again_is_not_taken_for_the_new_ones() -> None:
    """After a bounce and `again` the late second copy of the bounce changes nothing."""
    world, receiver, row = _sent()
    assert receiver.bounce(bounce(row))
    world.service.outbox.resolve([row.id], "again", CLERK)
    world.settle()
    assert not receiver.bounce(bounce(row))
    assert world.row("plan_opened", "xa1_secretary", channel="email").state == "accepted"


# ---- a person's word


def test_unknown_notices_are_settled_by_a_person_for_the_whole_message() -> None:
    """Sent or send again is said of a message; cancelling needs a reason; who may not is denied."""
    world = NoticeWorld()
    world.email.script("lost_before", "lost_before", "lost_before")
    world.go(OPENED)
    one, two, three = world.rows(state="unknown")
    service = world.service
    with pytest.raises(Denied):
        service.outbox.resolve([one.id], "sent", By(officer="tu_inspector"))
    with pytest.raises(BadInput, match="reason"):
        service.outbox.resolve([one.id], "cancel", CLERK)
    with pytest.raises(BadInput, match="not one of"):
        service.outbox.resolve([one.id], "maybe", CLERK)
    with pytest.raises(NotFound):
        service.outbox.resolve(["none"], "sent", CLERK)
    assert service.outbox.resolve([one.id], "cancel", CLERK, "Đã gọi điện") == 1
    assert service.outbox.resolve([two.id], "sent", CLERK) == 1
    assert service.outbox.resolve([three.id], "again", CLERK) == 1
    with pytest.raises(BadInput):
        service.outbox.resolve([two.id], "again", CLERK)
    world.settle()
    assert [world.row(id=r.id).state for r in (one, two, three)] == ["cancelled", "accepted", "accepted"]
    assert world.email.sent[-1].id == three.message
    marks = [e for e in trail(world.store) if str(e.detail.get("state")).startswith("resolved_")]
    assert [e.detail["state"] for e in marks] == ["resolved_cancel", "resolved_sent", "resolved_again"]
    assert all(e.actor == "tcnv_clerk" and e.payload is None for e in marks)  # the reason is sealed


# ---- at the moment of sending


def test_a_reminder_is_cancelled_when_its_cause_is_gone_and_says_why() -> None:
    """Asked again at the moment of sending."""
    from engine.core.commands import Move

    world, _ = scripted(xa1_secretary=failed("put off"))
    world.go(OPENED)
    world.service.move(Move(subject="annual_plan-xa1-2024", trigger="receive", facts={}), CLERK)
    world.go(OPENED + timedelta(minutes=5))
    row = world.row("plan_opened", "xa1_secretary")
    assert (row.state, row.detail) == ("cancelled", CANCELLED["state"])


def test_a_retry_goes_to_the_substitute_who_began_meanwhile() -> None:
    """Who is away today gets nothing today."""
    world, channel = scripted(xa1_secretary=failed("put off", retry_after_s=36_000))
    world.go(at("2024-01-02", "20:00"))
    world.service.set_up().substitute("xa1_secretary", "xa1_deputy", date(2024, 1, 3), date(2024, 1, 5))
    world.go(at("2024-01-03"))
    row = world.row("plan_opened", "xa1_secretary")
    assert (row.state, row.detail) == ("cancelled", CANCELLED["recipient"])
    assert (world.row("plan_opened", "xa1_deputy").behalf, len(to(channel, "xa1_deputy"))) == ("xa1_secretary", 1)
    assert "lẽ ra gửi ngày 02/01/2024" in to(channel, "xa1_deputy")[0].text


def test_after_a_stop_in_the_evening_nothing_goes_out_at_night() -> None:
    """What was missed waits for the morning and says that it is late."""
    world = NoticeWorld()
    world.clock.set(at("2024-01-05", "21:00"))
    world.settle()
    assert world.email.sent == []
    world.go(at("2024-01-08"))
    (message,) = to(world.email, "xa1_secretary")
    assert "lẽ ra gửi ngày 02/01/2024" in message.text


def test_a_day_off_entered_in_the_evening_moves_what_waits_for_the_morning() -> None:
    """Also what stands in the outbox already."""
    world, channel = scripted(xa1_secretary=failed("put off", retry_after_s=36_000))
    world.go(at("2024-01-02", "20:00"))
    world.service.set_up().days([(date(2024, 1, 3), True)])
    channel.answers = {}
    world.go(at("2024-01-03", "20:00"))
    assert not to(channel, "xa1_secretary")
    world.go(at("2024-01-04"))
    assert len(to(channel, "xa1_secretary")) == 1


def test_metrics_tell_counts_ages_and_what_is_late() -> None:
    """In the text format of Prometheus, every state named."""
    world = NoticeWorld()
    world.email.script("lost_before")
    world.go(OPENED)
    world.clock.set(OPENED + timedelta(seconds=90))
    text = metrics(world.service)
    assert 'ketnap_notices{state="unknown"} 1' in text
    assert 'ketnap_notices_oldest_seconds{state="unknown"} 90' in text
    assert 'ketnap_notices{state="queued"} 0' in text
    assert "ketnap_timers_late_seconds 0" in text
    assert all(line.startswith(("# ", "ketnap_")) for line in text.splitlines())
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "notices.md").read_text(encoding="utf-8")
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names == set(re.findall(r"^\| `(ketnap_\w+)`", guide, re.MULTILINE))


def test_what_a_webhook_refuses_goes_on_by_the_officers_next_channels_each_once() -> None:
    """The address is marked; the channel that was tried is not tried again."""
    world = NoticeWorld()
    gone = {"https://dong.example/x": refused("The other program does not know this address.", bad_contact=True)}
    world.channels["webhook"] = Scripted(gone, name="webhook")
    world.channels["email"] = Scripted(
        {"*": refused("The mail server refused this recipient.", bad_contact=True)}, name="email"
    )
    world.officer("xa1_secretary", phone="+84900000001", webhook="https://dong.example/x", channels=["webhook"])
    world.go(at("2024-01-02", "12:00"))
    states = {r.channel: r.state for r in world.rows("plan_opened", "xa1_secretary")}
    assert states == {"webhook": "refused", "email": "refused", "sms": "accepted"}
    world.go(at("2024-01-10"))
    assert {r.channel for r in world.rows("plan_reminder", "xa1_secretary")} == {"sms"}
    world.officer("xa1_secretary", webhook="https://dong.example/y")
    world.go(at("2024-01-18"))
    assert "webhook" in {r.channel for r in world.rows("plan_reminder", "xa1_secretary")}
    assert verify(world.service).ok
