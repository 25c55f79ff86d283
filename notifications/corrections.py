"""The words that take a notice back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from engine.core.timers import Item
from notifications.digest import SMS_LIMIT, SUBJECT_LIMIT, cut


@dataclass(frozen=True, kw_only=True)
class _Words:
    group: str
    subject: str
    body: str
    short: str


_WORDS = {
    "vi": _Words(
        group="Đính chính",
        subject="Đính chính: {line}",
        body="Thông báo “{line}” gửi ngày {sent} không còn đúng, đề nghị bỏ qua.\n\nLý do: {reason}",
        short="Đính chính: thông báo ngày {sent} của phần mềm không còn đúng, đề nghị bỏ qua.",
    ),
    "en": _Words(
        group="Corrections",
        subject="Correction: {line}",
        body="The notice sent on {sent}, “{line}”, does not hold any more; please disregard it.\n\nReason: {reason}",
        short="Correction: the notice of {sent} does not hold any more; please disregard it.",
    ),
}


def write_correction(text: Mapping[str, str], sent: date, reason: str, lang: str) -> tuple[Item, str]:
    """Returns the correction of a notice as an email, its group in `note`, and as a text message.

    A text message names nobody and says nothing of the matter: the reason may.
    """
    words = _WORDS.get(lang, _WORDS["vi"])
    day, line = sent.strftime("%d/%m/%Y"), text.get("subject_line", "")
    item = Item(
        subject_line=cut(words.subject.format(line=line), SUBJECT_LIMIT),
        body=words.body.format(sent=day, line=line, reason=reason),
        note=words.group,
    )
    return item, cut(words.short.format(sent=day), SMS_LIMIT)
