"""The guide of the channels knows every message and every setting that there is."""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from notifications.channels.bounces import BounceSettings
from notifications.channels.email import EmailSettings
from notifications.channels.gammu import GammuSettings
from notifications.channels.kannel import KannelSettings
from notifications.channels.letter import Sender
from notifications.channels.maildir import MaildirSettings
from notifications.channels.smpp import SmppSettings
from notifications.channels.webhook import WebhookSettings

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/guide/channels.md").read_text("utf-8")
SETTINGS: dict[str, Any] = {
    "email": EmailSettings,
    "bounces": BounceSettings,
    "kannel": KannelSettings,
    "smpp": SmppSettings,
    "gammu": GammuSettings,
    "webhook": WebhookSettings,
    "maildir": MaildirSettings,
}
BAD_NEWS = {"failed", "refused", "unknown", "_setup"}
QUOTED = re.compile(r"^\| ([^|`]+?\.) \|", re.MULTILINE)


def said_by(path):
    """Returns the sentences with which a module reports bad news."""
    tree = ast.parse(path.read_text("utf-8"))
    sentences = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BAD_NEWS and node.args:
            first = node.args[0]
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "detail" for t in node.targets):
            first = node.value
        else:
            continue
        if isinstance(first, ast.Constant):
            sentences.add(first.value)
        else:
            assert isinstance(first, ast.Name), f"{path.name}:{first.lineno}: a sentence must be written out"
            assert first.id == "detail", f"{path.name}:{first.lineno}: a sentence must be written out"
    return sentences


def all_sentences():
    folder = ROOT / "notifications/channels"
    return {one for path in folder.glob("*.py") if path.name != "record.py" for one in said_by(path)}


def test_every_sentence_that_reports_trouble_is_explained_and_no_other():
    known = set(QUOTED.findall(GUIDE))
    assert len(all_sentences()) > 50
    assert all_sentences() - known == set()
    assert known - all_sentences() == set()


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL))
def test_every_setting_shown_is_one_and_none_that_is_needed_is_missing(block):
    for name, shown in tomllib.loads(block)["channels"].items():
        fields = {field.name: field for field in dataclasses.fields(SETTINGS[name])}
        needed = {
            key
            for key, field in fields.items()
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        assert shown.keys() <= fields.keys()
        assert needed <= shown.keys()
        if "sender" in shown and isinstance(shown["sender"], dict):
            assert Sender(**shown["sender"]).domain


def test_every_channel_is_shown():
    shown = set(re.findall(r"^\[channels\.(\w+)\]", GUIDE, re.MULTILINE))
    assert shown == set(SETTINGS)
