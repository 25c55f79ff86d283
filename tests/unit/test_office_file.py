"""An office's own changes of notice rules: off, or other offsets, without touching the file it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.bootstrap import workflow_sources
from cli.settings import read_settings
from engine.core import events
from engine.core.errors import FileRefused, NotFound
from engine.core.reader import FindingsError
from engine.library import compile_all, find_sources, with_office
from engine.outbox import CANCELLED
from notifications.channels.port import failed
from tests.notice_world import NoticeWorld, at
from tests.unit.test_worker import Scripted
from tests.world import trail
from web.words import catalog


def sources(folder: Path, text: str):
    file = folder / "office.yaml"
    file.write_text(text, encoding="utf-8")
    return with_office(find_sources(["annual_plan"]), file)


def test_offsets_are_moved_and_a_rule_that_is_off_sends_nothing(tmp_path: Path) -> None:
    """The other rules stay as they are."""
    text = "notices:\n  plan_reminder: {send: [10 days before, on the day]}\n  plan_opened: {off: true}\n"
    world = NoticeWorld(sources=sources(tmp_path, text))
    world.go(at("2024-01-26", "12:00"))
    days = sorted({r.due_at[:10] for r in world.rows("plan_reminder")})
    assert days == ["2024-01-12", "2024-01-24"]
    assert not world.rows("plan_opened")
    assert world.rows("plan_overdue")


def test_an_office_has_an_order_of_channels_of_its_own(tmp_path: Path) -> None:
    """Text messages first, and email where there is no number."""
    world = NoticeWorld(sources=sources(tmp_path, "channels: [sms, email]\n"))
    world.officer("xa1_secretary", phone="+84900000001")
    world.go(at("2024-01-02", "12:00"))
    channels = {r.recipient: r.channel for r in world.rows("plan_opened")}
    assert channels["xa1_secretary"] == "sms"
    assert channels["xa1_clerk"] == "email"


def test_a_change_is_kept_by_its_hash_in_the_trail_and_moves_what_is_planned(tmp_path: Path) -> None:
    """Also what was turned off and is turned on again."""
    world = NoticeWorld()
    world.go(at("2024-01-03", "12:00"))
    off = "notices:\n  plan_reminder: {off: true}\n  plan_overdue: {off: true}\n  plan_escalated: {off: true}\n"
    plain = find_sources(["annual_plan"])
    changed = sources(tmp_path, off)
    assert changed[0].id != plain[0].id
    assert world.service.load(changed) == ["annual_plan"]
    assert world.service.load(changed) == []
    loaded = [e for e in trail(world.store) if e.kind == events.DEFINITION]
    assert [e.definition for e in loaded] == [plain[0].id, changed[0].id]
    world.go(at("2024-01-10", "12:00"))
    assert not world.rows("plan_reminder")
    world.service.load(sources(tmp_path, "notices:\n  plan_overdue: {off: true}\n"))
    world.go(at("2024-01-26", "12:00"))
    assert {r.due_at[:10] for r in world.rows("plan_reminder")} >= {"2024-01-17", "2024-01-19", "2024-01-24"}
    assert not world.rows("plan_overdue")


def test_what_waits_when_its_rule_is_turned_off_is_cancelled(tmp_path: Path) -> None:
    """And says that the office did it."""
    world = NoticeWorld()
    world.channels["email"] = Scripted({"*": failed("put off")}, name="email")
    world.go(at("2024-01-02"))
    world.service.load(sources(tmp_path, "notices:\n  plan_opened: {off: true}\n"))
    world.go(at("2024-01-02", "07:40"))
    assert {(r.state, r.detail) for r in world.rows("plan_opened")} == {("cancelled", CANCELLED["rule"])}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("notices:\n  plan_remindr: {off: true}\n", "unknown-notice", 2),
        ("notices:\n  plan_opened: {send: [3 days before]}\n", "office-told", 2),
        ("notices:\n  plan_reminder: {off: true, send: [3 days before]}\n", "office-both", 2),
        ("notices:\n  plan_reminder: {}\n", "office-nothing", 2),
        ("notices:\n  plan_reminder: {send: []}\n", "office-empty", 2),
        ("channels: [sms, pigeon]\n", "wrong-value", 1),
        ("channels: []\n", "wrong-value", 1),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path: Path, text: str, code: str, line: int) -> None:
    """Like any other file of the office."""
    with pytest.raises(FindingsError) as caught:
        compile_all(sources(tmp_path, text))
    assert [(f.code, f.line, Path(f.file).name) for f in caught.value.findings] == [(code, line, "office.yaml")]


@pytest.mark.parametrize("text", ["notices: {plan_reminder: {send: [soon]}}", "notice: {}", "notices: [", "a: &x 1"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    """With the file's name and the line."""
    with pytest.raises((FindingsError, FileRefused)):
        compile_all(sources(tmp_path, text))


def test_an_office_without_such_a_file_has_what_it_was_given(tmp_path: Path) -> None:
    """Nothing changes, not even the hash."""
    plain = find_sources(["annual_plan"])
    assert [s.id for s in with_office(plain, tmp_path / "office.yaml")] == [s.id for s in plain]


def test_the_example_of_the_guide_is_such_a_file(tmp_path: Path) -> None:
    """It changes what it says."""
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "notices.md").read_text(encoding="utf-8")
    text = guide.split("```yaml\n", 1)[1].split("```", 1)[0]
    (definition,) = compile_all(sources(tmp_path, text)).values()
    rules = {n.rule: n.spec.send for n in definition.notices}
    assert "plan_opened" not in rules
    assert rules["plan_reminder"] == ["10 days before", "2 working days before", "on the day"]


def test_the_office_file_lies_beside_the_database_or_where_the_settings_say(tmp_path: Path) -> None:
    """One that the settings name must be there."""
    settings = read_settings(db=f"sqlite:///{tmp_path / 'office.db'}")
    assert {s.office_text for s in workflow_sources(settings)} == {None}
    (tmp_path / "office.yaml").write_text("notices:\n  plan_opened: {off: true}\n")
    assert all(s.office_text for s in workflow_sources(settings))
    elsewhere = read_settings(db=settings.db, office=tmp_path / "none.yaml")
    with pytest.raises(NotFound):
        workflow_sources(elsewhere)


def test_why_a_notice_was_cancelled_is_said_in_vietnamese_too() -> None:
    """The outbox says why, and people read it."""
    words = catalog("vi")
    assert [text for text in CANCELLED.values() if text not in words] == []
