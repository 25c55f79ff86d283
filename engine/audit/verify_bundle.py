#!/usr/bin/env python3
"""Kiểm tra một gói nhật ký đã xuất: chỉ cần Python 3.8 trở lên, không cần phần mềm nào khác, không cần mạng.

    python3 verify_bundle.py [THƯ_MỤC] [--checkpoint TỆP]... [--key KHÓA]

Checks an exported bundle of the trail: every event against the signed checkpoint, and against those that the inspector
kept (--checkpoint, as mailed); the log's key against the one the inspector was given (--key); the definitions against
their hashes; what is sealed against the persons' keys; report.html against the events. Ends with "đúng", or names what
was altered. One file, the standard library only; nothing in the bundle is believed but what follows from a signature.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import html
import json
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

FORMAT = 1
GUIDE = """GÓI NHẬT KÝ KIỂM TRA

1. Chép cả thư mục này vào một máy có Python 3.8 trở lên (không cần mạng).
2. Đặt điểm kiểm tra gửi tới đoàn qua thư (lưu thư thành tệp, ví dụ thu.eml) vào máy đó.
3. Chạy:  python3 verify_bundle.py --checkpoint thu.eml
   Nếu đoàn đã giữ khóa công khai của nhật ký, thêm:  --key KHÓA
4. Dòng cuối là "đúng", hoặc "SAI: ..." kèm số bản ghi bị sửa.

Nên lấy verify_bundle.py từ nơi đoàn tự giữ (gói trước, bản in mã chương trình), không lấy từ chính gói đang kiểm tra.
report.html là bản để đọc; person-keys.json mở nội dung riêng của những người trong gói: giữ như hồ sơ mật.
"""
DASH = "\u2014 "
EMPTY_ROOT = hashlib.sha256().digest()


class Altered(Exception):
    """Something in the bundle is not what was signed; the text says what, in Vietnamese."""


# ---- RFC 6962 ----


def _sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(body: bytes) -> bytes:
    """Returns the hash that stands for an event."""
    return _sha(b"\x00", body)


class Tree:
    """Grows by leaves; keeps one hash a level."""

    def __init__(self) -> None:
        self.size, self._stack = 0, []  # type: Tuple[int, List[bytes]]

    def add(self, leaf: bytes) -> None:
        """Appends a leaf hash."""
        full = self.size
        while full & 1:
            leaf = _sha(b"\x01", self._stack.pop(), leaf)
            full >>= 1
        self._stack.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Returns the root over what was added."""
        if not self._stack:
            return EMPTY_ROOT
        folded = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            folded = _sha(b"\x01", left, folded)
        return folded


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def included(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tells whether the tree of `size` leaves under `root` holds `leaf` at `index` (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        return False
    low, high, lefts = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        lefts.append(index >= middle)
        low, high = (middle, high) if index >= middle else (low, middle)
    if len(proof) != len(lefts):
        return False
    for is_left, beside in zip(reversed(lefts), proof):
        leaf = _sha(b"\x01", beside, leaf) if is_left else _sha(b"\x01", leaf, beside)
    return leaf == root


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tells whether the tree of `new` leaves goes on from that of `old` leaves (RFC 6962, 2.1.2)."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return old_root == EMPTY_ROOT and not proof
    low, high, ranges = 0, new, []
    while old < high:
        middle = low + _split(high - low)
        ranges.append((middle, high) if old <= middle else (low, middle))
        low, high = (low, middle) if old <= middle else (middle, high)
    if low:
        ranges.append((low, high))
    ranges.reverse()
    if len(ranges) != len(proof):
        return False
    pairs, was, now = list(zip(ranges, proof)), old_root, old_root
    if pairs and pairs[0][0][1] == old:
        was = now = pairs.pop(0)[1]
    for (_, end), beside in pairs:
        if end <= old:
            was, now = _sha(b"\x01", beside, was), _sha(b"\x01", beside, now)
        else:
            now = _sha(b"\x01", now, beside)
    return was == old_root and now == new_root


# ---- Ed25519 (RFC 8032, 5.1 and 6) ----

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)
_Point = Tuple[int, int, int, int]


def _add(p: _Point, q: _Point) -> _Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(n: int, p: _Point) -> _Point:
    q: _Point = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = _add(q, p)
        p = _add(p, p)
        n >>= 1
    return q


def _same(p: _Point, q: _Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % _P == 0 and (p[1] * q[2] - q[1] * p[2]) % _P == 0


def _x_of(y: int, sign: int) -> Optional[int]:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P)
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _I % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x


def _point(data: bytes) -> Optional[_Point]:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _x_of(_BASE_Y, 0) or 0
_BASE: _Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tells whether an Ed25519 signature holds."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= _L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    return _same(_times(s, _BASE), _add(r, _times(h, a)))


# ---- AES-256-GCM (FIPS 197, SP 800-38D), for what is sealed under a person's key ----


def _tables() -> Tuple[List[int], List[int]]:
    sbox, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        x = q
        for n in (1, 2, 3, 4):
            x ^= ((q << n) | (q >> (8 - n))) & 0xFF
        sbox[p & 0xFF] = (x ^ 0x63) & 0xFF
        if p & 0xFF == 1:
            break
    double = [((b << 1) ^ (0x1B if b & 0x80 else 0)) & 0xFF for b in range(256)]
    return sbox, double


_SBOX, _DOUBLE = _tables()


class _Aes:
    def __init__(self, key: bytes) -> None:
        words, rcon = [list(key[i : i + 4]) for i in range(0, 32, 4)], 1
        for i in range(8, 60):
            t = list(words[i - 1])
            if i % 8 == 0:
                t = [_SBOX[b] for b in t[1:] + t[:1]]
                t[0] ^= rcon
                rcon = _DOUBLE[rcon]
            elif i % 8 == 4:
                t = [_SBOX[b] for b in t]
            words.append([a ^ b for a, b in zip(words[i - 8], t)])
        self._keys = [[b for word in words[i : i + 4] for b in word] for i in range(0, 60, 4)]

    def block(self, data: bytes) -> bytes:
        """Encrypts 16 bytes."""
        s = [a ^ b for a, b in zip(data, self._keys[0])]
        for turn in range(1, 15):
            s = [_SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if turn < 14:
                mixed: List[int] = []
                for c in range(0, 16, 4):
                    a = s[c : c + 4]
                    all_ = a[0] ^ a[1] ^ a[2] ^ a[3]
                    mixed += [a[i] ^ all_ ^ _DOUBLE[a[i] ^ a[(i + 1) % 4]] for i in range(4)]
                s = mixed
            s = [a ^ b for a, b in zip(s, self._keys[turn])]
        return bytes(s)


def _ghash(h: int, data: bytes) -> int:
    y = 0
    for i in range(0, len(data), 16):
        x, v, z = y ^ int.from_bytes(data[i : i + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                z ^= v
            v = (v >> 1) ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y


def unseal(key: bytes, sealed: bytes, aad: bytes) -> Optional[bytes]:
    """Opens what was sealed under a person's key; None where the key is another or a byte was altered."""
    head, body, tag = sealed[:45], sealed[45:-16], sealed[-16:]
    if len(sealed) < 61 or head[:1] != b"\x01":
        return None
    if not hmac.compare_digest(head[13:], hmac.new(key, b"ketnap seal v1 commitment\x01", "sha256").digest()):
        return None
    aes, nonce = _Aes(hmac.new(key, b"ketnap seal v1 encryption\x01", "sha256").digest()), head[1:13]
    aad = b"\x01" + aad
    padded = b"".join(part + bytes(-len(part) % 16) for part in (aad, body))
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(body)).to_bytes(8, "big")
    mac = _ghash(int.from_bytes(aes.block(bytes(16)), "big"), padded + lengths)
    mac ^= int.from_bytes(aes.block(nonce + b"\x00\x00\x00\x01"), "big")
    if not hmac.compare_digest(mac.to_bytes(16, "big"), tag):
        return None
    text = bytearray()
    for n, i in enumerate(range(0, len(body), 16), 2):
        stream = aes.block(nonce + n.to_bytes(4, "big"))
        text += bytes(a ^ b for a, b in zip(body[i : i + 16], stream))
    return bytes(text)


# ---- signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint) ----


class Key(NamedTuple):
    """A log's key as it is written: name+hash+base64."""

    name: str
    id: bytes
    public: bytes


class Checkpoint(NamedTuple):
    """How far a trail went and what it held."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: Tuple[Tuple[str, bytes], ...]


def read_key(text: str) -> Key:
    """Reads a verifier key. Raises Altered."""
    parts = text.strip().split("+", 2)
    try:
        material = base64.b64decode(parts[2], validate=True)
    except (IndexError, ValueError):
        raise Altered("khóa công khai không đúng dạng tên+mã+base64") from None
    id_ = hashlib.sha256(parts[0].encode() + b"\n" + material).digest()[:4]
    if id_.hex() != parts[1] or len(material) != 33 or material[:1] != b"\x01":
        raise Altered("khóa công khai bị chép sai")
    return Key(parts[0], id_, material[1:])


def _note(text: str) -> Tuple[str, Tuple[Tuple[str, bytes], ...]]:
    body, _, tail = text.rpartition("\n\n")
    try:
        lines = [line[len(DASH) :].split(" ") for line in tail.splitlines() if line.startswith(DASH)]
        return body + "\n", tuple((name, base64.b64decode(blob, validate=True)) for name, blob in lines)
    except ValueError:
        raise Altered("phần chữ ký không đọc được") from None


def read_checkpoint(text: str) -> Checkpoint:
    """Reads a checkpoint, its signatures not yet verified. Raises Altered."""
    body, signatures = _note(text)
    lines = body.split("\n")
    try:
        root = base64.b64decode(lines[2], validate=True)
        return Checkpoint(lines[0], int(lines[1]), root, body, signatures)
    except (IndexError, ValueError):
        raise Altered("đây không phải là điểm kiểm tra") from None


def _holds(key: Key, text: str, signatures: Sequence[Tuple[str, bytes]]) -> bool:
    blobs = [blob[4:] for name, blob in signatures if name == key.name and blob[:4] == key.id]
    return any(signed_by(key.public, text.encode(), blob) for blob in blobs)


def find_checkpoints(text: str) -> List[str]:
    """Returns the checkpoints in a text: a note as it is, or in a mail that was saved or pasted."""
    lines = [line.strip().lstrip("> ").rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    found = []
    for at in range(len(lines) - 4):
        if not lines[at] or not lines[at + 1].isdigit() or len(lines[at + 2]) != 44:
            continue
        end = at + 3
        while end < len(lines) and lines[end] and not lines[end].startswith(DASH):
            end += 1
        last = end + 1
        while last < len(lines) and lines[last].startswith(DASH):
            last += 1
        if last > end + 1 and not lines[end]:
            found.append("\n".join(lines[at:last]) + "\n")
    return found


def read_mail(data: bytes) -> str:
    """Returns the texts of a file: as they are, or of a mail that was saved (.eml)."""
    text = data.decode("utf-8", "replace")
    if not find_checkpoints(text):
        import email
        import email.policy

        mail = email.message_from_bytes(data, policy=email.policy.default)
        parts = [p for p in mail.walk() if p.get_content_type() == "text/plain"]
        text = "\n".join(str(p.get_content()) for p in parts) or text
    return text


# ---- the readable report: written at the export, and written again here to be compared ----

KINDS = {
    "started": "bắt đầu", "moved": "chuyển bước", "facts_set": "ghi thông tin", "undone": "hoàn tác",
    "voided": "hủy việc lập", "taken_over": "chuyển đơn vị", "refused": "bị từ chối", "denied": "không có quyền",
    "office_changed": "thay đổi cơ quan", "notice": "thông báo", "definition_loaded": "nạp quy trình",
    "key_erased": "hủy khóa", "signing_key": "khóa ký", "checkpoint": "điểm kiểm tra",
    "checkpoint_left": "điểm kiểm tra rời máy", "exported": "xuất dữ liệu", "recorded": "ghi bước đã qua",
    "opened": "mở hồ sơ", "listed": "xem danh sách", "access": "quyền truy cập", "signed_in": "đăng nhập",
    "sign_in_failed": "đăng nhập không được", "held": "giữ dữ liệu", "released": "thôi giữ dữ liệu",
    "backed_up": "sao lưu", "restored": "phục hồi từ bản sao",
}  # fmt: skip
SANDBOX = (
    "Gói này xuất từ BẢN CHẠY THỬ: số liệu để thử, đồng hồ có thể đã được chỉnh, không phải nhật ký của một cơ quan"
)
_STYLE = (
    "body{font:15px/1.45 sans-serif;margin:2em auto;max-width:72em;color:#111}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #bbb;padding:.3em .5em;text-align:left;vertical-align:top}th{background:#eee}"
    "h2{margin-top:2em}code{font-size:.85em;word-break:break-all}"
)


def report_head(manifest: Dict[str, Any]) -> str:
    """Returns the beginning of report.html."""
    e = html.escape
    rows = (
        ("Nhật ký", manifest["origin"]),
        ("Xuất lúc", manifest["at"]),
        ("Đơn vị", manifest["org"] or "tất cả"),
        ("Bắt đầu từ", manifest["from"] or "đầu"),
        ("Cho tới", manifest["to"] or "cuối"),
        ("Bản ghi trong gói / trong nhật ký", "%d / %d" % (manifest["events"], manifest["size"])),
        ("Gốc cây băm", manifest["root"]),
    )
    warning = "<p><strong>%s.</strong></p>" % e(SANDBOX) if manifest.get("sandbox") else ""
    columns = "".join("<tr><th>%s</th><td>%s</td></tr>" % (e(a), e(str(b))) for a, b in rows)
    return (
        '<!doctype html><html lang="vi"><meta charset="utf-8"><title>Nhật ký kiểm tra</title><style>%s</style>'
        "<h1>Nhật ký kiểm tra</h1>%s<table>%s</table><p>Bản này chỉ để đọc. Chứng cứ là events.jsonl và chữ ký; "
        "verify_bundle.py dựng lại bản này từ chứng cứ và so từng chữ.</p><h2>Các bản ghi</h2><table><tr><th>Số</th>"
        "<th>Ghi lúc</th><th>Ngày</th><th>Việc</th><th>Đối tượng</th><th>Người làm</th><th>Nội dung</th></tr>\n"
    ) % (_STYLE, warning, columns)  # fmt: skip


def report_row(seq: int, body: Dict[str, Any], payload: Optional[Dict[str, Any]], names: Dict[str, str]) -> str:
    """Returns the row of an event; `names` gives labels of ids."""

    def named(id_: Any) -> str:
        label = names.get(str(id_))
        return str(id_) if label is None or label == id_ else "%s (%s)" % (label, id_)

    what = KINDS.get(str(body.get("kind")), str(body.get("kind")))
    if body.get("trigger"):
        what += ": " + named(body["trigger"])
    said = []
    if body.get("to"):
        said.append("%s → %s" % (named(body.get("from") or "…"), named(body["to"])))
    for rule in body.get("rules") or ():
        said.append(
            "%s: %s (%s)" % (named(rule[0]), {"pass": "đạt", "fail": "không đạt"}.get(rule[2], "chưa rõ"), rule[3])
        )
    for name, value in sorted((payload or {}).items()):
        facts = sorted(value.items()) if isinstance(value, dict) else [(name, value)]
        said += [
            "%s: %s" % (named(k), v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in facts
        ]
    if payload is None and "sealed" in body:
        said.append("(đã niêm phong)")
    for name in ("what", "why", "state", "size", "way", "verifier", "definition"):
        if body.get(name) is not None:
            said.append("%s: %s" % (name, body[name]))
    who = named(body["actor"]) if body.get("actor") else "đồng hồ hoặc máy (%s)" % body.get("channel")
    if body.get("behalf"):
        who += " thay " + named(body["behalf"])
    about = named(body["subject"]) if body.get("subject") else ""
    if body.get("org"):
        about += " · " + named(body["org"])
    columns = (str(seq), body.get("at", ""), body.get("on") or "", what, about, who)
    return "<tr>%s<td>%s</td></tr>\n" % (
        "".join("<td>%s</td>" % html.escape(str(c)) for c in columns),
        "<br>".join(html.escape(s) for s in said),
    )


REPORT_END = "</table></html>\n"


# ---- the bundle ----


def definition_id(held: Dict[str, Any]) -> str:
    """Returns the hash that is the id of a definition."""

    def sha(text: str) -> bytes:
        return hashlib.sha256(text.encode()).digest()

    digest = hashlib.sha256(sha(held["area_text"]))
    digest.update(sha(held["text"]))
    for name in sorted(held["templates"]):
        digest.update(sha("%s\n%s" % (name, held["templates"][name])))
    if held.get("office_text") is not None:
        digest.update(sha("office\n%s" % held["office_text"]))
    return digest.hexdigest()


class Bundle:
    """A folder that was exported, and what it was found to prove."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Dict[str, Any] = self._json("manifest.json")
        if self.manifest.get("format") != FORMAT:
            raise Altered("gói có phiên bản khác; hãy dùng verify_bundle.py đi cùng gói")
        self.keys: List[Tuple[Key, int, Optional[int]]] = []

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Altered("thiếu tệp %s" % name) from None
        except ValueError:
            raise Altered("tệp %s bị sửa: không đọc được" % name) from None

    def read_keys(self, trusted: Optional[str]) -> None:
        """Follows the log's key from the first to the last; each hands over to the next in a note signed by both."""
        kept = self._json("log-keys.json")
        key, since = read_key(kept["first"]), 0
        if trusted is not None and read_key(trusted) != key:
            raise Altered("khóa ký đầu tiên của nhật ký không phải khóa mà đoàn kiểm tra đã giữ")
        for text in kept["rotations"]:
            body, signatures = _note(text)
            lines = body.split("\n")
            new = read_key(lines[3])
            if read_key(lines[2]) != key or not (_holds(key, body, signatures) and _holds(new, body, signatures)):
                raise Altered("việc thay khóa ký không có đủ hai chữ ký")
            self.keys.append((key, since, int(lines[4])))
            key, since = new, int(lines[4])
        self.keys.append((key, since, None))

    def open(self, text: str, what: str) -> Checkpoint:
        """Returns a checkpoint that a key of this log, in charge at its size, signed."""
        found = read_checkpoint(text)
        if found.origin != self.keys[0][0].name:
            raise Altered("%s là của nhật ký khác (%s)" % (what, found.origin))
        for key, since, until in self.keys:
            in_charge = since <= found.size and (until is None or found.size <= until)
            if in_charge and _holds(key, found.text, found.signatures):
                return found
        raise Altered("%s bị sửa hoặc do khóa khác ký: chữ ký không đúng" % what)

    def events(self) -> Iterator[Dict[str, Any]]:
        """Yields the lines of events.jsonl."""
        with (self.folder / "events.jsonl").open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise Altered("dòng %d của events.jsonl bị sửa: không đọc được" % number) from None


def verify(folder: Path, given: Sequence[Tuple[str, str]], trusted: Optional[str] = None, say: Any = print) -> None:
    """Verifies a bundle, with checkpoints (name, text) that came another way. Raises Altered at the first fault."""
    bundle = Bundle(folder)
    bundle.read_keys(trusted)
    head = bundle.open((folder / "checkpoint.txt").read_text(encoding="utf-8"), "checkpoint.txt")
    say("Điểm kiểm tra của gói: %d bản ghi, chữ ký đúng (%s)." % (head.size, head.origin))
    wanted = [(name, bundle.open(text, name)) for name, text in given]
    for path in sorted((folder / "checkpoints").glob("*.txt")):
        wanted.append((path.name, bundle.open(path.read_text(encoding="utf-8"), path.name)))
    roots: Dict[int, bytes] = {}
    for name, one in [*wanted, ("checkpoint.txt", head)]:
        if roots.setdefault(one.size, one.root) != one.root:
            raise Altered("%s trái với điểm kiểm tra khác cùng %d bản ghi: có hai lịch sử" % (name, one.size))
    for name, one in wanted:
        if one.size > head.size:
            raise Altered(
                "%s có %d bản ghi, gói chỉ có %d: nhật ký bị cắt đuôi hoặc đây là bản cũ" % (name, one.size, head.size)
            )
    count = _events(bundle, head, wanted)
    say("Đã kiểm tra %d bản ghi, %d điểm kiểm tra." % (count, len(wanted) + 1))
    if bundle.manifest.get("sandbox"):
        say("Lưu ý: %s." % SANDBOX)


def _events(bundle: Bundle, head: Checkpoint, wanted: Sequence[Tuple[str, Checkpoint]]) -> int:
    whole, manifest = bool(bundle.manifest["whole"]), bundle.manifest
    if manifest["size"] != head.size or base64.b64decode(manifest["root"]) != head.root:
        raise Altered("manifest.json bị sửa: không khớp điểm kiểm tra")
    persons = {k: base64.b64decode(v) for k, v in bundle._json("person-keys.json").items()}
    names, definitions = bundle._json("names.json"), set()
    by_size: Dict[int, List[Tuple[str, Checkpoint]]] = {}
    for name, one in wanted:
        by_size.setdefault(one.size, []).append((name, one))
    tree, at, count, before = Tree(), "", 0, bytes(32)
    digest = hashlib.sha256(report_head(manifest).encode())
    good = 0
    for line in bundle.events():
        seq, body_bytes = line["seq"], line["body"].encode()
        where = "bản ghi số %s" % seq
        leaf = leaf_hash(body_bytes)
        if leaf.hex() != line["leaf"]:
            raise Altered("%s bị sửa: nội dung không còn khớp giá trị băm" % where)
        if whole:
            if seq != tree.size:
                raise Altered("thiếu bản ghi số %d (tiếp theo là số %s)" % (tree.size, seq))
            before = _sha(before, leaf)
            if before.hex() != line["link"]:
                raise Altered("%s bị thay, hoặc bản ghi trước nó bị bỏ: không nối với bản ghi trước" % where)
            tree.add(leaf)
            for name, one in by_size.get(tree.size, ()):
                if tree.root() != one.root:
                    raise Altered(
                        "từ bản ghi số %d đến %d có bản ghi bị sửa, bỏ hoặc thêm: không khớp %s"
                        % (good, one.size - 1, name)
                    )
            good = tree.size if tree.size in by_size else good
        elif not included(leaf, seq, head.size, head.root, [base64.b64decode(h) for h in line["proof"]]):
            raise Altered("%s bị sửa hoặc bị thêm: không thuộc nhật ký đã ký" % where)
        body = json.loads(body_bytes)
        if json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")) != line["body"]:
            raise Altered("%s không ở dạng chuẩn" % where)
        if body["at"] < at:
            raise Altered("%s ghi lúc sớm hơn bản ghi trước: thời gian đi lùi" % where)
        at, count = body["at"], count + 1
        payload = body.get("payload")
        if "sealed" in body and body["key"] in persons:
            opened = unseal(persons[body["key"]], base64.b64decode(body["sealed"]), body["id"].encode())
            if opened is None:
                raise Altered("%s: khóa của đối tượng %s bị thay, không mở được nội dung" % (where, body["key"]))
            payload = json.loads(opened)
        if body.get("kind") == "signing_key" and body.get("sandbox", manifest.get("sandbox")) != manifest.get(
            "sandbox"
        ):
            raise Altered("manifest.json bị sửa: %s nói khác về bản chạy thử" % where)
        if body.get("definition"):
            definitions.add(body["definition"])
        digest.update(report_row(seq, body, payload, names).encode())
    if count != manifest["events"]:
        raise Altered("gói thiếu bản ghi: có %d, phải là %d" % (count, manifest["events"]))
    if whole and (tree.size != head.size or tree.root() != head.root):
        raise Altered("từ bản ghi số %d trở đi không khớp điểm kiểm tra: có bản ghi bị sửa, bỏ hoặc thêm" % good)
    if not whole:
        _consistency(bundle, head, wanted)
    _definitions(bundle, definitions)
    digest.update(REPORT_END.encode())
    if hashlib.sha256((bundle.folder / "report.html").read_bytes()).digest() != digest.digest():
        raise Altered("report.html bị sửa: không phải những gì các bản ghi nói")
    return count


def _consistency(bundle: Bundle, head: Checkpoint, wanted: Sequence[Tuple[str, Checkpoint]]) -> None:
    proofs = bundle._json("consistency.json")
    for name, one in wanted:
        proof = proofs.get(str(one.size), [] if one.size in (0, head.size) else None)
        if proof is None:
            raise Altered("gói không có chứng minh cho điểm kiểm tra %s (%d bản ghi)" % (name, one.size))
        if not consistent(one.size, one.root, head.size, head.root, [base64.b64decode(h) for h in proof]):
            raise Altered("lịch sử đã bị viết lại: nhật ký không nối tiếp điểm kiểm tra %s" % name)


def _definitions(bundle: Bundle, used: "set[str]") -> None:
    for id_ in sorted(used):
        path = bundle.folder / "definitions" / (id_ + ".json")
        if not path.exists():
            raise Altered("thiếu quy trình %s mà các bản ghi dẫn tới" % id_[:12])
        if definition_id(bundle._json("definitions/" + path.name)) != id_:
            raise Altered("quy trình %s bị sửa: không khớp giá trị băm" % id_[:12])


def main(args: Optional[Sequence[str]] = None) -> int:
    """Runs from the command line; returns 0 for "đúng", 1 where something was altered, 2 for bad usage."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    parser = argparse.ArgumentParser(description="Kiểm tra một gói nhật ký đã xuất.")
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).resolve().parent), help="thư mục của gói")
    parser.add_argument("--checkpoint", action="append", default=[], help="điểm kiểm tra gửi tới qua thư (tệp)")
    parser.add_argument("--key", help="khóa công khai mà đoàn kiểm tra đã giữ")
    given = parser.parse_args(args)
    held: List[Tuple[str, str]] = []
    try:
        for name in given.checkpoint:
            texts = find_checkpoints(read_mail(Path(name).read_bytes()))
            if not texts:
                raise Altered("%s không có điểm kiểm tra nào đọc được" % name)
            held += [(name, text) for text in texts]
        verify(Path(given.folder), held, given.key)
    except OSError as error:
        print("Không đọc được %s: %s" % (error.filename, error.strerror), file=sys.stderr)
        return 2
    except Altered as error:
        print("SAI: %s." % error)
        return 1
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        print("SAI: gói bị sửa, không đọc được (%s: %s)." % (type(error).__name__, error))
        return 1
    if not held:
        print("Lưu ý: chưa so với điểm kiểm tra nào đoàn kiểm tra tự giữ (--checkpoint).")
    print("đúng")
    return 0


if __name__ == "__main__":
    sys.exit(main())
