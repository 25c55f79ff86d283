"""The command on databases of its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from cli.main import app
from engine.library import Compiled

LISTS = Path(__file__).parents[2] / "data" / "lists"
COMMAND = get_command(app)  # building it takes longer than most commands
COMPILED = Compiled()  # definitions are compiled once a process: they never change


class Ketnap:
    """Types the command in a folder of its own and reads what it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = CliRunner()

    def run(self, *args: str, code: int = 0, input: str | None = None) -> Result:
        """Types a command; its exit code must be this one."""
        result = self.runner.invoke(app, list(args), input=input)
        assert result.exit_code == code, (args, result.exit_code, result.stdout, result.stderr, result.exception)
        return result

    def ask(self, *args: str, code: int = 0, input: str | None = None) -> Any:
        """Types a command with --json and returns its one document."""
        return json.loads(self.run(*args, "--json", code=code, input=input).stdout)

    def office(self) -> None:
        """Makes a sandbox with the organisations and officers of the lists."""
        self.run("init", "--sandbox")
        self.run("import", "orgs", "to-chuc.csv")
        self.run("import", "officers", "can-bo.csv")

    def elite(self, id_: str = "u1") -> None:
        """Makes a person who could be recognised."""
        facts = ("full_name=Trần Văn An", "motives=Tốt", "helper=Võ Xuân Bảo")
        self.run(
            "start", "candidate", "--id", id_, "--org", "cb1", "--as", "lan", *(x for f in facts for x in ("--fact", f))
        )


def plain(patch: pytest.MonkeyPatch) -> None:
    """Vietnamese, and no setting from outside."""
    for name in [n for n in os.environ if n.startswith("KETNAP_")]:
        patch.delenv(name)
    for name in ("LC_ALL", "LC_MESSAGES"):
        patch.delenv(name, raising=False)
    patch.setenv("LANG", "vi_VN.UTF-8")
    patch.setattr("typer.testing._get_command", lambda _: COMMAND)
    patch.setattr(Compiled, "__init__", lambda self: self.__dict__.update(COMPILED.__dict__))


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sandbox that holds the organisations and officers of the lists, to be copied."""
    folder = tmp_path_factory.mktemp("office")
    for path in LISTS.iterdir():
        shutil.copy(path, folder)
    with pytest.MonkeyPatch.context() as patch:
        plain(patch)
        patch.chdir(folder)
        Ketnap(folder).office()
    return folder


@pytest.fixture
def ketnap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """The command in an empty folder beside the lists of an office."""
    plain(monkeypatch)
    for path in LISTS.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return Ketnap(tmp_path)


@pytest.fixture
def office(ketnap: Ketnap, ready: Path) -> Ketnap:
    """A sandbox with the organisations and officers of the lists."""
    for path in ready.glob("ketnap.db*"):
        shutil.copy(path, ketnap.folder)
    return ketnap
