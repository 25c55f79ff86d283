"""The texts of notices at rest: sealed under the key of the person they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.audit.seal import KeyErased
from engine.store.rows import OutboxRow
from engine.work import Work


def seal(work: Work, key_id: str, text: Mapping[str, str]) -> bytes:
    """Returns a notice's text as it is stored."""
    data = json.dumps(text, ensure_ascii=False, sort_keys=True).encode()
    return work.kit.sealer.seal(work.keys.make(key_id), data, b"notice:" + key_id.encode())


def open_text(work: Work, row: OutboxRow) -> dict[str, str]:
    """Returns the text of a notice; empty once the subject's key is erased."""
    try:
        opened = work.kit.sealer.open(work.keys.get(row.key_id), row.sealed, b"notice:" + row.key_id.encode())
    except KeyErased:
        return {"subject_line": "", "body": ""}
    text = json.loads(opened)
    assert isinstance(text, dict)
    return text
