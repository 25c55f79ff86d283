"""Ends a process, or its room on the disk, at every write in turn, and looks at what it left. Run as a program.

The room is a limit on the size of files (RLIMIT_FSIZE), put at every place where a file of the last run grew: a page of
the write-ahead log, a part of a backup. The kernel either refuses the write (`full`) or ends the process in it
(`kill`, the signal SIGXFSZ left to its usual effect). Prints one JSON document.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date
from pathlib import Path

from engine import backing
from engine.audit.container import Secret
from engine.audit.note import SigningKey
from engine.clock import ShiftedClock
from engine.core.commands import SetFacts
from engine.core.errors import DiskFull
from engine.ledger import entries
from engine.service import Service
from engine.steps import By
from engine.store.archive import REVISION, parts
from engine.store.open import open_store
from engine.store.ports import Store
from engine.verifying import verify
from tests.integration.kill_loop import give
from tests.world import found_office, office_time, trail, wire
from web.words import error_text

COMMANDS = 6
FRAME = 24 + 4096  # of SQLite's write-ahead log, after 32 bytes
WITHIN = (0, 1, 24, 2072)  # places in a frame: before it, in its head, at its page, in its page
SECRET = Secret(passphrase="một mật khẩu đủ dài")
SEALED = 256  # events that the tree's first stored node stands for
CLOCK = ShiftedClock(office_time(date(2025, 3, 3)))


@dataclass
class Found:
    """What was seen over all attempts."""

    attempts: int = 0
    stopped: int = 0  # attempts that did not come to their end
    acknowledged: int = 0
    sealed: int = 0  # attempts that were let past the first node of the tree
    problems: list[str] = field(default_factory=list)


def service_on(store: Store) -> Service:
    """Returns the service, with a key that signs checkpoints."""
    service = wire(store, CLOCK)
    service.kit.signer = lambda: SigningKey.make("example.org/trail", lambda n: b"\x05" * n)
    return service


def template(folder: Path) -> Path:
    """Makes a database whose next events complete a node of the tree; returns its file."""
    file = folder / "template.db"
    store = open_store(f"sqlite:///{file}")
    found_office(store, CLOCK, ("candidate", "monthly_review"))
    service = service_on(store)
    give(service, 0)
    while len(trail(store)) < SEALED - 4:
        service.set_facts(SetFacts(subject="p0", facts={"occupation": "Nông dân"}), By(officer="cb1_clerk"))
    store.close()
    return file


# ---- the child ----


def append(service: Service, store: Store, folder: Path, say: Callable[[str], None]) -> None:
    """Gives commands, and says which are done."""
    for n in range(1, 1 + COMMANDS):
        answer = give(service, n)
        say(f"done {answer.event}")


def sign(service: Service, store: Store, folder: Path, say: Callable[[str], None]) -> None:
    """Signs checkpoints, and says of what size."""
    for _ in range(COMMANDS):
        say(f"signed {service.trail.sign().checkpoint.size}")


def backup(service: Service, store: Store, folder: Path, say: Callable[[str], None]) -> None:
    """Makes backups, and says which are there."""
    for _ in range(2):
        made = backing.write(
            parts(store), folder, SECRET, now=service.kit.clock.now().astimezone(UTC), revision=REVISION,
            master=None, checkpoint=None, random=os.urandom,
        )  # fmt: skip
        service.backups.made(made.id, made.size, made.root)
        say(f"backup {made.file.name}")


ACTIONS = {"append": append, "sign": sign, "backup": backup}


@contextmanager
def room(limit: int) -> Iterator[None]:
    """Lets no file grow past `limit` bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def child(file: Path, action: str, limit: int, *, kill: bool, pipe: int) -> None:
    """Acts until the room ends; where the write was only refused, makes room and acts again."""

    def say(line: str) -> None:
        os.write(pipe, f"{line}\n".encode())

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if kill else signal.SIG_IGN)
    store = open_store(f"sqlite:///{file}")
    service = service_on(store)
    try:
        with room(limit):
            ACTIONS[action](service, store, file.parent, say)
        say("end")
        say(f"log {file.with_name(file.name + '-wal').stat().st_size}")
    except DiskFull as error:
        said = error_text(error, "vi")
        say("full" if "hết chỗ" in said and "{" not in said else f"told {said}")
    except OSError as error:
        say("full" if action == "backup" else f"fell {error}")
    ACTIONS[action](service, store, file.parent, say)  # the same commands: those that were done are answered as before
    store.close()


# ---- who looks ----


def attempt(origin: Path, folder: Path, action: str, limit: int, *, kill: bool, found: Found) -> dict[str, int]:
    """Runs a child in so much room and looks at what it left; returns how large its files became."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    file = folder / "k.db"
    shutil.copy(origin, file)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            child(file, action, limit, kill=kill, pipe=write)
            os._exit(0)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told, and fails the test
            os.write(write, f"fell {type(error).__name__}: {error}\n".encode())
            os._exit(1)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(read, encoding="utf-8") as pipe:
        lines = pipe.read().splitlines()
    sizes = {p.name: p.stat().st_size for p in folder.iterdir()}
    sizes["log"] = sum(int(line.partition(" ")[2]) for line in lines if line.startswith("log "))
    found.attempts += 1
    found.stopped += "end" not in lines
    place = f"{action} {'kill' if kill else 'full'} at {limit}"
    found.problems += [f"{place}: {p}" for p in _wrong(file, action, lines, status, kill=kill, found=found)]
    return sizes


def _wrong(file: Path, action: str, lines: list[str], status: int, *, kill: bool, found: Found) -> Iterator[str]:
    if kill and "end" not in lines and not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXFSZ):
        yield f"the child ended otherwise: {status} {lines[-1:]}"
    if not kill and status != 0:
        yield f"the child did not go on after room was made: {lines[-1:]}"
    yield from (line for line in lines if line.startswith(("fell", "told")))
    store = open_store(f"sqlite:///{file}")
    try:
        store.check()
        service = service_on(store)
        yield from (p.text() for p in verify(service).problems)
        with store.transaction(write=False) as unit:
            told = list(entries(unit.events(), None, service.kit.sealer))
            found.sealed += bool(unit.hashes(8, 0, 1))
        ids = {e.id for e in told}
        done = [line.partition(" ")[2] for line in lines if line.startswith("done ")]
        found.acknowledged += len(done)
        yield from (f"{event}, which was acknowledged, is lost" for event in done if event not in ids)
        commands = [e.command for e in told if e.command]
        yield from (f"{c} was done twice" for c in set(commands) if commands.count(c) > 1)
        if action == "append" and not all(give(service, n).allowed for n in range(1, COMMANDS + 2)):
            yield "a command given again, or the next one, was refused"
        if action == "sign":
            yield from _signed(service, lines, found)
        if action == "backup":
            yield from _copies(service, store, file.parent, lines, found)
    finally:
        store.close()


def _signed(service: Service, lines: list[str], found: Found) -> Iterator[str]:
    sizes = [int(line.partition(" ")[2]) for line in lines if line.startswith("signed ")]
    found.acknowledged += len(sizes)
    last = service.trail.sign().checkpoint.size
    yield from (f"a checkpoint of {size} was signed, the trail had only {last}" for size in sizes if size > last)


def _copies(service: Service, store: Store, folder: Path, lines: list[str], found: Found) -> Iterator[str]:
    """Every backup that is there under its name is whole; the next one clears what is left over."""
    names = [line.partition(" ")[2] for line in lines if line.startswith("backup ")]
    found.acknowledged += len(names)
    there = {p.name for p in folder.glob("*.backup")}
    yield from (f"{name}, which was told to be there, is not" for name in names if name not in there)
    for name in there:
        content = backing.read(folder / name, SECRET)
        for part in content.parts:
            for _ in part.rows:
                pass
        content.close()
        if content.frontier.size < SEALED - 5:
            yield f"{name} is not whole"
    backing.write(
        parts(store), folder, SECRET, now=service.kit.clock.now().astimezone(UTC), revision=REVISION,
        master=None, checkpoint=None, random=os.urandom,
    )  # fmt: skip
    if list(folder.glob("*.part")):
        yield "something is left over"


def run(folder: Path, share: int) -> Found:
    """Tries every `share`-th place of each action, refusing the write and ending the process."""
    found = Found()
    origin = template(folder)
    start = origin.stat().st_size
    for action in ACTIONS:
        free = attempt(origin, folder / "try", action, 1 << 30, kill=False, found=found)
        if action == "backup":
            largest = max(size for name, size in free.items() if name.endswith(".backup"))
            places = [*range(0, largest + 1, max(1, largest // 120)), *_frames(0, 40)]
        else:
            places = [*_frames(0, free["log"] // FRAME + 1), *range(start, start + 10 * 4096, 4096)]
        for kill in (False, True):
            for limit in sorted(set(places))[int(kill) :: share]:
                attempt(origin, folder / "try", action, limit, kill=kill, found=found)
    return found


def _frames(first: int, last: int) -> Iterator[int]:
    for frame in range(first, last):
        yield from (32 + frame * FRAME + within for within in WITHIN)


if __name__ == "__main__":
    report = run(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(vars(report), ensure_ascii=False) + "\n")
