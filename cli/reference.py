"""The page of all commands, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from cli.main import app

INTRO = """# Commands

Made from the program by `scripts/make-command-reference`; a test sees that it is current.

Every command prints for people by default, and one JSON document with `--json`. These options may stand before or after
the command: `--json`, `--db URL`, `--lang vi|en`. Settings: `KETNAP_<NAME>` in the environment, or `<name>` in
`ketnap.toml`.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | a rule said no, a scenario failed, or the trail did not verify |
| 2 | bad input or usage; nothing was changed |
| 3 | this officer may not do that |
| 4 | someone else changed the subject meanwhile; nothing was changed |
"""


def reference() -> str:
    """Returns the page, in Markdown."""
    parts = [INTRO]
    for name, command in _commands(typer.main.get_command(app), ""):
        parts.append(f"## ketnap {name}\n\n{_help(command)}\n{_options(command)}")
    parts.append(f"## Settings\n\n{_settings()}")
    return "\n".join(parts)


def _commands(group: Any, before: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _help(command: Any) -> str:
    text, _, examples = inspect.cleandoc(command.help or "").partition("\nExample")
    shown = examples.partition(":")[2].strip()
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    return text.strip() + ("\n\n```\n" + "\n".join(lines) + "\n```\n" if lines else "\n")


def _options(command: Any) -> str:
    rows = [(_named(p), p.help or "") for p in command.params if p.name != "help"]
    if not rows:
        return ""
    cells = "\n".join(f"| `{name}` | {text} |" for name, text in rows)
    return f"| | |\n| --- | --- |\n{cells}\n"


def _named(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name).replace("|", "\\|")
    names = "/".join([*param.opts, *param.secondary_opts])
    return (f"{names} {param.metavar}" if param.metavar else names).replace("|", "\\|")


def _settings() -> str:
    from cli.settings import Settings

    rows = [f"| `{name}` | {field.description} |" for name, field in Settings.model_fields.items()]
    return "\n".join(["| name | |", "| --- | --- |", *rows]) + "\n"
