"""The few words that the program itself adds to a notice, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """Words of one language; those with places are filled with `str.format`."""

    unknown: str
    yes: str
    no: str
    late: str  # {day}: when the notice should have gone out
    late_short: str  # before a text message
    to: str
    tasks: str  # {n}
    tasks_today: str  # {n}, {day}
    of_them_overdue: str  # {n}
    due: str  # {day}
    overdue_days: str  # {n}
    last_day_today: str
    days_left: str  # {n}
    waiting: str  # {n}
    more: str  # {n}

    @classmethod
    def of(cls, lang: str) -> Phrases:
        """Returns the words of `lang`, `vi` or `en`."""
        return _ENGLISH if lang == "en" else _VIETNAMESE


_VIETNAMESE = Phrases(
    unknown="chưa rõ",
    yes="có",
    no="không",
    late="(Thông báo này lẽ ra gửi ngày {day}.)",
    late_short="(Gửi chậm) ",
    to="Kính gửi: {name}",
    tasks="{n} việc cần làm",
    tasks_today="Ngày {day} có {n} việc cần làm",
    of_them_overdue="{n} quá hạn",
    due="Hạn {day}",
    overdue_days="quá hạn {n} ngày",
    last_day_today="hôm nay là ngày cuối",
    days_left="còn {n} ngày",
    waiting="đã chờ {n} ngày",
    more="và {n} việc khác",
)
_ENGLISH = Phrases(
    unknown="not known",
    yes="yes",
    no="no",
    late="(This notice should have been sent on {day}.)",
    late_short="(Sent late) ",
    to="To: {name}",
    tasks="{n} things to do",
    tasks_today="On {day} there are {n} things to do",
    of_them_overdue="{n} overdue",
    due="Due {day}",
    overdue_days="overdue, days: {n}",
    last_day_today="today is the last day",
    days_left="days left: {n}",
    waiting="waiting, days: {n}",
    more="and {n} more",
)
