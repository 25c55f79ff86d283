"""The words that tell a head of unit and an administrator that notices do not reach an officer."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.sending import BAD_CONTACT, HAS_LEFT, NO_CONTACT, NOT_DELIVERED
from engine.core.timers import Item
from notifications.digest import SMS_LIMIT, SUBJECT_LIMIT, cut


@dataclass(frozen=True, kw_only=True)
class _Words:
    group: str
    subject: str
    body: str
    mend: str
    reasons: dict[str, str]


_WORDS = {
    "vi": _Words(
        group="Thông báo không đến nơi",
        subject="Thông báo không đến được {name}",
        body="Thông báo của phần mềm không đến được {name} ({unit}): {why}.",
        mend="Đề nghị sửa địa chỉ thư hoặc số máy, hoặc giao người khác thay. Các thông báo này nằm trong danh "
        "sách thông báo, có thể gửi lại từ đó.",
        reasons={
            NO_CONTACT: "chưa có địa chỉ thư và số máy",
            BAD_CONTACT: "địa chỉ thư hoặc số máy bị từ chối",
            HAS_LEFT: "người này đã thôi việc mà chưa có người thay",
            NOT_DELIVERED: "bên kia từ chối hoặc gửi nhiều lần không được",
        },
    ),
    "en": _Words(
        group="Notices that do not arrive",
        subject="Notices do not reach {name}",
        body="Notices do not reach {name} ({unit}): {why}.",
        mend="Please mend the address or the phone number, or give the office to somebody else. These notices stand in "
        "the list of notices and can be sent again from there.",
        reasons={
            NO_CONTACT: "there is neither an address nor a phone number",
            BAD_CONTACT: "the address or phone number was refused",
            HAS_LEFT: "this person has left and nobody holds the office",
            NOT_DELIVERED: "the other side refused, or many attempts failed",
        },
    ),
}


def write_report(name: str, unit: str, why: str, lang: str) -> tuple[Item, str]:
    """Returns the report as an email, its group in `note`, and as a text message. `why` is a sentence of `sending`."""
    words = _WORDS.get(lang, _WORDS["vi"])
    reason = words.reasons.get(why, words.reasons[NOT_DELIVERED])
    subject = cut(words.subject.format(name=name), SUBJECT_LIMIT)
    body = words.body.format(name=name, unit=unit, why=reason)
    item = Item(subject_line=subject, body=f"{body}\n\n{words.mend}", note=words.group)
    return item, cut(f"{subject}: {reason}.", SMS_LIMIT)
