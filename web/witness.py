"""A small witness (c2sp.org/tlog-witness): on another machine, it signs only what goes on from what it signed before.

Its memory is a folder: the last checkpoint of each trail it watches, written durably before anything is signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.audit import note as notes
from engine.audit.checkpoint import Checkpoint, cosign
from engine.audit.note import BadKey, BadNote, NotVerified, SigningKey, VerifierKey
from engine.audit.tree import EMPTY_ROOT, check_consistency
from engine.core.errors import KetnapError
from web.bounds import TooMuch, TooSlow, told

BODY_LIMIT = 100_000  # bytes of one request
PROOF_LIMIT = 63  # hashes, as in tlog-witness
SIZE_TYPE = "text/x.tlog.size"


class Refused(KetnapError):
    """The witness does not sign this."""

    def __init__(self, status: int, message: str, *, size: int | None = None) -> None:
        self.status, self.size = status, size
        super().__init__(message)


class Memory:
    """What the witness signed last of each trail."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.txt"

    def last(self, origin: str) -> Checkpoint | None:
        """Returns the last checkpoint that was signed, None for a trail not seen yet."""
        file = self._file(origin)
        return Checkpoint.parse(notes.parse(file.read_bytes()).text) if file.exists() else None

    def keep(self, origin: str, note: bytes) -> None:
        """Writes it durably: a witness that forgets could be shown two histories."""
        file, new = self._file(origin), self._file(origin).with_suffix(".new")
        with new.open("wb") as opened:
            opened.write(note)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Witness:
    """Signs checkpoints of the trails whose keys it knows."""

    def __init__(
        self, key: SigningKey, logs: Sequence[VerifierKey], memory: Memory, now: Callable[[], datetime]
    ) -> None:
        self._key, self._memory, self._now = key, memory, now
        self._logs = logs
        self._lock = threading.Lock()

    def add(self, body: bytes) -> str:
        """Answers `add-checkpoint`: returns the signature line. Raises Refused with the status of tlog-witness."""
        old, proof, data = _read(body)
        try:
            note = notes.parse(data)
            checkpoint = Checkpoint.parse(note.text)
        except BadNote as error:
            raise Refused(400, error.text()) from error
        keys = [k for k in self._logs if k.name == checkpoint.origin]
        if not keys:
            raise Refused(404, "this witness does not watch that trail")
        try:
            notes.verify(note, keys)
        except NotVerified as error:
            raise Refused(403, error.text()) from error
        if old > checkpoint.size:
            raise Refused(400, "the old size is greater than the checkpoint's")
        with self._lock:
            last = self._memory.last(checkpoint.origin)
            known = last.size if last is not None else 0
            if old != known:
                raise Refused(409, f"{known}\n", size=known)
            root = last.root if last is not None else EMPTY_ROOT
            if old == checkpoint.size and root != checkpoint.root:
                raise Refused(409, f"{known}\n", size=known)
            if not check_consistency(old, root, checkpoint.size, checkpoint.root, proof):
                raise Refused(422, "the trail does not go on from what was signed before")
            self._memory.keep(checkpoint.origin, data)
            return cosign(note, self._key, self._now()).signatures[-1].line()


def _read(body: bytes) -> tuple[int, list[bytes], bytes]:
    """Reads `old <size>`, the proof, an empty line and the note."""
    head, gap, note = body.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    word, _, size = lines[0].partition(" ")
    if not gap or word != "old" or not size.isdecimal() or len(size) > 18 or len(lines) - 1 > PROOF_LIMIT:
        raise Refused(400, "the request is not well formed")
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "the request is not well formed") from error
    return int(size), proof, note


def witness_app(witness: Witness) -> Starlette:
    """Returns the web application of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > BODY_LIMIT:
                return Response("too large\n", 413, media_type="text/plain")
        try:
            line = await run_in_threadpool(witness.add, bytes(body))
        except Refused as error:
            kind = SIZE_TYPE if error.size is not None else "text/plain"
            return Response(error.text().rstrip("\n") + "\n", error.status, headers={"content-type": kind})
        except (BadNote, BadKey) as error:
            return Response(f"{error.text()}\n", 400, media_type="text/plain")
        return Response(line, 200, media_type="text/plain")

    routes = [Route("/add-checkpoint", add_checkpoint, methods=["POST"])]
    return Starlette(routes=routes, exception_handlers={TooMuch: told, TooSlow: told})
