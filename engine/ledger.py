"""Writing and reading the trail: bodies become canonical bytes once, payloads are sealed, hashes are linked."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.audit.canonical import canonical, parse
from engine.audit.seal import KeyErased, MasterKey, Random, Sealer, new_key
from engine.audit.tree import leaf_hash
from engine.core.errors import ClockWentBack, Damaged
from engine.core.events import Entry, stamp, unstamp
from engine.core.values import Json
from engine.store.ports import Transaction
from engine.store.rows import BLOCK, EventRow, Head, JudgedRow, KeyRow

FORMAT = 1
# keys of a body that an entry names; the others are its detail
_NAMED = frozenset({"v", "id", "kind", "at", "on", "actor", "behalf", "channel", "account", "command", "subject"})
_NAMED |= {"workflow", "org", "trigger", "from", "to", "definition", "rules", "breaches", "undoes"}
_NAMED |= {"payload", "sealed", "key"}


@dataclass(frozen=True, kw_only=True)
class Via:
    """How a command came in: the channel (cli, web, api, import, clock, scenario) and the account or session that
    typed it."""

    channel: str
    account: str | None = None


def link(before: bytes, leaf: bytes) -> bytes:
    """Returns the hash that links an event to all before it."""
    return hashlib.sha256(before + leaf).digest()


class Keys:
    """Subjects' keys within one transaction. `unwrapped` may be shared: it is keyed by the wrapped bytes themselves."""

    def __init__(self, tx: Transaction, master: MasterKey, random: Random, unwrapped: dict[bytes, bytes]) -> None:
        self._tx, self._master, self._random, self._unwrapped = tx, master, random, unwrapped
        self._known: dict[str, bytes | None] = {}
        self._new: list[KeyRow] = []

    def fetch(self, ids: Iterable[str]) -> None:
        """Reads the keys of these ids that are not read yet, in one go."""
        missing = [i for i in dict.fromkeys(ids) if i not in self._known]
        for row in self._tx.keys(missing).values() if missing else ():
            self._known[row.id] = self._unwrap(row)

    def get(self, id: str) -> bytes | None:
        """Returns a key, or None when it is erased or was never made."""
        if id not in self._known:
            self.fetch([id])
        return self._known.get(id)

    def make(self, id: str) -> bytes:
        """Returns the key of an id, made now if there is none. Raises KeyErased for one that was erased."""
        self.fetch([id])
        if id in self._known:
            key = self._known[id]
            if key is None:
                raise KeyErased()
            return key
        key = self._known[id] = new_key(self._random)
        wrapped = self._master.wrap(id, key)
        self._unwrapped[wrapped] = key
        self._new.append(KeyRow(id=id, wrapped=wrapped))
        return key

    def erase(self, id: str, at: str, sealer: Sealer) -> None:
        """Erases a key now, in the store and in this process's memory."""
        self.fetch([id])
        row = self._tx.keys([id]).get(id)
        if row is not None and row.wrapped is not None:
            self._unwrapped.pop(row.wrapped, None)
        key = self._known.get(id)
        if key is not None:
            sealer.forget(key)
        self._known[id] = None
        self._tx.put_keys([KeyRow(id=id, wrapped=None, erased_at=at)])

    def flush(self) -> None:
        """Writes the keys made."""
        if self._new:
            self._tx.put_keys(self._new)
            self._new = []

    def forget(self) -> None:
        """Lets go of keys that were only read."""
        new = {row.id for row in self._new}
        self._known = {id: key for id, key in self._known.items() if id in new}

    def discard(self) -> None:
        """Forgets the keys made and not written."""
        for row in self._new:
            self._known.pop(row.id, None)
        self._new = []

    def _unwrap(self, row: KeyRow) -> bytes | None:
        if row.wrapped is None:
            return None
        key = self._unwrapped.get(row.wrapped)
        if key is None:
            if len(self._unwrapped) > 20_000:
                self._unwrapped.clear()
            key = self._unwrapped[row.wrapped] = self._master.unwrap(row.id, row.wrapped)
        return key


class Ledger:
    """Appends events in one transaction. They are written by `flush`, all or (after `discard`) none."""

    def __init__(self, tx: Transaction, keys: Keys, sealer: Sealer, random: Random, now: datetime, via: Via) -> None:
        self._tx, self.keys, self._sealer, self._random, self._via = tx, keys, sealer, random, via
        self._at = stamp(now)
        self._head: Head | None = None
        self._pending: list[dict[str, Json]] = []

    @property
    def at(self) -> str:
        """The time of every event of this transaction."""
        return self._at

    def lock(self) -> None:
        """Takes the trail for this transaction. Raises ClockWentBack when its last entry lies in the future."""
        if self._head is None:
            self._head = self._tx.head()
            if self._head.at > self._at:
                behind = unstamp(self._head.at) - unstamp(self._at)
                raise ClockWentBack(minutes=-(-behind // timedelta(minutes=1)))

    def append(
        self, kind: str, *, key_id: str | None = None, payload: Mapping[str, Json] | None = None, **plain: Json
    ) -> str:
        """Adds an event and returns its id. `plain` are the body's other keys; `payload` is sealed under `key_id`."""
        id = self._random(16).hex()
        body: dict[str, Json] = {"v": FORMAT, "id": id, "kind": kind, "at": self._at, "channel": self._via.channel}
        if self._via.account is not None:
            body["account"] = self._via.account
        for name, value in plain.items():
            if value is not None:
                body[name] = value
        if payload:
            if key_id is None:
                body["payload"] = dict(payload)
            else:
                body["key"] = key_id
                sealed = self._sealer.seal(self.keys.make(key_id), _dump(payload), id.encode())
                body["sealed"] = base64.b64encode(sealed).decode("ascii")
        self._pending.append(body)
        return id

    def discard(self) -> None:
        """Forgets the events that are not written."""
        self._pending = []
        self.keys.discard()

    def flush(self) -> None:
        """Writes what was appended."""
        self.keys.flush()
        if not self._pending:
            return
        self.lock()
        assert self._head is not None
        size, before = self._head.size, self._head.link
        rows: list[EventRow] = []
        judged: dict[JudgedRow, None] = {}
        for body in self._pending:
            data = canonical(body)
            leaf = leaf_hash(data)
            before = link(before, leaf)
            rows.append(_row(size, body, data, leaf, before))
            judged.update(dict.fromkeys(judged_in(size, body)))
            size += 1
        self._tx.append_events(rows)
        if judged:
            self._tx.put_judged(judged)
        self._head = Head(size=size, link=before, at=self._at)
        self._pending = []


# Made once: json.dumps makes an encoder at every call that does not take its defaults.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def _dump(payload: Mapping[str, Json]) -> bytes:
    return _encode(payload).encode()


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _row(seq: int, body: Mapping[str, Json], data: bytes, leaf: bytes, linked: bytes) -> EventRow:
    get = body.get
    return EventRow(
        seq=seq,
        id=str(body["id"]),
        kind=str(body["kind"]),
        subject=_text(get("subject")),
        workflow=_text(get("workflow")),
        org=_text(get("org")),
        trigger=_text(get("trigger")),
        actor=_text(get("actor")),
        behalf=_text(get("behalf")),
        at=str(body["at"]),
        on=_text(get("on")),
        command=_text(get("command")),
        body=data,
        leaf=leaf,
        link=linked,
    )


def judged_in(seq: int, body: Mapping[str, Any]) -> list[JudgedRow]:
    """Returns what an event brings into the index of rules."""
    return [JudgedRow(rule=str(rule[0]), block=seq // BLOCK) for rule in body.get("rules") or ()]


def columns(body: Mapping[str, Json], row: EventRow) -> EventRow:
    """Returns the row that this body ought to have, for comparing."""
    return _row(row.seq, body, row.body, row.leaf, row.link)


def read_body(row: EventRow) -> dict[str, Json]:
    """Returns the body of a stored event. Raises Damaged when its bytes are not a body."""
    if not isinstance(row.body, bytes):  # SQLite lets an editor write a text where bytes belong
        raise Damaged("event {seq} is not a body", seq=row.seq)
    try:
        body = parse(row.body)
    except ValueError as error:
        raise Damaged("event {seq} is not canonical: {why}", seq=row.seq, why=str(error)) from error
    if not isinstance(body, dict):
        raise Damaged("event {seq} is not a body", seq=row.seq)
    return body


def entry_of(row: EventRow, keys: Keys | None, sealer: Sealer) -> Entry:
    """Returns a stored event as it reads. Its payload is None where the key is erased, or no keys are given."""
    body = json.loads(row.body)
    payload = body.get("payload")
    if payload is None and keys is not None and "sealed" in body:
        try:
            opened = sealer.open(keys.get(body["key"]), base64.b64decode(body["sealed"]), body["id"].encode())
            payload = json.loads(opened)
        except KeyErased:
            payload = None
    return Entry(
        id=body["id"],
        kind=body["kind"],
        at=body["at"],
        on=body.get("on"),
        actor=body.get("actor"),
        behalf=body.get("behalf"),
        channel=body["channel"],
        account=body.get("account"),
        command=body.get("command"),
        subject=body.get("subject"),
        workflow=body.get("workflow"),
        org=body.get("org"),
        trigger=body.get("trigger"),
        source=body.get("from"),
        to=body.get("to"),
        definition=body.get("definition"),
        rules=body.get("rules", ()),
        breaches=body.get("breaches", ()),
        undoes=body.get("undoes"),
        detail={k: v for k, v in body.items() if k not in _NAMED},
        payload=payload,
        hash=row.link.hex(),
        seq=row.seq,
    )


def entries(rows: Iterable[EventRow], keys: Keys | None, sealer: Sealer) -> Iterator[Entry]:
    """Yields stored events as they read."""
    for row in rows:
        yield entry_of(row, keys, sealer)
