"""A bundle of the trail for an inspector: events, proofs, checkpoints, definitions and a report, as files.

`engine.audit.verify_bundle`, which goes along, checks it with nothing but Python. The whole trail is hashed anew there;
a part of it (one unit, some days) carries an inclusion proof for each event and the keys of the persons in it, so that
the rest stays private.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from engine import trail
from engine.audit import verify_bundle
from engine.audit.tree import Nodes, consistency_proof, inclusion_proof
from engine.core import events
from engine.core.errors import BadInput, NotFound
from engine.core.events import unstamp
from engine.core.values import Json
from engine.ledger import entry_of
from engine.service import Service
from engine.steps import By
from engine.store.rows import EventRow
from engine.trail import Signed
from engine.work import Work

# What a bundle of one unit holds besides the unit's own: nothing in them is about a person.
SHARED = frozenset({events.DEFINITION, events.SIGNING_KEY, events.CHECKPOINT, events.CHECKPOINT_LEFT})


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What goes into a bundle: of one organisation and those below it, recorded from one day to another."""

    org: str | None = None
    first: date | None = None
    last: date | None = None

    @property
    def whole(self) -> bool:
        """Tells whether nothing is left out."""
        return self.org is None and self.first is None and self.last is None


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written."""

    folder: Path
    events: int
    size: int
    checkpoint: str


def export(service: Service, folder: Path, wanted: Wanted, by: By, lang: str = "vi") -> Exported:
    """Writes a bundle into a new folder. That it was written is an event, and in the bundle.

    Raises NotFound (the organisation; a signing key) and BadInput (the folder holds something).
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadInput("{folder} is not empty; a bundle goes into a folder of its own", folder=str(folder))
    with service.work(write=True) as work:
        if wanted.org is not None and wanted.org not in work.office.tree.by_id:
            raise NotFound("there is no organisation {org}", org=wanted.org)
        trail.begin(work)
        work.ledger.append(
            events.EXPORTED,
            what="bundle",
            org=wanted.org,
            first_day=wanted.first.isoformat() if wanted.first is not None else None,
            last_day=wanted.last.isoformat() if wanted.last is not None else None,
            actor=by.officer,
            behalf=by.behalf,
        )
    signed = service.trail.sign(by)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with service.work() as work:
        return _Writing(work, folder, wanted, signed, lang).write()


class _Names(dict[str, str]):
    """Labels of ids, which remembers those that were asked for: no others go into the bundle."""

    def __init__(self, known: Mapping[str, str]) -> None:
        super().__init__(known)
        self.used: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a label."""
        found = super().get(key, default)
        if found is not None:
            self.used[key] = found
        return found


class _Writing:
    def __init__(self, work: Work, folder: Path, wanted: Wanted, signed: Signed, lang: str) -> None:
        self.work, self.folder, self.wanted, self.signed = work, folder, wanted, signed
        self.size = signed.checkpoint.size
        self.nodes: Nodes = trail.nodes(work.tx)
        self.names = _Names(_labels(work, lang))
        self.definitions: dict[str, None] = {}
        self.keys: dict[str, None] = {}
        self.sizes: dict[int, str] = {}

    def write(self) -> Exported:
        count = sum(1 for _ in self._rows())
        manifest = self._manifest(count)
        with self._open("events.jsonl") as lines, self._open("report.html") as report:
            report.write(verify_bundle.report_head(manifest))
            for row in self._rows():
                lines.write(json.dumps(self._line(row), ensure_ascii=False) + "\n")
                report.write(self._report(row))
            report.write(verify_bundle.REPORT_END)
        self._json("manifest.json", manifest)
        self._json("names.json", self.names.used)
        self._json("person-keys.json", self._person_keys())
        self._json("log-keys.json", self._log_keys())
        self._json("consistency.json", self._consistency())
        self._text("checkpoint.txt", self.signed.note)
        self._checkpoints()
        self._definitions()
        self._text("verify_bundle.py", Path(verify_bundle.__file__).read_text(encoding="utf-8"))
        self._text("HUONG-DAN.txt", verify_bundle.GUIDE)
        return Exported(folder=self.folder, events=count, size=self.size, checkpoint=self.signed.note)

    # -- which events

    def _rows(self) -> Iterator[EventRow]:
        rows = self.work.tx.events(until=self.size - 1)
        return rows if self.wanted.whole else (r for r in rows if self._takes(r))

    def _takes(self, row: EventRow) -> bool:
        day = self.work.calendar.day_of(unstamp(row.at))
        if (self.wanted.first and day < self.wanted.first) or (self.wanted.last and day > self.wanted.last):
            return row.kind == events.SIGNING_KEY
        if self.wanted.org is None or row.kind in SHARED:
            return True
        return row.subject in self._subjects if row.subject is not None else row.org in self._units

    @property
    def _units(self) -> frozenset[str]:
        if "_kept_units" not in self.__dict__:
            self.__dict__["_kept_units"] = frozenset(_below(self.work, self.wanted.org or ""))
        kept: frozenset[str] = self.__dict__["_kept_units"]
        return kept

    @property
    def _subjects(self) -> frozenset[str]:
        """The subjects that belong to the unit today: with their whole history, also from before they came to it."""
        if "_kept_subjects" not in self.__dict__:
            rows = self.work.tx.find_subjects(orgs=self._units)
            self.__dict__["_kept_subjects"] = frozenset(r.id for r in rows)
        kept: frozenset[str] = self.__dict__["_kept_subjects"]
        return kept

    # -- what is written of them

    def _line(self, row: EventRow) -> dict[str, Json]:
        line: dict[str, Json] = {"seq": row.seq, "body": row.body.decode(), "leaf": row.leaf.hex()}
        if self.wanted.whole:
            return {**line, "link": row.link.hex()}
        return {**line, "proof": _b64(inclusion_proof(row.seq, self.size, self.nodes))}

    def _report(self, row: EventRow) -> str:
        body = json.loads(row.body)
        if "key" in body:
            self.keys[body["key"]] = None
        if body.get("definition"):
            self.definitions[body["definition"]] = None
        if row.kind == events.CHECKPOINT and "witness" not in body:
            self.sizes[body["size"]] = body["note"]
        payload = entry_of(row, self.work.keys, self.work.kit.sealer).payload
        return verify_bundle.report_row(row.seq, body, None if payload is None else dict(payload), self.names)

    def _manifest(self, count: int) -> dict[str, Any]:
        wanted = self.wanted
        return {
            "format": verify_bundle.FORMAT,
            "origin": self.signed.checkpoint.origin,
            "at": self.signed.at.isoformat(timespec="seconds"),
            "sandbox": trail.is_sandbox(self.work.tx),
            "whole": wanted.whole,
            "org": wanted.org,
            "from": None if wanted.first is None else wanted.first.isoformat(),
            "to": None if wanted.last is None else wanted.last.isoformat(),
            "size": self.size,
            "root": base64.b64encode(self.signed.checkpoint.root).decode(),
            "events": count,
        }

    def _person_keys(self) -> dict[str, str]:
        found = {id: self.work.keys.get(id) for id in self.keys}
        return {id: base64.b64encode(key).decode() for id, key in found.items() if key is not None}

    def _log_keys(self) -> dict[str, Any]:
        chain = trail.key_chain(self.work.tx)
        assert chain is not None
        return {"first": str(chain[0]), "rotations": list(chain[1])}

    def _consistency(self) -> dict[str, list[Json]]:
        """Proofs for every checkpoint that was made: so the one that an inspector kept can be compared with a part."""
        if self.wanted.whole:
            return {}
        made = {r.seq: json.loads(r.body) for r in self.work.tx.events(kind=events.CHECKPOINT, until=self.size - 1)}
        sizes = {body["size"] for body in made.values()}
        return {str(size): _b64(consistency_proof(size, self.size, self.nodes)) for size in sorted(sizes)}

    def _checkpoints(self) -> None:
        (self.folder / "checkpoints").mkdir(mode=0o700, exist_ok=True)
        for size, note in self.sizes.items():
            self._text(f"checkpoints/{size:010}.txt", note)

    def _definitions(self) -> None:
        (self.folder / "definitions").mkdir(mode=0o700, exist_ok=True)
        for row in self.work.tx.definitions():
            if row.id in self.definitions:
                kept = {
                    "workflow": row.workflow,
                    "file": row.file,
                    "area_text": row.area_text,
                    "text": row.text,
                    "templates": json.loads(row.templates_json),
                    "office_text": row.office_text,
                }
                self._json(f"definitions/{row.id}.json", kept)

    # -- files

    def _open(self, name: str) -> TextIO:
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(handle, "w", encoding="utf-8", newline="\n")

    def _text(self, name: str, text: str) -> None:
        with self._open(name) as file:
            file.write(text)

    def _json(self, name: str, value: object) -> None:
        self._text(name, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _below(work: Work, org: str) -> Iterator[str]:
    yield org
    for one in work.office.tree.by_id.values():
        if one.parent == org:
            yield from _below(work, one.id)


def _labels(work: Work, lang: str) -> dict[str, str]:
    """Returns what people call the ids of states, steps, rules, facts, organisations and officers."""
    labels: dict[str, str] = {}
    for definition in work.library.all_newest().values():
        file = definition.file
        for part in (file.states, file.transitions, file.rules, file.facts):
            labels.update((name, thing.label.of(lang)) for name, thing in part.items())
    labels.update((o.id, o.name) for o in work.office.tree.by_id.values())
    labels.update((o.id, o.name) for o in work.office.officers.values())
    return labels


def _b64(hashes: Iterable[bytes]) -> list[Json]:
    return [base64.b64encode(h).decode() for h in hashes]
