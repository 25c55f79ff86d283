"""Where the next page of a list begins, as a text that programs hand back and do not read."""

from __future__ import annotations

import base64
import binascii
import json

from engine.core.errors import BadInput

LONGEST = 600


def cursor(after: str | int | None) -> str | None:
    """Returns the cursor, None at the end."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode().rstrip("=")


def _read(text: str) -> object:
    try:
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise BadInput("{field}: this is no cursor of ours", field="cursor") from None


def after_text(text: str | None) -> str:
    """Returns the id after which a page begins, '' for the first. Raises BadInput."""
    if text is None:
        return ""
    found = _read(text)
    if not isinstance(found, str) or not found.isprintable() or not found.isascii():
        raise BadInput("{field}: this is no cursor of ours", field="cursor")
    return found


def after_number(text: str | None) -> int | None:
    """Returns the number before or after which a page begins, None for the first. Raises BadInput."""
    if text is None:
        return None
    found = _read(text)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 2**62:
        raise BadInput("{field}: this is no cursor of ours", field="cursor")
    return found
