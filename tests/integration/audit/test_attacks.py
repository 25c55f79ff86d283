"""The attack lab: whatever is done to the trail is caught, and called by its name. The table in docs/reference/trail.md
says the same; `test_table.py` compares them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.audit import checkpoint as checkpoints
from engine.audit.note import SigningKey
from engine.audit.tree import leaf_hash
from engine.core.errors import ClockWentBack
from engine.ledger import link
from engine.officework import OfficerChange, put_officers
from engine.steps import By
from tests.integration.audit import lab
from tests.integration.audit.lab import KEY, NEW_KEY, Body, bodies, relink, renumber, rewrite
from tests.world import START, minutes


@dataclass(frozen=True)
class Made:
    """The untouched database with what an inspector holds."""

    file: Path
    first: bytes
    old: Path
    second: bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once; each attack gets a copy."""
    return Made(*lab.original(tmp_path_factory.mktemp("lab")))


@pytest.fixture
def file(made: Made, tmp_path: Path) -> Path:
    """A copy to be attacked."""
    return lab.copy(made.file, tmp_path / "office.db")


def test_the_untouched_trail_verifies_with_all_that_an_inspector_holds(made: Made) -> None:
    """Also with the key, and its steps decided again."""
    report = lab.verified(made.file, made.first, made.second, key=True)
    assert report.problems == []
    assert report.steps == 6
    assert report.checkpoints == 4


def _at(db: sqlite3.Connection, kind: str = "moved") -> int:
    return int(db.execute("SELECT min(seq) FROM events WHERE kind = ?", (kind,)).fetchone()[0])


def _edit(db: sqlite3.Connection) -> None:
    db.execute(
        "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'elite', 'train') AS BLOB) WHERE seq = ?", (_at(db),)
    )


def _edit_and_hash(db: sqlite3.Connection) -> None:
    _edit(db)
    leaf = leaf_hash(db.execute("SELECT body FROM events WHERE seq = ?", (_at(db),)).fetchone()[0])
    db.execute("UPDATE events SET leaf = ? WHERE seq = ?", (leaf, _at(db)))


def _edit_and_relink(db: sqlite3.Connection) -> None:
    db.execute("UPDATE events SET body = CAST(replace(CAST(body AS TEXT), '2025', '2024') AS BLOB) WHERE seq = 40")
    relink(db)


def _delete(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM events WHERE seq = 100")


def _delete_and_renumber(db: sqlite3.Connection) -> None:
    _delete(db)
    renumber(db)


def _insert(db: sqlite3.Connection) -> None:
    for (seq,) in db.execute("SELECT seq FROM events WHERE seq >= 100 ORDER BY seq DESC").fetchall():
        db.execute("UPDATE events SET seq = seq + 1 WHERE seq = ?", (seq,))
    db.execute(
        "INSERT INTO events SELECT 100, 'new', kind, subject, workflow, org, trigger, actor, behalf, at, \"on\", "
        "'new', body, leaf, link FROM events WHERE seq = 99"
    )
    before, leaf = db.execute("SELECT link, leaf FROM events WHERE seq = 99").fetchone()
    db.execute("UPDATE events SET link = ? WHERE seq = 100", (link(before, leaf),))


def _reorder(db: sqlite3.Connection) -> None:
    db.execute("UPDATE events SET seq = -1 WHERE seq = 100")
    db.execute("UPDATE events SET seq = 100 WHERE seq = 101")
    db.execute("UPDATE events SET seq = 101 WHERE seq = -1")


def _cut(db: sqlite3.Connection) -> None:
    """The end, without the checkpoint that the trail made there."""
    last = db.execute("SELECT max(seq) FROM events WHERE kind = 'checkpoint'").fetchone()[0]
    db.execute("DELETE FROM events WHERE seq > ? - 3", (last,))


def _cut_what_no_checkpoint_covers(db: sqlite3.Connection) -> None:
    """The trail's last checkpoint goes too, but none outside covers it; what the cut events made of a person stays."""
    db.execute("DELETE FROM events WHERE seq >= (SELECT max(seq) FROM events WHERE kind = 'moved')")


def _cut_past_a_node(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM events WHERE seq >= 250")


def _rewritten(
    change: Callable[[list[Body]], list[Body]], key: SigningKey = KEY
) -> Callable[[sqlite3.Connection], None]:
    return lambda db: rewrite(db, change, key)


def _other_day(made: list[Body]) -> list[Body]:
    for body in made:
        if body["kind"] == "moved":
            body["on"] = "2025-02-03"
    return made


def _set_back(made: list[Body]) -> list[Body]:
    made[-1]["at"] = "2020-01-01T00:00:00.000000Z"
    return made


def _other_version(made: list[Body]) -> list[Body]:
    """A rule is said to have been judged under another version than was in force."""
    moved = next(b for b in made if b["kind"] == "moved")
    moved["rules"] = [[rule, force, result, "2001-01-01"] for rule, force, result, _ in moved["rules"]]
    return made


def _sql(statement: str) -> Callable[[sqlite3.Connection], None]:
    def run(db: sqlite3.Connection) -> None:
        assert db.execute(statement).rowcount

    return run


# attack -> (what is done, the inspector holds checkpoints, the kinds that it is called)
ATTACKS: dict[str, tuple[Callable[[sqlite3.Connection], None], bool, str]] = {
    "an event edited, its trigger dropped": (_edit, False, "edited"),
    "an event edited and hashed anew": (_edit_and_hash, False, "relinked"),
    "an event edited, all hashes and links anew": (_edit_and_relink, False, "tree"),
    "an event deleted": (_delete, False, "missing"),
    "an event deleted, the others numbered anew": (_delete_and_renumber, False, "relinked"),
    "an event inserted": (_insert, False, "inserted"),
    "two events exchanged": (_reorder, False, "reordered"),
    "the tail cut off past a stored node": (_cut_past_a_node, False, "truncated"),
    "the tail cut off with its checkpoint": (_cut, True, "truncated"),
    "the whole history rewritten with the right key": (_rewritten(_other_day), True, "rewritten"),
    "the whole history rewritten with a new key": (_rewritten(_other_day, NEW_KEY), True, "other_key"),
    "an event dated back, everything anew": (_rewritten(_set_back), False, "time"),
    "a rule said to be of another version, everything anew": (_rewritten(_other_version), False, "decision"),
    "a state in the projection edited": ((_sql("UPDATE subjects SET state = 'trained'")), False, "projection"),
    "a fact in the projection edited": ((_sql("UPDATE subjects SET facts_json = '{}'")), False, "projection"),
    "a definition swapped": (_sql("UPDATE definitions SET text = replace(text, '216', '192')"), False, "definition"),
    "the index of rules emptied, so that a search misses": (_sql("DELETE FROM judged"), False, "projection"),
    "the index of rules said to hold what no event says": (
        _sql("INSERT INTO judged VALUES ('age', 999)"),
        False,
        "projection",
    ),
    "the tail cut off after the last checkpoint": (_cut_what_no_checkpoint_covers, False, "projection"),
    "a stored node of the tree edited": (_sql("UPDATE tree SET hash = zeroblob(32)"), False, "tree"),
    "a sandbox called a real database": (
        _sql("UPDATE settings SET value = 'false' WHERE name = 'sandbox'"),
        False,
        "settings",
    ),
    "the key in the settings swapped": (
        _sql("UPDATE settings SET value = replace(value, '+', '+00') WHERE name = 'trail_keys'"),
        False,
        "settings",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_caught_by_name(made: Made, file: Path, name: str) -> None:
    """With the checkpoints that an inspector holds where the trail alone cannot tell."""
    attack, held, kind = ATTACKS[name]
    with lab.opened(file) as db:
        attack(db)
    report = lab.verified(file, *((made.first, made.second) if held else ()))
    assert kind in {p.kind for p in report.problems}, report.problems
    assert all(p.text() for p in report.problems)


@pytest.mark.parametrize("name", [n for n, (_, held, _) in ATTACKS.items() if held])
def test_without_a_checkpoint_outside_these_pass_unseen(file: Path, name: str) -> None:
    """So the checkpoints are what catches them; said in the reference too."""
    with lab.opened(file) as db:
        ATTACKS[name][0](db)
        db.execute("DELETE FROM settings WHERE name = 'trail_left'")
    kinds = {p.kind for p in lab.verified(file).problems}
    assert not kinds & {"rewritten", "truncated", "other_key", "tree", "relinked", "edited"}


def test_a_stolen_key_does_not_help_against_a_checkpoint_that_left(made: Made, file: Path) -> None:
    """It is the right key, so the signature holds; what it signs is not what was signed before."""
    with lab.opened(file) as db:
        rewrite(db, _other_day, KEY)
    (problem,) = lab.verified(file, made.first, key=True).problems
    assert (problem.kind, problem.event) == ("rewritten", 0)


def test_a_new_key_is_not_the_one_that_the_inspector_was_given(file: Path) -> None:
    """Even where no checkpoint is held, the key tells."""
    with lab.opened(file) as db:
        rewrite(db, _other_day, NEW_KEY)
    assert "other_key" in {p.kind for p in lab.verified(file, key=True).problems}


def test_an_older_copy_is_shorter_than_the_checkpoint(made: Made, tmp_path: Path) -> None:
    """It verifies by itself; the later checkpoint names it."""
    copy = lab.copy(made.old, tmp_path / "old.db")
    assert lab.verified(copy, made.first).ok
    (problem,) = lab.verified(copy, made.first, made.second).problems
    assert problem.kind == "truncated"


def test_an_older_copy_that_was_used_on_agrees_only_up_to_where_it_was_taken(made: Made, tmp_path: Path) -> None:
    """And that place is named."""
    copy = lab.copy(made.old, tmp_path / "old.db")
    lab.grown(copy, 10, 14, START + minutes(20))
    size = checkpoints.Checkpoint.parse(made.first.decode().partition("\n\n")[0] + "\n").size
    (problem,) = lab.verified(copy, made.first, made.second).problems
    assert (problem.kind, problem.event) == ("rewritten", size)


def test_two_histories_for_two_inspectors_contradict_each_other(made: Made, tmp_path: Path) -> None:
    """Both signed with the right key; whoever holds both needs no database."""
    copy = lab.copy(made.old, tmp_path / "old.db")
    other = lab.grown(copy, 20, 23, START + minutes(10))
    kinds = {p.kind for p in lab.verified(made.file, made.second, other).problems}
    assert kinds == {"split", "rewritten"}


def test_two_histories_whose_holders_never_meet_pass_unseen(made: Made, tmp_path: Path) -> None:
    """Each inspector, alone with the history that was made for them, finds it whole."""
    copy = lab.copy(made.old, tmp_path / "old.db")
    other = lab.grown(copy, 20, 23, START + minutes(10))
    assert lab.verified(made.file, made.first, made.second, key=True).ok
    assert lab.verified(copy, made.first, other, key=True).ok


def test_an_altered_checkpoint_is_called_so(made: Made) -> None:
    """Size, root, and a signature of another length."""
    lines = made.second.decode().split("\n")
    for n, text in ((1, str(int(lines[1]) - 1)), (2, made.first.decode().split("\n")[2]), (4, lines[4][:-4] + "AAA=")):
        altered = "\n".join([*lines[:n], text, *lines[n + 1 :]]).encode()
        (problem,) = lab.verified(made.file, altered).problems
        assert problem.kind == "signature"


def test_a_clock_set_back_refuses_the_step(file: Path) -> None:
    """The officer is told; nothing is written."""
    service = lab.serve(file, at=START - minutes(60))
    with pytest.raises(ClockWentBack, match="70 minutes behind the trail"):
        lab.person(service, 99)
    service.kit.store.close()
    assert lab.verified(file).ok


def test_a_key_is_handed_over_and_the_old_checkpoints_hold(made: Made, file: Path) -> None:
    """By a note that both keys sign; afterwards the old key signs nothing any more."""
    service = lab.serve(file, at=START + minutes(30))
    service.trail.rotate(NEW_KEY, By(officer="tu_admin"))
    service.kit.store.close()
    service = lab.serve(file, NEW_KEY, START + minutes(31))
    later = service.trail.sign().note.encode()
    service.kit.store.close()
    assert lab.verified(file, made.first, made.second, later, key=True).problems == []
    size = int(later.decode().split("\n")[1])
    forged = checkpoints.sign(checkpoints.Checkpoint(origin=KEY.name, size=size, root=bytes(32)), [KEY])
    assert {p.kind for p in lab.verified(file, bytes(forged)).problems} == {"signature"}


def test_secrets_of_before_there_were_marks_are_noted_and_accuse_nobody(file: Path) -> None:
    """As in a database of an older version. Where the trail knows of no password, one put in is still caught."""
    service = lab.serve(file, at=START + minutes(30))
    with service.work(write=True) as work:
        put_officers(work, [OfficerChange(id="cb1_clerk", password="kept-hash")], By(officer="tu_admin"))
    service.feeds.open("cb1_clerk", By(officer="cb1_clerk"))
    service.kit.store.close()

    def unmarked(made: list[Body]) -> list[Body]:
        for body in made:
            for name in ("password_mark", "token_mark", *(["mark"] if body.get("what") == "feed_opened" else [])):
                body.pop(name, None)
        return made

    with lab.opened(file) as db:
        rewrite(db, unmarked)
    report = lab.verified(file)
    assert report.problems == []
    assert [(n.kind, n.params["officer"]) for n in report.notes] == [("unmarked", "cb1_clerk")] * 2
    assert all("older than the trail's marks" in n.text() for n in report.notes)
    with lab.opened(file) as db:
        db.execute("UPDATE officers SET password = 'other' WHERE id = 'xa1_secretary'")
    assert [p.kind for p in lab.verified(file).problems] == ["access"]


def test_every_event_of_the_file_is_read(made: Made) -> None:
    """The lab's own bodies are those of the trail."""
    with lab.opened(made.old) as db:
        assert len(bodies(db)) > lab.EVENTS
