"""An operator's SMS centre for tests: SMPP 3.4 (chapters 3 to 5) on 127.0.0.1. Run as a program: PORT LOG.

Each submit_sm becomes a line of JSON in LOG: the octets as they came, `text` as they read, and `whole` when all parts
are there. By the last three digits of the number:

    000 throttled (0x58)         111 no such number (0x0B)     222 system error (0x08)
    333 receipt UNDELIV          444 receipt EXPIRED           555 taken, never a receipt
    666 taken, never an answer   777 taken, then hangs up      else receipt DELIVRD

A receipt that was not confirmed is sent again at the next bind, as real centres do.
"""

from __future__ import annotations

import json
import socketserver
import struct
import sys
import threading
from pathlib import Path
from typing import Any

from smpplib.gsm import GSM_CHARACTER_TABLE  # another hand's table than the product's own

SYSTEM_ID, PASSWORD = "ketnap", "s3cret"
RESP = 0x80000000
BINDS = (0x01, 0x02, 0x09)
SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x04, 0x05, 0x06, 0x15
REFUSALS = {"000": 0x58, "111": 0x0B, "222": 0x08}
STATS = {"333": ("UNDELIV", "010"), "444": ("EXPIRED", "020")}


def read_text(octets: bytes, coding: int) -> str:
    """Returns octets as a phone would show them."""
    if coding == 0x08:
        return octets.decode("utf-16-be", "replace")
    letters, escaped = [], False
    for octet in octets:
        if octet == 0x1B and not escaped:
            escaped = True
            continue
        letters.append(GSM_CHARACTER_TABLE[octet + 0x80 * escaped] if octet < 0x80 else "?")
        escaped = False
    return "".join(letters)


class Centre:
    """What all connections share."""

    def __init__(self, log: Path) -> None:
        self.log_path = log
        self.lock = threading.Lock()
        self.last_id = 1_000
        self.parts: dict[tuple[str, int, int], dict[int, str]] = {}
        self.unconfirmed: dict[str, bytes] = {}  # id to the body of the deliver_sm

    def log(self, **entry: Any) -> None:
        """Appends one line."""
        with self.lock, self.log_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def next_id(self) -> str:
        """Returns an id that was not given before."""
        with self.lock:
            self.last_id += 1
            return str(self.last_id)

    def join(self, to: str, header: bytes, text: str) -> tuple[str, str | None]:
        """Keeps one part; returns its place and, with the last one, the whole text."""
        number, total, at = header[3:6]
        with self.lock:
            kept = self.parts.setdefault((to, number, total), {})
            kept[at] = text
            whole = "".join(kept[i] for i in sorted(kept)) if len(kept) == total else None
            if whole is not None:
                del self.parts[(to, number, total)]
        return f"{at}/{total}", whole


class Connection(socketserver.BaseRequestHandler):
    """One ESME."""

    def handle(self) -> None:
        """Answers PDUs until the other side goes."""
        self.centre: Centre = self.server.centre  # type: ignore[attr-defined]
        self.write_lock = threading.Lock()
        self.sequence = 0
        self.waiting: dict[int, str] = {}
        self.bound = False
        try:
            while True:
                length, command, status, sequence = struct.unpack(">IIII", self.read(16))
                if not self.on(command, status, sequence, self.read(length - 16)):
                    return
        except (EOFError, OSError):
            pass

    def read(self, size: int) -> bytes:
        octets = b""
        while len(octets) < size:
            more = self.request.recv(size - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    def write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        with self.write_lock:
            self.request.sendall(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def on(self, command: int, status: int, sequence: int, body: bytes) -> bool:
        """Handles one PDU; False hangs up."""
        if command in BINDS:
            user, password = body.split(b"\0")[:2]
            good = (user.decode(), password.decode()) == (SYSTEM_ID, PASSWORD)
            self.centre.log(bind=user.decode(), good=good)
            self.write(command | RESP, 0 if good else 0x0E, sequence, b"centre\0" if good else b"")
            self.bound = good
            if good:
                for id_ in list(self.centre.unconfirmed):
                    self.receipt(id_)
            return good
        if command == SUBMIT:
            return self.submit(sequence, body) if self.bound else self.no(command, 0x04, sequence)
        if command == DELIVER | RESP:
            if status == 0:
                self.centre.unconfirmed.pop(self.waiting.pop(sequence, ""), None)
            return True
        if command in (ENQUIRE, UNBIND):
            self.write(command | RESP, 0, sequence)
            return command == ENQUIRE
        return True if command & RESP else self.no(0, 0x03, sequence)

    def no(self, command: int, status: int, sequence: int) -> bool:
        self.write(command | RESP, status, sequence)
        return True

    def submit(self, sequence: int, body: bytes) -> bool:
        entry = read_submit(body)
        to = entry["to"]
        ending = to[-3:]
        if ending in REFUSALS:
            self.centre.log(**entry, status=REFUSALS[ending])
            return self.no(SUBMIT, REFUSALS[ending], sequence)
        id_ = self.centre.next_id()
        header = bytes.fromhex(entry["header"])
        if header:
            entry["part"], entry["whole"] = self.centre.join(to, header, entry["text"])
        else:
            entry["whole"] = entry["text"]
        self.centre.log(**entry, status=0, id=id_)
        if ending in ("666", "777"):
            return bool(ending == "666")
        self.write(SUBMIT | RESP, 0, sequence, id_.encode() + b"\0")
        if entry["registered"] & 1 and ending != "555":
            stat, err = STATS.get(ending, ("DELIVRD", "000"))
            done = 1 if stat == "DELIVRD" else 0
            dates = "submit date:2611240730 done date:2611240730"
            words = f"id:{id_} sub:001 dlvrd:{done:03} {dates} stat:{stat} err:{err} text:"
            self.centre.unconfirmed[id_] = deliver(to, entry["from"], words.encode())
            self.receipt(id_)
        return True

    def receipt(self, id_: str) -> None:
        """Sends a receipt, which stays in `unconfirmed` until it is answered."""
        self.sequence += 1
        self.waiting[self.sequence] = id_
        self.write(DELIVER, 0, self.sequence, self.centre.unconfirmed[id_])


def read_submit(body: bytes) -> dict[str, Any]:
    """Returns what a submit_sm says (SMPP 3.4 4.4.1)."""

    def text_at(at: int) -> tuple[str, int]:
        end = body.index(0, at)
        return body[at:end].decode("latin-1"), end + 1

    _, at = text_at(0)
    sender_ton = body[at]
    sender, at = text_at(at + 2)
    to, at = text_at(at + 2)
    esm_class = body[at]
    _, at = text_at(at + 3)
    _, at = text_at(at)
    registered, coding, length = body[at], body[at + 2], body[at + 4]
    octets = body[at + 5 : at + 5 + length]
    header = octets[: octets[0] + 1] if esm_class & 0x40 else b""
    return {
        "from": sender, "from_ton": sender_ton, "to": to, "esm_class": esm_class, "registered": registered,
        "coding": coding, "size": length, "header": header.hex(), "octets": octets[len(header) :].hex(),
        "text": read_text(octets[len(header) :], coding),
    }  # fmt: skip


def deliver(sender: str, to: str, words: bytes) -> bytes:
    """Returns the body of a deliver_sm with a receipt (SMPP 3.4 4.6.1)."""
    addresses = b"\0\1\1" + sender.encode() + b"\0\1\1" + to.encode() + b"\0"
    return addresses + bytes([4, 0, 0]) + b"\0\0" + bytes([0, 0, 0, 0, len(words)]) + words


class Server(socketserver.ThreadingTCPServer):
    """Listens."""

    allow_reuse_address = True
    daemon_threads = True


def main(port: int, log: Path) -> None:
    """Serves until it is ended."""
    with Server(("127.0.0.1", port), Connection) as server:
        server.centre = Centre(log)  # type: ignore[attr-defined]
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
