"""Messages for the channels' tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from notifications.channels.letter import Sender
from notifications.channels.port import Message

SENDER = Sender(address="nhac-viec@ketnap.test", name="Văn phòng Phường Đông", domain="ketnap.test")
NOON = datetime(2026, 1, 20, 5, 0, tzinfo=UTC)
SUBJECT = "Nhắc nộp kế hoạch năm: còn 3 ngày làm việc (hạn 24/01), đề nghị đồng chí kiểm tra lại"
TEXT = "Đồng chí Nguyễn Thị Hường,\n\nKế hoạch năm đến hạn ngày 24/01.\n.\n.. dòng bắt đầu bằng dấu chấm\n"
HTML = "<p>Đồng chí <b>Nguyễn Thị Hường</b>, kế hoạch năm đến hạn ngày 24/01.</p>\n"


def a_message(**changed: Any) -> Message:
    """Returns a message to an address, with what the test changes."""
    given: dict[str, Any] = {
        "id": "01jhz3-plan.reminder_7",
        "to": "huong@dong.test",
        "to_name": "Nguyễn Thị Hường",
        "subject": SUBJECT,
        "text": TEXT,
        "html": HTML,
        "created_at": NOON,
    }
    return Message(**(given | changed))


def an_sms(**changed: Any) -> Message:
    """Returns a message to a number."""
    return a_message(
        **({"to": "+84912345678", "text": "Nhắc đồng chí: kế hoạch năm đến hạn 24/01.", "html": None} | changed)
    )
