"""What waits for the clock, what went out and who may come in: changed past the service, each is called by its name."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

from engine.clock import SetClock
from engine.core.commands import Move, Start, Undo
from engine.passwords import hash_password
from engine.signing_in import Try, digest
from engine.steps import By
from engine.store.open import open_store
from engine.verifying import verify
from tests.integration.audit.lab import copy, opened
from tests.notice_world import NoticeWorld, at
from tests.world import wire
from web.codes import TimedCodes

END = at("2025-05-20", "10:00")
PASSWORD = "một mật khẩu đủ dài"  # of the test's officer


def _play(file: Path) -> None:
    """Half a year: notices of the plan and of people, some sent, some given up, some waiting; officers sign in."""
    world = NoticeWorld(("annual_plan", "candidate"), start=at("2024-12-20"), store=open_store(f"sqlite:///{file}"))
    service = world.service
    by = By(officer="xa1_secretary")
    facts = {"full_name": "Lê Thị Cúc", "motives": "Tốt", "helper": "Trần Văn Cường", "certificate_no": "1"}
    facts["certificate_issuer"] = "TTCT"
    for n, certified in enumerate(("2020-03-20", "2020-09-10", "2020-07-01", "2020-12-01", "2020-06-10")):
        known = {**facts, "certificate_on": certified}
        service.start(Start(workflow="candidate", id=f"p{n}", org="cb1", facts=known), By(officer="tu_clerk"))
        service.move(Move(subject=f"p{n}", trigger="recognise", facts={"branch_proposed_on": "2024-12-02"}), by)
    for n in range(2):
        service.move(Move(subject=f"p{n}", trigger="certify"), By(officer="tu_clerk"))
    world.go(at("2025-02-10"))
    world.officer("xa1_secretary", email="", phone="")
    world.go(at("2025-04-10"))
    service.put_days([(date(2025, 6, 2), True)], By(officer="tu_admin"))
    world.officer("xa1_secretary", email="lai@example.org")
    world.officer("cb1_clerk", password=hash_password(PASSWORD), token="t")
    service.move(Move(subject="p2", trigger="certify"), By(officer="tu_clerk"))
    world.go(at("2025-04-11"))
    service.undo(Undo(subject="p2", reason="Nhầm"), By(officer="tu_clerk"))
    world.go(END - timedelta(minutes=30))
    service.accounts.sign_in(Try(login="cb1_clerk", password=PASSWORD), TimedCodes(world.clock.now))
    service.tokens.make("cb1_clerk", "Máy của xã", ["read"], 30, By(officer="cb1_clerk"))
    ended, _ = service.tokens.make("cb1_clerk", "Máy cũ", ["read"], 30, By(officer="cb1_clerk"))
    service.tokens.end("cb1_clerk", [digest(ended)], By(officer="cb1_clerk"))
    service.feeds.open("cb1_clerk", By(officer="cb1_clerk"))
    service.move(Move(subject="p3", trigger="drop", facts={"drop_reason": "moved"}, reason="Đi"), by)
    service.persons.erase("p3", "Theo đơn", "Luật", by)
    service.move(Move(subject="p4", trigger="certify"), By(officer="tu_clerk"))
    world.clock.set(END)
    service.tick()  # and nobody delivers it
    world.store.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Played once; each attack gets a copy."""
    file = tmp_path_factory.mktemp("waiting") / "office.db"
    _play(file)
    return file


def _kinds(file: Path, after: timedelta = timedelta()) -> list[tuple[str, str]]:
    service = wire(open_store(f"sqlite:///{file}"), SetClock(END + after))
    try:
        return [(p.kind, p.text()) for p in verify(service).problems]
    finally:
        service.kit.store.close()


@pytest.mark.parametrize("days", [0, 1, 3, 40, 400])
def test_what_nobody_touched_verifies_also_when_nobody_was_at_work_for_long(made: Path, days: int) -> None:
    """What is due and not done yet is no fault."""
    assert _kinds(made, timedelta(days=days)) == []


ATTACKS = {
    "a timer put in": (
        "timer",
        (
            "INSERT INTO timers VALUES ('p0', 'certificate_expiring', '2025-08-01/0_days_before', 'notice', "
            "'2025-08-01T00:30:00.000000Z', '2025-05-01T00:30:00.000000Z', NULL, NULL)"
        ),
    ),
    "a timer taken out": ("timer", "DELETE FROM timers WHERE done_at IS NULL AND kind = 'notice'"),
    "a timer moved": (
        "timer",
        "UPDATE timers SET due_at = '2031-01-01T00:00:00.000000Z' WHERE done_at IS NULL AND kind = 'notice'",
    ),
    "a timer called done": (
        "timer",
        (
            "UPDATE timers SET done_at = '2025-05-01T00:30:00.000000Z', outcome = 'cancelled: condition' "
            "WHERE done_at IS NULL AND kind = 'notice'"
        ),
    ),
    "what a step told, taken out": ("timer", "DELETE FROM timers WHERE kind = 'told'"),
    "a notice that waits called cancelled": (
        "notice",
        "UPDATE outbox SET state = 'cancelled', next_try_at = NULL WHERE state = 'queued'",
    ),
    "a notice that went out called failed": ("notice", "UPDATE outbox SET state = 'failed' WHERE state = 'accepted'"),
    "a notice that went out set back": (
        "notice",
        "UPDATE outbox SET state = 'queued', next_try_at = due_at WHERE state = 'accepted'",
    ),
    "a notice put in": (
        "notice",
        (
            "INSERT INTO outbox SELECT 'new', rule, subject, 'new', recipient, behalf, channel, urgent, 'queued', "
            "due_at, due_at, 0, NULL, NULL, NULL, NULL, key_id, sealed, NULL, NULL, NULL, NULL FROM outbox "
            "WHERE rule NOT IN ('unreached', 'correction') LIMIT 1"
        ),
    ),
    "a notice about somebody who is not there": (
        "notice",
        (
            "INSERT INTO outbox SELECT 'new', rule, 'nobody', 'new', recipient, behalf, channel, urgent, 'queued', "
            "due_at, due_at, 0, NULL, NULL, NULL, NULL, key_id, sealed, NULL, NULL, NULL, NULL FROM outbox LIMIT 1"
        ),
    ),
    "a notice that went out deleted": (
        "notice",
        "DELETE FROM outbox WHERE id = (SELECT id FROM outbox WHERE state = 'accepted' AND rule = 'unreached' LIMIT 1)",
    ),
    "a notice that waits deleted": ("timer", "DELETE FROM outbox WHERE state = 'queued' AND rule <> 'unreached'"),
    "a password exchanged": ("access", "UPDATE officers SET password = 'other' WHERE id = 'cb1_clerk'"),
    "a password put in": ("access", "UPDATE officers SET password = 'other' WHERE id = 'xa1_secretary'"),
    "a token exchanged": ("access", "UPDATE officers SET token = 'other' WHERE id = 'cb1_clerk'"),
    "a program's token put in": (
        "access",
        (
            "INSERT INTO tokens SELECT 'new', 'xa1_secretary', name, scopes, created_at, expires_at, ended_at "
            "FROM tokens LIMIT 1"
        ),
    ),
    "a program's token that had ended": ("access", "UPDATE tokens SET ended_at = NULL"),
    "a program's token for more": ("access", "UPDATE tokens SET scopes = 'read office'"),
    "a feed exchanged": ("access", "UPDATE officers SET feed = 'other' WHERE id = 'cb1_clerk'"),
    "a contact called refused": ("access", "UPDATE officers SET bad_email = email WHERE id = 'cb1_clerk'"),
    "a session put in": (
        "access",
        (
            "INSERT INTO sessions SELECT 'new', 'xa1_secretary', behalf, level, created_at, seen_at, expires_at, "
            "seen_seq, agent FROM sessions LIMIT 1"
        ),
    ),
    "a session made longer": ("access", "UPDATE sessions SET expires_at = '2031-01-01T00:00:00.000000Z'"),
    "a session that acts for another": ("access", "UPDATE sessions SET behalf = 'xa1_secretary'"),
    "one-time codes put in": (
        "access",
        "INSERT INTO factors VALUES ('xa1_secretary', x'00', 0, '2025-05-01T00:30:00.000000Z')",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_beside_the_trail_is_caught_by_name(made: Path, tmp_path: Path, name: str) -> None:
    """The trail itself tells; no checkpoint is needed."""
    kind, statement = ATTACKS[name]
    file = copy(made, tmp_path / "office.db")
    with opened(file) as db:
        assert _run(db, statement), "nothing was attacked"
    found = _kinds(file)
    assert kind in {k for k, _ in found}, found


def _run(db: sqlite3.Connection, statement: str) -> int:
    return db.execute(statement).rowcount


# What docs/reference/trail.md says cannot be caught, in its words -> what somebody does.
UNSEEN = {
    "to whom a notice that waits is to go, and its words": (
        "UPDATE outbox SET recipient = 'tu_clerk', sealed = x'00' WHERE id = (SELECT id FROM outbox "
        "WHERE state = 'queued' AND rule <> 'unreached' LIMIT 1)"
    ),
    "when an officer last used a session": "UPDATE sessions SET seen_at = created_at",
    "how often somebody failed to sign in within the last minutes": "DELETE FROM attempts",
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_cannot_be_caught_beside_the_trail(made: Path, tmp_path: Path, name: str) -> None:
    """As the reference says; whoever mends one of these takes its line out there."""
    file = copy(made, tmp_path / "office.db")
    with opened(file) as db:
        assert _run(db, UNSEEN[name]), "nothing was done"
    assert _kinds(file) == []


@pytest.mark.parametrize("days_off", [True, False])
def test_the_only_timer_of_a_subject_goes_unseen_within_a_month_of_days_off_declared_since(
    tmp_path: Path, *, days_off: bool
) -> None:
    """What stands nearer may be one that they moved; without days off it is seen."""
    file = tmp_path / "office.db"
    world = NoticeWorld(("candidate",), start=END, store=open_store(f"sqlite:///{file}"))
    facts = {"full_name": "Lê Thị Cúc", "motives": "Tốt", "helper": "Trần Văn Cường", "certificate_no": "1"}
    facts |= {"certificate_issuer": "TTCT", "certificate_on": "2020-06-10", "branch_proposed_on": "2025-05-02"}
    by = By(officer="tu_clerk")
    world.service.start(Start(workflow="candidate", id="p", org="cb1", facts=facts), by)
    world.service.move(Move(subject="p", trigger="recognise"), By(officer="xa1_secretary"))
    world.service.move(Move(subject="p", trigger="certify"), by)
    if days_off:
        world.service.put_days([(date(2025, 6, 2), True)], By(officer="tu_admin"))
    world.store.close()
    assert _kinds(file) == []
    with opened(file) as db:
        assert _run(db, "DELETE FROM timers WHERE done_at IS NULL")
    assert [k for k, _ in _kinds(file)] == ([] if days_off else ["timer"])
