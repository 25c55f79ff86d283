"""Files that a command writes: new ones only, readable by their owner only."""

from __future__ import annotations

import os
from pathlib import Path

from engine.core.errors import BadInput


def write_new(path: Path, content: str | bytes) -> None:
    """Writes a new file of mode 600. Raises BadInput where one stands, or none can be made."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadInput("{file} stands already; name a new file", file=str(path)) from None
    except OSError as error:
        raise BadInput("{file} cannot be written: {why}", file=str(path), why=error.strerror) from None
    with os.fdopen(handle, "wb") as opened:
        opened.write(content.encode() if isinstance(content, str) else content)
