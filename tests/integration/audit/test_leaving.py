"""Checkpoints leave the machine: by mail, on paper, over the telephone, to a witness; how much none covers is told."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from engine.audit import checkpoint as checkpoints
from engine.audit.note import KeyKind, SigningKey, VerifierKey
from engine.audit.words import from_words
from engine.bundling import Wanted
from engine.clock import SetClock
from engine.core.commands import Start
from engine.core.errors import Conflict
from engine.library import find_sources
from engine.metrics import metrics
from engine.sealing import TreeSealer
from engine.service import Service
from engine.steps import By
from engine.store.open import open_store
from engine.trail import KeyChanged, read_note
from engine.verifying import verify
from notifications.channels.record import RecordChannel
from notifications.worker import Worker
from reports.checkpoint_page import page
from tests.integration.audit import lab
from tests.integration.audit.lab import KEY, NEW_KEY
from tests.world import START, found_office, minutes
from web.app import Server, listen
from web.witness import Memory, Witness, witness_app
from web.witnessing import WitnessFailed, post

WITNESS = SigningKey(name="nhan-chung.example", kind=KeyKind.COSIGNATURE, seed=bytes([9] * 32))
MONDAY = START.replace(hour=1)  # eight o'clock in the office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Service]:
    """An office whose trail is signed."""
    store = open_store(f"sqlite:///{tmp_path / 'office.db'}")
    service = found_office(store, SetClock(MONDAY), ("candidate", "trail_checkpoint"))
    service.kit.signer = lambda: KEY
    yield service
    store.close()


def later(service: Service, by: timedelta) -> None:
    """Lets time go by, and does what is due at each time."""
    clock = service.kit.clock
    assert isinstance(clock, SetClock)
    end = clock.now() + by
    while (due := service.next_due()) is not None and due <= end:
        clock.set(max(due, clock.now()))
        service.tick()
        Worker(service, {"email": CHANNEL}).deliver()
    clock.set(end)


CHANNEL = RecordChannel(name="email", kind="email")


def test_inspectors_get_a_checkpoint_every_day_that_verifies_years_later(office: Service) -> None:
    """The mail's own text is enough; what it covers is exposed no more."""
    CHANNEL.sent.clear()
    office.tick()
    later(office, timedelta(days=3))
    mails = [m for m in CHANNEL.sent if m.to == "tu_inspector@example.org"]
    assert len(mails) == 3
    notes = [n for m in mails for n in read_note(m.text)]
    assert len(notes) == 3
    report = verify(office, checkpoints=notes, key=KEY.verifier)
    assert report.ok
    assert report.checkpoints >= 6
    sizes = [int(n.decode().split("\n")[1]) for n in notes]
    exposed = office.trail.exposure()
    assert exposed.last is not None
    assert (exposed.last.size, exposed.last.way) == (max(sizes), "mail")
    assert f"ketnap_trail_exposed_events {exposed.events}\n" in metrics(office)
    words = mails[-1].text.split("\n")
    lines = [line for line in words if line.count(" - ") == 8]
    assert from_words(" ".join(lines)) == base64.b64decode(notes[-1].decode().split("\n")[2])


def test_a_checkpoint_is_mailed_on_demand_and_twice_a_day_is_no_conflict(office: Service) -> None:
    """Whoever may starts one; others are refused, and then nothing is signed."""
    CHANNEL.sent.clear()
    by = By(officer="tu_clerk")
    ids = {office.start(Start(workflow="trail_checkpoint", org="tu"), by).subject for _ in range(2)}
    assert len(ids) == 2
    later(office, timedelta(minutes=1))
    assert any(m.to == "tu_inspector@example.org" for m in CHANNEL.sent)


def test_a_report_that_goes_out_takes_a_checkpoint_along(office: Service) -> None:
    """As its layout says, at the unit or the next above where one lives; without a key there is none."""
    from reports.handing import hand_out
    from reports.letters import Letter
    from reports.making import Request
    from reports.periods import year_span

    folder = Path(__file__).parents[3] / "workflows" / "admission"
    office.load(find_sources(["annual_plan", "branch_plan", "monthly_review", "probation", "target"]))
    for org, form in ((None, "json"), ("xa1", "json"), ("xa1", None)):
        hand_out(office, folder, Request(name="yearly", span=year_span(2024), org=org), Letter(), form)
    assert len(office.find("trail_checkpoint", None, {})) == 2
    office.kit.signer = None
    assert office.trail.open_at("trail_checkpoint", "xa1", By(officer=None)) is None


def test_days_that_passed_while_the_program_stood_still_bring_one_checkpoint(office: Service) -> None:
    """The last: the others would say the same."""
    office.tick()
    clock = office.kit.clock
    assert isinstance(clock, SetClock)
    clock.set(MONDAY + timedelta(days=30))
    office.tick()
    assert len(office.find("trail_checkpoint", None, {})) == 1


def test_without_its_key_or_with_another_the_rest_goes_on(office: Service) -> None:
    """Deadlines do not wait for a signature; by hand the reason is told."""
    office.trail.begin()
    office.kit.signer = lambda: NEW_KEY
    office.tick()
    later(office, timedelta(days=2))
    assert office.find("trail_checkpoint", None, {}) == []
    with pytest.raises(KeyChanged):
        office.trail.sign()


def test_the_page_has_the_note_its_code_and_its_words(office: Service) -> None:
    """The words read aloud give the root back."""
    signed = office.trail.sign()
    html = page(signed, str(KEY.verifier), lambda text: text, MONDAY, sandbox=True)
    assert signed.note.split("\n")[2] in html
    assert "<svg" in html
    assert "proves nothing" in html
    assert str(KEY.verifier) in html


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[str]:
    """The address of a witness of the lab's trail, with a memory on disk."""
    made = Witness(WITNESS, [KEY.verifier], Memory(tmp_path / "witness"), SetClock(START).now)
    listening = listen("127.0.0.1", 0)
    server = Server(witness_app(made), listening)
    server.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.stop()


def ask(service: Service, url: str, key: VerifierKey = WITNESS.verifier) -> int:
    """Posts, and returns the size that was signed."""
    return post(service, url, key).size


def test_a_witness_signs_what_goes_on_and_nothing_else(tmp_path: Path, witness: str) -> None:
    """A rewritten history and an older copy are refused, with their reason."""
    file, _, old, _ = lab.original(tmp_path)
    service = lab.serve(file, at=START + minutes(20))
    first = ask(service, witness)
    lab.person(service, 50)
    assert ask(service, witness) > first
    assert service.trail.exposure().last is not None
    assert verify(service).ok
    service.kit.store.close()
    copy = lab.serve(old, at=START + minutes(20))
    with pytest.raises(Conflict, match="older copy"):
        ask(copy, witness)
    copy.kit.store.close()
    forged = lab.copy(file, tmp_path / "forged.db")
    with lab.opened(forged) as db:
        lab.rewrite(db, lambda made: [b for b in made if "witness" not in b and b["kind"] != "checkpoint_left"])
        db.execute("DELETE FROM settings WHERE name = 'trail_left'")
    other = lab.serve(forged, at=START + minutes(30))
    for n in range(60, 64):
        lab.person(other, n)
    with pytest.raises(Conflict, match="another history"):
        ask(other, witness)
    other.kit.store.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old x\n\nnote", 400),
        (b"old 1\n!!\n\nnote", 400),
        (b"old 0\n\nnot a note", 400),
        (b"x" * 200_000, 413),
    ],
)
def test_a_witness_refuses_what_is_no_request(witness: str, body: bytes, status: int) -> None:
    """With the status that tlog-witness names."""
    assert httpx.post(f"{witness}/add-checkpoint", content=body).status_code == status


def test_a_witness_signs_no_unknown_trail_and_no_unknown_key(tmp_path: Path, witness: str) -> None:
    """404 and 403; 409 tells how far it has seen."""
    root = bytes(32)
    for key, status in ((SigningKey(name="other/x", seed=bytes([1] * 32)), 404), (NEW_KEY, 403), (KEY, 409)):
        head = checkpoints.Checkpoint(origin=key.name, size=5, root=root)
        note = bytes(checkpoints.sign(head, [key]))
        old = 3 if key is KEY else 0
        answer = httpx.post(f"{witness}/add-checkpoint", content=f"old {old}\n\n".encode() + note)
        assert answer.status_code == status
    assert (answer.text, answer.headers["content-type"].split(";")[0]) == ("0\n", "text/x.tlog.size")


def test_a_witness_that_cannot_be_reached_is_told(office: Service) -> None:
    """And the checkpoint stands nevertheless."""
    with pytest.raises(WitnessFailed):
        post(office, "http://127.0.0.1:9", WITNESS.verifier)


def test_the_sealer_writes_the_nodes_while_others_write(postgres_url: str) -> None:
    """Within its pause, and ends when it is told to."""
    import time

    store = open_store(postgres_url)
    service = found_office(store, SetClock(START))
    with TreeSealer(store, pause_s=0.01):
        service.start_many(
            [Start(workflow="candidate", org="cb1", id=f"s{n}", facts={"full_name": "x"}) for n in range(300)],
            By(officer="cb1_clerk"),
        )
        deadline = time.monotonic() + 30
        found: list[bytes] = []
        while not found and time.monotonic() < deadline:
            with store.transaction(write=False) as tx:
                found = list(tx.hashes(8, 0, 9))
    assert found
    assert verify(service).ok
    store.close()


def test_a_bundle_says_what_it_wants() -> None:
    """Whole only where nothing is left out."""
    assert Wanted().whole
    assert not Wanted(org="x").whole
