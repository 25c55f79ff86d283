"""Backups: what is in one, and taking persons who were erased out of those that exist.

A backup is two files. NAME.backup holds every table, compressed and sealed; where a person's key would stand, there is
a mark, and what the projection holds plain about the person is sealed once more under that key. NAME.keys holds the
keys, each sealed by itself under a label, so that one can be blotted out of a backup that nobody here can open. Both
are needed to restore. `erased.jsonl` beside them lists who was erased, for copies out of reach.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from engine.audit import container
from engine.audit.container import Secret
from engine.audit.tree import Frontier
from engine.core.errors import BadInput, Damaged
from engine.core.events import stamp, unstamp

BACKUP, KEYS, LIST = ".backup", ".keys", "erased.jsonl"
PARTIAL = ".part"
PLAIN: Mapping[str, str | None] = {"facts_json": "{}", "unique_key": None}  # of subjects; and what is left of it
DERIVED = frozenset(
    {"listings", "terms", "stands", "dues", "likenesses"}
)  # made of the subjects anew; names stand plain there
PLAIN_AAD = b"ketnap backup plain"
KEPT_ALWAYS = 3  # the newest backups are never deleted, however old
_WRITE = 1 << 18  # bytes put together before they are compressed


class Part(Protocol):
    """A table with its rows; see `store.archive`."""

    @property
    def table(self) -> str: ...
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Iterable[Sequence[Any]]: ...


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table out of a backup."""

    table: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A backup that was made. `root` is that of the trail's tree over `size` events."""

    id: str
    file: Path
    keys: Path
    size: int
    root: bytes
    bytes: int


@dataclass(kw_only=True)
class Content:
    """A backup that was opened, to be closed. After `parts` has been read, `frontier` tells its trail."""

    header: Mapping[str, Any]
    parts: Iterator[Table]
    source: BinaryIO
    master: str | None = None
    frontier: Frontier = field(default_factory=Frontier)
    lost: list[str] = field(default_factory=list)  # keys that were blotted out, or are missing

    @property
    def made_at(self) -> datetime:
        """When it was made."""
        return unstamp(str(self.header["made_at"]))

    def close(self) -> None:
        """Closes the file."""
        self.source.close()


# ---- making one ----


def write(
    parts: Iterable[Part],
    folder: Path,
    secret: Secret,
    *,
    now: datetime,
    revision: str,
    master: str | None,
    checkpoint: str | None,
    random: Callable[[int], bytes],
    sandbox: bool = False,
) -> Made:
    """Writes a backup; nothing of it is there before all of it is durable. The header says whether it is a sandbox's.

    `master` is the master key's text, sealed inside; `checkpoint` a signed note, readable outside. Raises BadInput
    for a folder that is not there, OSError for a disk that is full.
    """
    if not folder.is_dir():
        raise BadInput("there is no folder {folder} for backups", folder=str(folder))
    for left in folder.glob(f"*{PARTIAL}"):
        left.unlink(missing_ok=True)  # of a backup that did not come to its end
    id = random(8).hex()
    file = folder / f"ketnap-{now.strftime('%Y%m%dT%H%M%SZ')}-{id}{BACKUP}"
    keys = file.with_suffix(KEYS)
    about = {"id": id, "made_at": stamp(now), "revision": revision, "checkpoint": checkpoint, "sandbox": sandbox}
    partial = [path.with_name(path.name + PARTIAL) for path in (file, keys)]
    try:
        with _new(partial[0]) as body, _new(partial[1]) as side:
            writer = container.Writer(body, about, secret, random)
            frontier = _write_all(parts, writer, side, id, master, random)
            writer.close()
            for out in (body, side):
                out.flush()
                os.fsync(out.fileno())
    except BaseException:
        for path in partial:
            path.unlink(missing_ok=True)
        raise
    partial[1].rename(keys)  # first, so that a backup is never there without its keys
    partial[0].rename(file)
    _sync(folder)
    return Made(id=id, file=file, keys=keys, size=frontier.size, root=frontier.root(), bytes=file.stat().st_size)


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(
    parts: Iterable[Part],
    writer: container.Writer,
    side: BinaryIO,
    id: str,
    master: str | None,
    random: Callable[[int], bytes],
) -> Frontier:
    packed, held = zlib.compressobj(1), bytearray()
    frontier = Frontier()

    def line(value: Any) -> None:
        held.extend(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_bytes).encode() + b"\n")
        if len(held) >= _WRITE:
            writer.write(packed.compress(bytes(held)))
            held.clear()

    line({"master": master})
    persons: dict[str, bytes] = {}
    for part in (p for p in parts if p.table not in DERIVED):  # keys come before subjects, as the tables are declared
        line({"table": part.table, "columns": list(part.columns)})
        rows = part.rows
        if part.table == "keys":
            rows = _aside(rows, list(part.columns), side, writer.key, id, persons, random)
        elif part.table == "subjects":
            rows = _covered(rows, list(part.columns), persons, random)
        leaf = list(part.columns).index("leaf") if part.table == "events" else None
        for row in rows:
            if leaf is not None:
                frontier = frontier.append(row[leaf])
            line(list(row))
    line({"end": True})
    writer.write(packed.compress(bytes(held)) + packed.flush())
    return frontier


def _bytes(value: object) -> dict[str, str]:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(bytes(value)).decode()}
    raise TypeError(f"{type(value).__name__} is not kept in a backup")


def _aside(
    rows: Iterable[Sequence[Any]],
    columns: Sequence[str],
    side: BinaryIO,
    key: bytes,
    id: str,
    persons: dict[str, bytes],
    random: Callable[[int], bytes],
) -> Iterator[list[Any]]:
    """Yields the rows with a mark in the place of each key, which goes into the file beside."""
    at, wrapped = columns.index("id"), columns.index("wrapped")
    for row in rows:
        left = list(row)
        if left[wrapped] is not None:
            label = _label(id, left[at])
            persons[left[at]] = bytes(left[wrapped])
            sealed = container.seal_one(key, bytes(left[wrapped]), label.encode(), random)
            side.write(f"{label} {base64.b64encode(sealed).decode()}\n".encode())
            left[wrapped] = {"k": 1}
        yield left


def _covered(
    rows: Iterable[Sequence[Any]], columns: Sequence[str], persons: Mapping[str, bytes], random: Callable[[int], bytes]
) -> Iterator[list[Any]]:
    """Yields the rows of subjects with what tells who they are sealed under their person's key."""
    places, of = [columns.index(name) for name in PLAIN], columns.index("key_id")
    for row in rows:
        left = list(row)
        key = persons.get(left[of])
        for place in places if key is not None else ():
            if left[place] is not None:
                left[place] = {"s": container.seal_one(key or b"", left[place].encode(), PLAIN_AAD, random)}
        yield left


def _uncovered(
    rows: Iterator[Sequence[Any]], columns: Sequence[str], persons: Mapping[str, bytes]
) -> Iterator[Sequence[Any]]:
    places, of = [(columns.index(name), empty) for name, empty in PLAIN.items()], columns.index("key_id")
    for row in rows:
        whole = list(row)
        for place, empty in places:
            if isinstance(whole[place], dict):
                key = persons.get(whole[of])
                sealed = whole[place]["s"]
                whole[place] = empty if key is None else container.open_one(key, sealed, PLAIN_AAD).decode()
        yield whole


def _label(id: str, person: str) -> str:
    return hashlib.sha256(f"ketnap backup label\n{id}\n{person}".encode()).hexdigest()


# ---- opening one ----


def read(file: Path, secret: Secret) -> Content:
    """Opens a backup. Raises BadInput, WrongSecret, and Damaged while the parts are read."""
    source = file.open("rb")
    try:
        opened = container.open_container(source, secret)
        keys = _sealed_keys(file.with_suffix(KEYS))
        content = Content(header=opened.header, parts=iter(()), source=source)
        content.parts = _tables(content, _lines(opened.stream), opened.key, keys)
        first = next(content.parts, None)  # the master key comes before the first table
        content.parts = iter(()) if first is None else _chain(first, content.parts)
    except BaseException:
        source.close()
        raise
    return content


def _chain(first: Table, rest: Iterator[Table]) -> Iterator[Table]:
    yield first
    yield from rest


def _sealed_keys(file: Path) -> dict[str, bytes | None]:
    if not file.is_file():
        raise BadInput("there is no file {file} with the keys of the backup", file=str(file))
    found: dict[str, bytes | None] = {}
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        label, _, sealed = line.partition(" ")
        found[label] = None if set(sealed) <= {"-"} else base64.b64decode(sealed)
    return found


def _lines(stream: Iterator[bytes]) -> Iterator[Any]:
    unpacked, held = zlib.decompressobj(), b""
    for chunk in stream:
        *whole, held = (held + unpacked.decompress(chunk)).split(b"\n")
        for line in whole:
            yield json.loads(line, object_hook=_unbytes)
    if held or not unpacked.eof:
        raise Damaged("The backup ends too early.")


def _unbytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["b"]) if value.keys() == {"b"} else value


def _tables(content: Content, lines: Iterator[Any], key: bytes, keys: Mapping[str, bytes | None]) -> Iterator[Table]:
    content.master = next(lines)["master"]
    head = next(lines, None)
    persons: dict[str, bytes] = {}
    while isinstance(head, dict) and "table" in head:
        after: list[Any] = []
        columns = head["columns"]
        rows = _rows(lines, after)
        if head["table"] == "keys":
            rows = _joined(content, rows, columns, key, keys, persons)
        elif head["table"] == "subjects":
            rows = _uncovered(rows, columns, persons)
        elif head["table"] == "events":
            rows = _counted(content, rows, columns.index("leaf"))
        if head["table"] not in DERIVED:
            yield Table(table=head["table"], columns=columns, rows=rows)
        for _ in rows:  # what the reader left
            pass
        head = after[0] if after else None
    if not isinstance(head, dict) or head.get("end") is not True:
        raise Damaged("The backup ends too early.")
    for _ in lines:
        raise Damaged("The backup goes on after its end.")


def _rows(lines: Iterator[Any], after: list[Any]) -> Iterator[Sequence[Any]]:
    for line in lines:
        if isinstance(line, dict):
            after.append(line)
            return
        yield line


def _counted(content: Content, rows: Iterator[Sequence[Any]], leaf: int) -> Iterator[Sequence[Any]]:
    for row in rows:
        content.frontier = content.frontier.append(row[leaf])
        yield row


def _joined(
    content: Content,
    rows: Iterator[Sequence[Any]],
    columns: Sequence[str],
    key: bytes,
    keys: Mapping[str, bytes | None],
    persons: dict[str, bytes],
) -> Iterator[Sequence[Any]]:
    at, wrapped = columns.index("id"), columns.index("wrapped")
    for row in rows:
        whole = list(row)
        if whole[wrapped] is not None:
            label = _label(str(content.header["id"]), whole[at])
            sealed = keys.get(label)
            whole[wrapped] = None if sealed is None else container.open_one(key, sealed, label.encode())
            if whole[wrapped] is None:
                content.lost.append(whole[at])
            else:
                persons[whole[at]] = whole[wrapped]
        yield whole


# ---- persons who were erased ----


def blot_out(folder: Path, persons: Iterable[str]) -> int:
    """Overwrites these persons' keys in every backup of the folder, in place; returns in how many files one stood."""
    erased, touched = list(persons), 0
    for file in sorted(folder.glob(f"ketnap-*{KEYS}")):
        labels = {_label(file.stem.rpartition("-")[2], p).encode() for p in erased}
        with file.open("r+b") as opened:
            found, at = False, 0
            for line in opened.read().splitlines(keepends=True):
                label, _, sealed = line.rstrip(b"\n").partition(b" ")
                if label in labels and not set(sealed) <= {ord("-")}:
                    opened.seek(at + len(label) + 1)
                    opened.write(b"-" * len(sealed))
                    found = True
                at += len(line)
            if found:
                opened.flush()
                os.fsync(opened.fileno())
                touched += 1
    return touched


def write_list(folder: Path, erased: Iterable[Mapping[str, Any]]) -> None:
    """Writes who was erased and when beside the backups, for copies of them that are out of reach here."""
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in erased)
    new = folder / (LIST + PARTIAL)
    new.unlink(missing_ok=True)
    with _new(new) as out:
        out.write(lines.encode())
        out.flush()
        os.fsync(out.fileno())
    new.replace(folder / LIST)
    _sync(folder)


def read_list(file: Path) -> dict[str, Mapping[str, Any]]:
    """Returns who was erased: person -> what each subject keeps for statistics. Raises BadInput."""
    try:
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
        return {str(one["person"]): dict(one["kept"]) for one in found}
    except (ValueError, KeyError, TypeError):
        raise BadInput("{file} is not a list of persons who were erased", file=str(file)) from None


# ---- how long backups stay ----


def newest(folder: Path) -> datetime | None:
    """Returns when the newest backup of a folder was made, by its header."""
    times = [t for f in folder.glob(f"ketnap-*{BACKUP}") if (t := _time_of(f)) is not None]
    return max(times, default=None)


def _time_of(file: Path) -> datetime | None:
    try:
        with file.open("rb") as source:
            return unstamp(str(container.read_header(source)[0]["made_at"]))
    except (BadInput, OSError, KeyError, ValueError):
        return None


def thin_out(folder: Path, now: datetime, keep_days: int) -> list[Path]:
    """Deletes backups older than so many days, but never the newest few; returns those deleted."""
    dated = sorted(((t, f) for f in folder.glob(f"ketnap-*{BACKUP}") if (t := _time_of(f)) is not None), reverse=True)
    old = [f for t, f in dated[KEPT_ALWAYS:] if t < now - timedelta(days=keep_days)]
    for file in old:
        file.unlink()
        file.with_suffix(KEYS).unlink(missing_ok=True)
    return old
