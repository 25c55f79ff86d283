"""Signed notes and checkpoints: those of the world are read, ours hold, altered ones do not."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audit import checkpoint as checkpoints
from engine.audit import note as notes
from engine.audit.checkpoint import Checkpoint, Rotation, Tenure
from engine.audit.note import BadKey, BadNote, KeyKind, Note, NotVerified, SigningKey, VerifierKey
from engine.audit.tree import EMPTY_ROOT

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "notes.json").read_text())
ORIGIN = "office.example/trail"
AT = datetime(2026, 3, 1, 7, 30, 15, 999, tzinfo=timezone(timedelta(hours=7)))
LOG = SigningKey(name=ORIGIN, seed=bytes([1] * 32))
NEXT = SigningKey(name=ORIGIN, seed=bytes([2] * 32))
THIRD = SigningKey(name=ORIGIN, seed=bytes([3] * 32))
WITNESS = SigningKey(name="witness.example/w1", kind=KeyKind.COSIGNATURE, seed=bytes([4] * 32))
TENURES = (Tenure(key=LOG.verifier, since=0, until=None),)


def head(size: int = 7, byte: int = 9) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=bytes([byte] * 32) if size else EMPTY_ROOT)


def opened(data: bytes, **changes: Any) -> checkpoints.Opened:
    return checkpoints.open_checkpoint(data, **{"origin": ORIGIN, "tenures": TENURES, **changes})


@pytest.mark.parametrize("vector", VECTORS["notes"], ids=lambda v: v["vkeys"][0].partition("+")[0])
def test_published_notes_verify_and_come_back_byte_for_byte(vector: dict[str, Any]):
    data = vector["note"].encode()
    note = notes.parse(data)
    keys = [VerifierKey.parse(text) for text in vector["vkeys"]]
    assert bytes(note) == data
    assert [v.key for v in notes.verify(note, keys)] == keys
    assert [str(key) for key in keys] == vector["vkeys"]


def test_the_published_signing_key_makes_the_published_note():
    vector = VECTORS["notes"][0]
    key = SigningKey.parse(vector["signing_key"])
    text = vector["note"].rpartition("\n\n")[0] + "\n"
    assert bytes(notes.sign(text, [key])).decode() == vector["note"]
    assert key.text() == vector["signing_key"]
    assert str(key.verifier) == vector["vkeys"][0]


def test_a_real_checkpoint_of_a_public_log_verifies_with_its_witness():
    vector = VECTORS["checkpoint"]
    tenures = (Tenure(key=VerifierKey.parse(vector["log"]), since=0, until=None),)
    witness = VerifierKey.parse(vector["witness"])
    found = checkpoints.open_checkpoint(
        vector["note"].encode(), origin=vector["origin"], tenures=tenures, witnesses=[witness]
    )
    assert found.checkpoint.size == vector["size"]
    assert [(v.key, v.at) for v in found.witnessed] == [(witness, datetime.fromtimestamp(vector["witnessed_at"], UTC))]
    altered = vector["note"].replace(str(vector["size"]), "42").encode()
    with pytest.raises(NotVerified):
        checkpoints.open_checkpoint(altered, origin=vector["origin"], tenures=tenures)


def test_a_checkpoint_that_we_sign_and_a_witness_cosigns_opens():
    note = checkpoints.cosign(checkpoints.sign(head(), [LOG]), WITNESS, AT)
    found = opened(bytes(note), witnesses=[WITNESS.verifier])
    assert found.checkpoint == head()
    assert [v.key for v in found.signed] == [LOG.verifier]
    assert [(v.key, v.at) for v in found.witnessed] == [(WITNESS.verifier, AT.replace(microsecond=0))]
    assert opened(bytes(note)).witnessed == ()


def test_a_witness_that_signs_again_has_one_signature_the_later():
    note = checkpoints.cosign(checkpoints.sign(head(), [LOG]), WITNESS, AT)
    note = checkpoints.cosign(note, WITNESS, AT + timedelta(days=1))
    assert len(note.signatures) == 2
    assert opened(bytes(note), witnesses=[WITNESS.verifier]).witnessed[0].at == AT.replace(microsecond=0) + timedelta(1)


def test_every_altered_byte_of_a_checkpoint_is_found():
    data = bytes(checkpoints.cosign(checkpoints.sign(head(), [LOG]), WITNESS, AT))
    for at in range(len(data)):
        for bit in range(8):
            altered = bytearray(data)
            altered[at] ^= 1 << bit
            try:
                found = opened(bytes(altered), witnesses=[WITNESS.verifier])
            except (BadNote, NotVerified):
                continue
            # A witness's name or key id altered is a witness nobody knows: its signature counts for nothing.
            assert found.checkpoint == head()
            assert found.witnessed == ()


def test_a_signature_of_one_checkpoint_does_not_serve_another():
    note = checkpoints.sign(head(), [LOG])
    for other in (head(8), head(byte=8), replace(head(), extensions=("more",)), replace(head(), origin="other")):
        with pytest.raises(NotVerified):
            opened(bytes(Note(text=other.text(), signatures=note.signatures)))


def test_an_unknown_key_or_another_origin_is_refused():
    data = bytes(checkpoints.sign(head(), [NEXT]))
    with pytest.raises(NotVerified):
        opened(data)
    with pytest.raises(NotVerified, match="not of elsewhere"):
        opened(bytes(checkpoints.sign(head(), [LOG])), origin="elsewhere")


def test_a_witness_alone_or_a_log_as_its_own_witness_is_not_enough():
    alone = Note(text=head().text(), signatures=(WITNESS.sign(head().text(), AT),))
    with pytest.raises(NotVerified):
        opened(bytes(alone), witnesses=[WITNESS.verifier])
    found = opened(bytes(checkpoints.sign(head(), [LOG])), witnesses=[LOG.verifier])
    assert found.witnessed == ()


def test_a_signature_without_a_time_is_not_a_cosignature_of_the_same_secret():
    """The kind of a key is in its id and its message: neither signature can be shown as the other."""
    plain = SigningKey(name=WITNESS.name, seed=WITNESS.seed)
    assert plain.verifier.key_id != WITNESS.verifier.key_id
    signature = plain.sign(head().text())
    posed = replace(signature, key_id=WITNESS.verifier.key_id, blob=bytes(8) + signature.blob)
    with pytest.raises(NotVerified):
        notes.verify(Note(text=head().text(), signatures=(posed,)), [WITNESS.verifier])


def test_one_bad_signature_of_a_trusted_key_spoils_the_note():
    good = checkpoints.sign(head(), [LOG, NEXT])
    bad = replace(good.signatures[1], blob=bytes(64))
    note = replace(good, signatures=(good.signatures[0], bad))
    assert notes.verify(note, [LOG.verifier])
    with pytest.raises(NotVerified, match="does not hold"):
        notes.verify(note, [LOG.verifier, NEXT.verifier])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: text.replace("— ", "- "),
        lambda text: text.replace("— ", "—"),
        lambda text: text.replace("\n\n— ", "\n\n—  "),
        lambda text: text.replace("=\n", "\n"),
        lambda text: text.replace("=\n", "==\n"),
        lambda text: text.replace("\n\n— ", "\r\n\r\n— "),
        lambda text: text.replace("\n\n", "\x00\n\n"),
        lambda text: text.replace("\n\n", "\t\n\n"),
        lambda text: text + text.rpartition("\n\n")[2] * 100,
        lambda text: text + "— name AAAAAA==\n",
        lambda text: text + "— na+me AAAAAAAA\n",
        lambda text: text + "— na\u00a0me AAAAAAAA\n",
        lambda text: text + "junk\n",
        lambda text: "x" * 1_000_000 + text,
        lambda text: text.partition("\n\n")[2],
        lambda _: "",
    ],
)
def test_a_note_that_is_not_well_formed_is_refused(spoil: Any):
    text = bytes(checkpoints.sign(head(), [LOG])).decode()
    with pytest.raises(BadNote):
        notes.parse(spoil(text).encode())


def test_a_note_that_is_not_utf_8_is_refused():
    with pytest.raises(BadNote, match="UTF-8"):
        notes.parse(b"\xff\n\n" + LOG.sign("x\n").line().encode())


def test_the_text_of_a_note_may_hold_empty_lines_and_ends_at_the_last():
    text = "one\n\ntwo\n\n\n"
    note = notes.sign(text, [LOG])
    assert notes.parse(bytes(note)) == note


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\n")))
def test_every_text_that_can_be_signed_comes_back(text: str):
    note = notes.sign(text + "\n", [LOG])
    assert notes.parse(bytes(note)) == note
    assert notes.verify(note, [LOG.verifier])


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "cr\r\n", "nul\x00\n"])
def test_a_text_that_cannot_stand_in_a_note_is_not_signed(text: str):
    with pytest.raises(BadNote):
        notes.sign(text, [LOG])


def test_sixteen_and_more_signatures_are_read():
    keys = [SigningKey(name=f"w{i}", seed=bytes([i] * 32)) for i in range(100)]
    note = notes.sign("text\n", keys)
    assert len(notes.verify(notes.parse(bytes(note)), [key.verifier for key in keys])) == 100


def test_a_key_copied_wrongly_is_refused_at_every_letter():
    for text, parse in ((str(LOG.verifier), VerifierKey.parse), (LOG.text(), SigningKey.parse)):
        assert str(parse(text + "\n")) in (text, str(LOG))
        for at in range(len(text)):
            with pytest.raises(BadKey):
                parse(text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :])
            with pytest.raises(BadKey):
                parse(text[:at])


def test_a_key_of_an_unknown_kind_or_length_is_refused():
    for material in (bytes([2]) + bytes(32), bytes([6]) + bytes(1312), b"\x01" + bytes(31), b""):
        with pytest.raises(BadKey):
            VerifierKey.parse(f"name+00000000+{base64.b64encode(material).decode()}")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\nb", "a\x01b", "\ud800"])
def test_a_name_with_a_space_plus_or_control_is_refused(name: str):
    with pytest.raises(BadKey):
        SigningKey(name=name, seed=bytes(32))


def test_a_secret_does_not_show_in_what_is_printed_or_in_errors():
    secret = base64.b64encode(b"\x01" + LOG.seed).decode()
    assert secret not in repr(LOG) + str(LOG)
    assert repr(LOG.seed) not in repr(LOG)
    with pytest.raises(BadKey) as caught:
        SigningKey.parse(LOG.text().replace("office", "orifice"))
    assert secret not in str(caught.value)


def test_only_a_witness_gives_a_time_and_it_has_a_zone():
    with pytest.raises(ValueError, match="carries a time"):
        LOG.sign("x\n", AT)
    with pytest.raises(ValueError, match="carries a time"):
        WITNESS.sign("x\n")
    with pytest.raises(ValueError, match="zone"):
        WITNESS.sign("x\n", datetime(2026, 1, 1))


def test_a_cosignature_from_beyond_the_calendar_does_not_hold_and_is_no_error():
    signature = replace(WITNESS.sign("x\n", AT), blob=b"\xff" * 72)
    with pytest.raises(NotVerified):
        notes.verify(Note(text="x\n", signatures=(signature,)), [WITNESS.verifier])


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"o\n1\n{ROOT}",
        "o\n1\n",
        f"\n1\n{ROOT}\n",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n1 \n{ROOT}\n",
        f"o\n\u0661\n{ROOT}\n",
        f"o\n{2**63}\n{ROOT}\n",
        f"o\n{'9' * 6000}\n{ROOT}\n",
        f"o\n0\n{ROOT}\n",
        f"o\n1\n{ROOT[:-1]}\n",
        f"o\n1\n{ROOT[:-2]}B=\n",
        f"o\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"o\n1\n{base64.b64encode(bytes(33)).decode()}\n",
        f"o\n1\n{ROOT}\n\n",
        f"o\n1\n{ROOT}\n\nmore\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str):
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_comes_back_from_its_text(size: int, root: bytes):
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root, extensions=("one", "two three"))
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


def test_an_empty_trail_has_a_checkpoint():
    assert opened(bytes(checkpoints.sign(head(0), [LOG]))).checkpoint.size == 0


def test_a_checkpoint_needs_a_log_key_and_a_cosignature_a_witness_key():
    for keys in ([], [WITNESS], [LOG, WITNESS]):
        with pytest.raises(BadKey):
            checkpoints.sign(head(), keys)
    with pytest.raises(BadKey):
        checkpoints.cosign(checkpoints.sign(head(), [LOG]), LOG, AT)
    with pytest.raises(BadNote):
        checkpoints.cosign(notes.sign("not a checkpoint\n", [LOG]), WITNESS, AT)


def test_keys_hand_over_and_each_signs_in_its_time_only():
    handed = [
        bytes(checkpoints.rotate(head(10), old=LOG, new=NEXT, at=AT)),
        bytes(checkpoints.rotate(head(20), old=NEXT, new=THIRD, at=AT)),
    ]
    chain = checkpoints.tenures(LOG.verifier, ORIGIN, handed)
    assert [(t.key, t.since, t.until) for t in chain] == [
        (LOG.verifier, 0, 10),
        (NEXT.verifier, 10, 20),
        (THIRD.verifier, 20, None),
    ]
    for key, right in ((LOG, (0, 9, 10)), (NEXT, (10, 15, 20)), (THIRD, (20, 21, 99))):
        for size in (0, 9, 10, 15, 20, 21, 99):
            data = bytes(checkpoints.sign(head(size), [key]))
            if size in right:
                assert opened(data, tenures=chain).signed[0].key == key.verifier
            else:
                with pytest.raises(NotVerified, match="in charge"):
                    opened(data, tenures=chain)


def test_a_rotation_that_does_not_go_on_from_the_key_in_charge_is_refused():
    first = bytes(checkpoints.rotate(head(10), old=LOG, new=NEXT, at=AT))
    for bad in (
        checkpoints.rotate(head(20), old=LOG, new=THIRD, at=AT),  # a second hand-over by the key that left
        checkpoints.rotate(head(9), old=NEXT, new=THIRD, at=AT),  # goes back
        checkpoints.rotate(replace(head(20), origin="other"), old=NEXT, new=THIRD, at=AT),
    ):
        with pytest.raises(NotVerified):
            checkpoints.tenures(LOG.verifier, ORIGIN, [first, bytes(bad)])
    with pytest.raises(NotVerified):
        checkpoints.tenures(THIRD.verifier, ORIGIN, [first])


def test_a_rotation_needs_both_signatures_over_the_text_as_it_stands():
    note = checkpoints.rotate(head(10), old=LOG, new=NEXT, at=AT)
    for some in (note.signatures[:1], note.signatures[1:]):
        with pytest.raises(NotVerified):
            checkpoints.tenures(LOG.verifier, ORIGIN, [bytes(replace(note, signatures=some))])
    to_thief = replace(Rotation.parse(note.text), new=THIRD.verifier).text()
    with pytest.raises(NotVerified):
        checkpoints.tenures(LOG.verifier, ORIGIN, [bytes(replace(note, text=to_thief))])
    with pytest.raises(NotVerified):
        checkpoints.tenures(LOG.verifier, ORIGIN, [bytes(replace(note, text=note.text.replace("\n10\n", "\n11\n")))])


def test_a_rotation_is_never_a_checkpoint_nor_the_other_way():
    note = checkpoints.rotate(head(10), old=LOG, new=NEXT, at=AT)
    with pytest.raises(BadNote):
        Checkpoint.parse(note.text)
    with pytest.raises(BadNote):
        checkpoints.tenures(LOG.verifier, ORIGIN, [bytes(checkpoints.sign(head(), [LOG]))])


@pytest.mark.parametrize(
    ("old", "new"),
    [("00Z", "00"), ("2026-", "26-"), ("\n10\n", "\n010\n"), ("v1", "v2"), ("Z\n", "Z\nmore\n")],
)
def test_a_rotation_that_is_not_well_formed_is_refused(old: str, new: str):
    at = AT.replace(second=0)
    text = checkpoints.rotate(head(10), old=LOG, new=NEXT, at=at).text
    assert Rotation.parse(text).text() == text
    assert old in text
    with pytest.raises(BadNote):
        Rotation.parse(text.replace(old, new))


def test_a_rotation_takes_two_different_log_keys_and_a_time_with_a_zone():
    with pytest.raises(BadKey):
        checkpoints.rotate(head(), old=LOG, new=LOG, at=AT)
    with pytest.raises(BadKey):
        checkpoints.rotate(head(), old=LOG, new=WITNESS, at=AT)
    with pytest.raises(ValueError, match="zone"):
        checkpoints.rotate(head(), old=LOG, new=NEXT, at=datetime(2026, 1, 1))
