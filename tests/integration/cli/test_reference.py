"""The page of commands."""

from __future__ import annotations

from pathlib import Path

import typer.main

from cli.main import app
from cli.reference import _commands, reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "commands.md"


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run scripts/make-command-reference"


def test_every_command_and_option_says_what_it_is_for_and_every_command_has_an_example() -> None:
    found = dict(_commands(typer.main.get_command(app), ""))
    assert len(found) > 20
    for name, command in found.items():
        assert "Example" in (command.help or ""), name
        for param in command.params:
            assert getattr(param, "help", None), (name, param.name)
