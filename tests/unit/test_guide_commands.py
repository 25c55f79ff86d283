"""The commands that the guides tell to type exist, with these options; a server's files say what the program reads."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cli.main import app
from cli.settings import Settings
from web.bounds import FILE_LIMIT

ROOT = Path(__file__).parents[2]
TEXTS = sorted([ROOT / "README.md", *(ROOT / "docs" / "guide").rglob("*.md")])
INSTALLING = (ROOT / "docs" / "guide" / "cai-dat.md").read_text(encoding="utf-8")
GIVEN = typer.main.get_command(app)
_TYPED = re.compile(r"^(?:    )?(?:\$ )?(?:sudo -u ketnap )?(ketnap (?:\\\n|[^#\n])*)", re.M)
_QUOTED = re.compile(r"`(ketnap [^`\n]*)`")


def commands(text: str) -> list[str]:
    """Returns the commands of a text: what stands in blocks to be typed, and what is quoted."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S) + re.findall(r"^    .*$", text, re.M))
    return [c.split(" | ")[0].strip() for c in _TYPED.findall(blocks) + _QUOTED.findall(text)]


def faults(command: str) -> list[str]:
    """Returns what there is not in a command: a part of its name, or options."""
    try:
        words = shlex.split(command.replace("\\\n", " "))[1:]
    except ValueError:
        return ["quotes do not match"]
    here: Any = GIVEN
    options = {"--help", *(o for p in here.params for o in p.opts)}
    while words and words[0] in options:  # such as --db URL
        words = words[2:]
    while words and hasattr(here, "commands") and not words[0].startswith("-"):
        name = words.pop(0)
        if name == "COMMAND":
            return []
        if name not in here.commands:
            return [f"no command {name}"]
        here = here.commands[name]
        options |= {o for p in here.params for o in (*p.opts, *p.secondary_opts)}
    return [w for w in words if w.startswith("--") and w.split("=")[0] not in options]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_the_commands_of_the_guides_exist(path: Path) -> None:
    found = {c: faults(c) for c in commands(path.read_text(encoding="utf-8"))}
    assert {c: wrong for c, wrong in found.items() if wrong} == {}


def test_enough_commands_are_found() -> None:
    assert sum(len(commands(p.read_text(encoding="utf-8"))) for p in TEXTS) > 100
    assert faults("ketnap audit verfy")
    assert faults("ketnap report x --fromat pdf")


def block(kind: str) -> str:
    """Returns the first block of a kind in the guide for the server."""
    found = re.search(rf"^```{kind}\n(.*?)^```", INSTALLING, re.M | re.S)
    assert found is not None
    return found.group(1)


def test_the_settings_for_a_server_are_settings() -> None:
    settings = Settings(**tomllib.loads(block("toml")))
    assert settings.proxied
    assert settings.base_url.startswith("https://")
    assert f"proxy_pass http://{settings.host}:{settings.port};" in block("nginx")
    assert f"WorkingDirectory={Path(settings.db.removeprefix('sqlite:///')).parent}" in block("ini")
    assert str(settings.backup_dir) in block("ini")


def test_the_proxy_lets_through_what_the_program_takes() -> None:
    (allowed,) = re.findall(r"client_max_body_size (\d+)m;", block("nginx"))
    assert int(allowed) * 1024 * 1024 >= FILE_LIMIT
