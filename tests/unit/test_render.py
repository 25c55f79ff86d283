"""Notice templates: the shipped ones say what they must, hostile ones do no harm, digests are in order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from engine.core.machine import Definition
from engine.core.timers import Item
from engine.core.values import Type
from engine.library import compile_all, shipped_sources
from notifications import grammar
from notifications.digest import IN_FULL, SMS_LIMIT, SUBJECT_LIMIT, DigestItem, cut, digest, digest_sms, html
from notifications.phrases import Phrases
from notifications.render import LANGUAGES, OUTPUT_LIMIT, RenderError, Templates, allowed_names
from notifications.segments import count, fold

SOURCES = shipped_sources()
DEFINITIONS = compile_all(SOURCES)
SHIPPED = Templates(SOURCES[0].templates)
RULES = [(d, t.spec.template or t.rule) for d in DEFINITIONS.values() for t in d.notices]
CASES = [pytest.param(d, name, lang, id=f"{name}.{lang}") for d, name in RULES for lang in LANGUAGES]
DATED = [
    pytest.param(d, name, lang, id=f"{name}.{lang}")
    for d, name in RULES
    for lang in LANGUAGES
    if d.file.notices[name].due is not None
]
TODAY = date(2026, 1, 21)
DUE = date(2026, 1, 24)
UNIT, PERSON, REASON = "Chi bộ thôn Bãi Dâu", "Nguyễn Thị Thu Hằng", "Chưa đủ điều kiện"
SOURCE = "Chỉ thị 15-CT/TU, điểm 1.3"
WORDS: dict[str, object] = {
    "rule_label": "Nhắc việc",
    "workflow_title": "Quy trình",
    "state_label": "Đang chờ",
    "unit": UNIT,
    "above": "Đảng ủy xã Phú Khê",
    "person": PERSON,
    "subject_id": "s-1",
    "due": DUE,
    "days_left": 3,
    "working_days_left": 3,
    "waiting_days": 5,
    "today": TODAY,
    "planned_on": TODAY,
    "source": SOURCE,
    "reason": REASON,
    "late": False,
    "link": "https://ketnap.example/subjects/s-1",
    "recipient": "Trần Văn Đạt",
    "here": "Đảng ủy xã Bãi Dâu",
    "people": "Lê Thị Ánh; Hồ Văn Bé",
    "people_count": 2,
}
BY_TYPE: dict[str, object] = {
    "text": "Một đoạn chữ",
    "int": 2026,
    "decimal": Decimal("1.5"),
    "bool": True,
    "date": DUE,
    "datetime": datetime(2026, 1, 20, 3, 0, tzinfo=UTC),
    "choice": "Nhãn",
    "org": "o-1",
    "subject": "s-2",
}


def value_of(type_: Type) -> object:
    if type_.of is not None:
        return {key: value_of(type_.of) for key in type_.keys or ("k",)}
    return BY_TYPE[type_.name]


def full_context(definition: Definition) -> dict[str, object]:
    open_facts = {n: t for n, t in definition.types.items() if not definition.file.facts[n].sensitive}
    return {**{n: value_of(t) for n, t in open_facts.items()}, **WORDS}


def one(text: str, *facts: str) -> tuple[Templates, dict[str, frozenset[str]]]:
    """A folder with one rule `r`, its template the same in both languages."""
    return Templates({"r.vi": text, "r.en": text}), {"r": frozenset(facts)}


def body(text: str, **context: object) -> str:
    return Templates({"r.vi": f"Việc\n\n{text}"}).render("r", "vi", context).body


# ---- the shipped templates


def test_every_rule_has_a_template_in_both_languages_and_nothing_is_wrong_with_any() -> None:
    assert SHIPPED.check(allowed_names(DEFINITIONS.values())) == []
    assert SHIPPED.names() == {f"{name}.{lang}" for _, name in RULES for lang in LANGUAGES}


@pytest.mark.parametrize(("definition", "name", "lang"), CASES)
def test_a_notice_names_unit_day_and_work_when_all_is_known(definition: Definition, name: str, lang: str) -> None:
    item = SHIPPED.render(name, lang, full_context(definition))
    assert UNIT in item.subject_line
    assert Phrases.of(lang).unknown not in item.subject_line + item.body
    assert ("Việc cần làm:" if lang == "vi" else "To do:") in item.body
    assert "https://ketnap.example/subjects/s-1" in item.body
    assert SOURCE in item.body
    assert "24/01/2026" in item.body or definition.file.notices[name].due is None
    assert "{" not in item.subject_line + item.body
    assert unicodedata.is_normalized("NFC", item.subject_line + item.body)


@pytest.mark.parametrize(("definition", "name", "lang"), CASES)
def test_a_notice_is_readable_when_nothing_is_known(definition: Definition, name: str, lang: str) -> None:
    for context in ({}, dict.fromkeys(full_context(definition))):
        item = SHIPPED.render(name, lang, context)
        assert item.subject_line
        assert Phrases.of(lang).unknown in item.subject_line
        assert "None" not in item.body
        assert "\n\n\n" not in item.body
        assert SHIPPED.sms(name, lang, context)


@pytest.mark.parametrize(("definition", "name", "lang"), DATED)
def test_a_notice_says_how_many_days_are_left_or_past(definition: Definition, name: str, lang: str) -> None:
    context = full_context(definition)
    texts = [SHIPPED.render(name, lang, {**context, "days_left": n}).body for n in (17, 0, -17)]
    assert len(set(texts)) == 3
    assert "17" in texts[0]
    assert "17" in texts[2]
    assert "-17" not in texts[2]


@pytest.mark.parametrize(("definition", "name", "lang"), CASES)
@pytest.mark.parametrize("late", [False, True])
def test_a_text_message_is_two_segments_at_most_even_with_long_names(
    definition: Definition, name: str, lang: str, late: bool
) -> None:
    long = "Nguyễn Đặng Thị Thu Hường 𝔸" * 9
    texts = {n: long for n, v in full_context(definition).items() if isinstance(v, str)}
    text = SHIPPED.sms(name, lang, {**full_context(definition), **texts, "late": late, "days_left": -1234})
    assert count(text, "ucs2") <= 2
    assert count(fold(text), "gsm7") <= 2
    assert not text.endswith("…"), "nothing but the names was cut"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_message_never_joins_a_name_with_a_refusal_or_a_vote(lang: str) -> None:
    for name in ("refused", "probation_stuck"):
        definition = next(d for d, n in RULES if n == name)
        text = SHIPPED.sms(name, lang, full_context(definition))
        assert PERSON not in text
        assert REASON not in text


def test_the_reason_of_a_refusal_stays_on_the_page_when_there_is_one() -> None:
    """An email carries the least that lets the officer act, and a link."""
    definition = next(d for d, n in RULES if n == "refused")
    context = full_context(definition)
    assert REASON not in SHIPPED.render("refused", "vi", context).body
    assert REASON in SHIPPED.render("refused", "vi", {**context, "link": ""}).body


def test_sensitive_facts_may_not_be_named() -> None:
    sensitive = [(name, fact) for d, name in RULES for fact, spec in d.file.facts.items() if spec.sensitive]
    assert sensitive
    allowed = allowed_names(DEFINITIONS.values())
    for name, fact in sensitive:
        texts = {f"{name}.{lang}": f"Việc\n\n{{{{ {fact} }}}}" for lang in LANGUAGES}
        faults = Templates(texts).check({name: allowed[name]})
        assert [f.params for f in faults] == [{"name": fact}] * 2


# ---- values


def test_a_late_notice_says_when_it_should_have_gone_out() -> None:
    templates = Templates({"r.vi": "Việc\n\nNội dung", "r.en": "Task\n\nText"})
    context = {"late": True, "planned_on": date(2026, 1, 16)}
    assert templates.render("r", "vi", context).body == "Nội dung\n\n(Thông báo này lẽ ra gửi ngày 16/01/2026.)"
    assert templates.render("r", "en", context).body.endswith("(This notice should have been sent on 16/01/2026.)")
    assert templates.sms("r", "vi", context) == "(Gửi chậm) Việc"


def test_a_notice_in_time_says_nothing_of_when_it_was_planned() -> None:
    assert body("Nội dung", late=False, planned_on=TODAY) == "Nội dung"


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("{{ x }}", date(2024, 2, 29), "29/02/2024"),
        ("{{ x|day }}", datetime(2024, 2, 29, 23, 59, tzinfo=UTC), "29/02/2024"),
        ("{{ x }}", datetime(2024, 2, 29, 7, 5, tzinfo=UTC), "07:05 29/02/2024"),
        ("{{ x|month }}", date(2024, 2, 29), "02/2024"),
        ("{{ x|month }}", None, "chưa rõ"),
        ("{{ x }}", True, "có"),
        ("{{ x|label }}", False, "không"),
        ("{{ x }}", Decimal("10.50"), "10.50"),
        ("{{ x }}", 0, "0"),
        ("{{ x }}", None, "chưa rõ"),
        ("{{ x|label }}", {"a": date(2024, 2, 29), "b": None}, "a: 29/02/2024; b: chưa rõ"),
        ("{{ x|at('a')|day }}", {"a": date(2024, 2, 29)}, "29/02/2024"),
        ("{{ x|at('items') }}", {"a": 1}, "chưa rõ"),
        ("{{ x|at('a') }}", "abc", "chưa rõ"),
        ("{{ x|short(9) }}", "Chi bộ thôn Bãi Dâu", "Chi bộ t…"),
        ("{{ x|short }}", None, "chưa rõ"),
        ("{{ x|abs }}", -3, "3"),
        ("{{ -x }}", -3, "3"),
        ("{{ x|capital }}", "đồng", "Đồng"),
        ("{{ x + 1 }}", None, "chưa rõ"),
        ("{{ 'a' if x > 3 else 'b' }}", None, "b"),
        ("{{ 'a' if x < 3 else 'b' }}", None, "b"),
        ("{{ 'a' if x is known else 'b' }}", None, "b"),
        ("{{ 'a' if x is known else 'b' }}", 0, "a"),
        ("{{ x }}", "<b>&</b>", "<b>&</b>"),
        ("{{ x }}", "{{ 7 * 7 }} {% raw %}", "{{ 7 * 7 }} {% raw %}"),
    ],
)
def test_values_are_shown_as_people_read_them(text: str, value: object, shown: str) -> None:
    assert body(text, x=value) == shown


def test_vietnamese_letters_come_out_as_they_went_in_whatever_form_the_file_has() -> None:
    text = "Đặng Thị Hường, Nguyễn Quốc Toản, ổ ỗ ợ ữ ỹ Đ đ “”"
    apart = unicodedata.normalize("NFD", text)
    item = Templates({"r.vi": f"{apart}\r\n\r\n{apart} {{{{ x }}}}\r\n"}).render("r", "vi", {"x": text})
    assert item.subject_line.encode() == text.encode()
    assert item.body.encode() == f"{text} {text}".encode()


def test_no_value_can_move_the_borders_of_the_parts() -> None:
    templates = Templates({"r.vi": "{{ x }}\n\n{{ x }}\n--- sms\nNgắn {{ x }}"})
    context = {"x": "a\n\nb\n--- sms\nc\x00\r\x1b"}
    item = templates.render("r", "vi", context)
    assert item.subject_line == "a b --- sms c"
    assert item.body == "a\n\nb\n--- sms\nc"
    assert templates.sms("r", "vi", context) == "Ngắn a b --- sms c"


def test_a_template_without_a_text_message_sends_its_subject_line() -> None:
    assert Templates({"r.vi": "Việc {{ x }}\n\nNội dung"}).sms("r", "vi", {"x": 1}) == "Việc 1"


# ---- what is refused

HOSTILE = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ x.__class__.__mro__ }}",
    "{{ x['a'] }}",
    "{{ x|attr('__class__') }}",
    "{{ ''|attr('format')('{0.__class__}') }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '%s' % x }}",
    "{{ self }}{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ range(10**9)|list }}",
    "{% for i in range(999999999) %}x{% endfor %}",
    "{% for c in x %}{{ c }}{% endfor %}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 10 // 0 }}",
    "{% set y = x ~ x %}{% set y = y ~ y %}{{ y }}",
    "{{ x ~ x }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ x[1:2] }}",
    "{{ x|center(1000000000) }}",
    "{{ x|replace('a', x) }}",
    "{{ x|map('upper')|list }}",
    "{{ x|short(*y) }}",
    "{{ x|short(limit=9) }}",
    "{{ x|short(x) }}",
    "{% filter short %}a{% endfilter %}",
    "{{ x is divisibleby(3) }}",
    "{{ x is defined }}",
    "{{ 'a' in x }}",
    "{% include 'other.vi' %}",
    "{% import 'other.vi' as o %}",
    "{% from 'other.vi' import o %}",
    "{% extends 'other.vi' %}",
    "{% block b %}{% endblock %}",
    "{% macro m() %}{% endmacro %}",
    "{% call x() %}{% endcall %}",
    "{% with y = 1 %}{{ y }}{% endwith %}",
    "{% autoescape true %}{{ x }}{% endautoescape %}",
    "{% do x %}",
    "{% debug %}",
    "{{ x ",
    "{% if x %}",
    "{% nothing %}",
]
BOMBS = [
    "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}",
    "{{ " + "-" * 3000 + "1 }}",
    "{{ " + "9" * 6000 + " }}",
    "{{ " + "+".join(["x"] * 3000) + " }}",
    "{% if x %}" * 500 + "{% endif %}" * 500,
    "x" * 20_000,
]


def render_all(whole: str) -> None:
    templates = Templates({"r.vi": whole})
    templates.render("r", "vi", {"x": "a", "y": "b"})
    templates.sms("r", "vi", {"x": "a", "y": "b"})


@pytest.mark.parametrize("text", HOSTILE, ids=[t[:40] for t in HOSTILE])
def test_a_hostile_template_is_refused_by_the_check_with_its_line(text: str) -> None:
    templates, allowed = one(f"Việc\n\nDòng ba\n{text}", "x", "y")
    faults = [f for f in templates.check(allowed) if f.template == "r.vi"]
    assert faults
    assert all(f.message.format_map(f.params) for f in faults)
    assert {f.line for f in faults} == {4}


@pytest.mark.parametrize("text", BOMBS, ids=[t[:20] for t in BOMBS])
def test_a_bomb_is_refused_by_the_check_before_anything_of_it_runs(text: str) -> None:
    templates, allowed = one(f"Việc\n\n{text}", "x")
    faults = [f for f in templates.check(allowed) if f.template == "r.vi"]
    assert {f.line for f in faults} == {3}


@pytest.mark.parametrize("text", HOSTILE + BOMBS, ids=[t[:40] for t in HOSTILE + BOMBS])
def test_a_hostile_template_does_nothing_when_it_is_rendered_unchecked(text: str) -> None:
    for whole in (f"Việc\n\n{text}", f"{text}\n\nNội dung", f"Việc\n\nNội dung\n--- sms\n{text}"):
        with pytest.raises(RenderError):
            render_all(whole)


def test_an_error_names_the_template_and_its_line() -> None:
    templates = Templates({"r.vi": "Việc\n\nDòng ba\n\n{{ x - 1 }}"})
    with pytest.raises(RenderError) as caught:
        templates.render("r", "vi", {"x": "chữ"})
    assert (caught.value.template, caught.value.line) == ("r.vi", 5)
    assert "r.vi" in caught.value.text()


def test_an_error_in_the_text_message_names_the_line_of_the_file() -> None:
    templates = Templates({"r.vi": "Việc\n\nNội dung\n--- sms\nNgắn\n{{ x < 1 }}"})
    with pytest.raises(RenderError) as caught:
        templates.sms("r", "vi", {"x": "chữ"})
    assert caught.value.line == 6


def test_a_template_that_is_not_there_is_an_error_of_its_own() -> None:
    with pytest.raises(RenderError, match="no such"):
        Templates({}).render("r", "vi", {})


def test_the_output_is_bounded() -> None:
    with pytest.raises(RenderError, match="too long"):
        body("{{ x }}" * 100, x="a" * 2000)
    assert len(body("{{ x }}", x="a" * 100_000)) <= OUTPUT_LIMIT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Việc {{ y }}\n\nNội dung", "neither a fact"),
        ("Việc\n\n{% if y %}a{% endif %}", "neither a fact"),
        ("Việc\nNội dung", "empty"),
        ("Việc", "a subject line, an empty line and a body"),
        ("\n\nNội dung", "a subject line, an empty line and a body"),
        ("Việc\n\n", "a subject line, an empty line and a body"),
        ("--- sms\nNgắn", "a subject line, an empty line and a body"),
        ("Việc\n\nNội dung\n--- sms\n", "the text message is empty"),
        ("Việc\n\nNội dung\n--- sms\n{{ reason|short(9) }}", "may not carry the reason"),
        ("Việc\n\nNội dung\n--- sms\n{{ unit }}", "can be any number of letters"),
        ("Việc\n\nNội dung\n--- sms\n{{ x|label }}", "can be any number of letters"),
        ("Việc\n\nNội dung\n--- sms\n" + "a" * 125, "can be 125 letters"),
        ("Việc\n\nNội dung\n--- sms\n{{ unit|short(90) }} {{ person|short }}", "can be 131 letters"),
        ("Việc\n\nNội dung\n--- sms\n{% if late %}{{ unit|short(90) }}{{ x|short(90) }}{% endif %}", "can be 180"),
        ("Việc\n\n{{ days_left + unit }}", "the template fails"),
        ("Việc\n\n{% if due < 3 %}a{% endif %}", "the template fails"),
    ],
)
def test_the_check_finds_what_would_go_wrong_later(text: str, message: str) -> None:
    templates, allowed = one(text, "x")
    faults = [f.message.format_map(f.params) for f in templates.check(allowed) if f.template == "r.vi"]
    assert len(faults) == 1
    assert message in faults[0]


def test_the_check_finds_templates_that_are_missing_unused_or_misnamed() -> None:
    faults = Templates({"a.vi": "Việc\n\nb", "z.en": "Task\n\nb", "a.fr": "Tâche\n\nb"}).check({"a": frozenset()})
    assert [(f.template, f.line) for f in faults] == [("a.en", 1), ("a.fr", 1), ("z.en", 1)]
    assert len({f.message for f in faults}) == 3


def test_a_clean_template_passes_the_check() -> None:
    text = (
        "Việc {{ unit }}\n\n{% if days_left < 0 %}quá {{ days_left|abs }}{% elif x is known and not late %}"
        "{{ x|day }}{% else %}{{ 'a' if due == today else 'b' }}{% endif %}\n"
        "--- sms\n{{ unit|short(30) }} {{ due|day }}"
    )
    templates, allowed = one(text, "x")
    assert templates.check(allowed) == []


@given(unit=st.text(max_size=200), person=st.text(max_size=200), days=st.integers(-99_999, 99_999), late=st.booleans())
def test_no_text_message_is_longer_than_the_check_reckons(unit: str, person: str, days: int, late: bool) -> None:
    text = (
        "{{ unit|short(20) }}{% if days_left < 0 %}{{ person|short(9) }} 𝔸{% else %}{{ -days_left }}{% endif %}"
        "{{ x }}{{ due if late else person|short }}"
    )
    context: Mapping[str, object] = {
        "unit": unit,
        "person": person,
        "days_left": days,
        "due": DUE,
        "late": late,
        "x": None,
    }
    shown = Templates({"r.vi": f"V\n\n{text}"}).render("r", "vi", {**context, "late": None}).body
    tree, _ = grammar.parse(Environment(), "r.vi", text.replace("{{ x }}", "{{ x|short(1) }}"))
    assert tree is not None
    assert len(shown.encode("utf-16-le")) // 2 <= grammar.longest(tree, len("chưa rõ"))


@given(st.text(max_size=300), st.integers(1, 140))
def test_cutting_never_leaves_more_than_the_limit_nor_half_a_letter(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short.encode("utf-16-le", "surrogatepass")) // 2 <= limit
    assert short == text or short.endswith("…")
    assert text.startswith(short.removesuffix("…"))


# ---- the digest


def matter(subject: str, **more: Any) -> DigestItem:
    given_: dict[str, Any] = {
        "subject_line": subject, "body": f"Nội dung {subject}.", "group": "Kế hoạch", "due": None, "waiting_days": 0,
        "late": False, "urgent": False,
    }  # fmt: skip
    return DigestItem(**given_ | more)


def place(text: str, *parts: str) -> list[int]:
    return [text.index(part) for part in parts]


def test_one_notice_alone_keeps_its_own_words() -> None:
    assert digest([matter("A", due=DUE)], recipient="Lan", today=TODAY, lang="vi") == Item(
        subject_line="A", body="Nội dung A."
    )


def test_nothing_makes_no_message() -> None:
    with pytest.raises(ValueError, match="needs a notice"):
        digest([], recipient="Lan", today=TODAY, lang="vi")


def test_a_digest_is_grouped_by_matter_the_most_urgent_first() -> None:
    items = [
        matter("không hạn"),
        matter("còn lâu", due=date(2026, 3, 1), group="Hồ sơ"),
        matter("sắp đến", due=date(2026, 1, 22)),
        matter("quá hạn", due=date(2026, 1, 2), group="Hồ sơ", waiting_days=19),
        matter("khẩn", group="Khẩn", urgent=True),
        matter("hôm nay", due=TODAY),
    ]
    written = digest(items, recipient="Nguyễn Thị Lan", today=TODAY, lang="vi")
    assert written.subject_line == "6 việc cần làm: Khẩn, Hồ sơ, Kế hoạch"
    order = ["KHẨN (1)", "1. khẩn", "HỒ SƠ (2)", "2. quá hạn", "3. còn lâu", "KẾ HOẠCH (3)", "4. hôm nay", "5. sắp đến"]
    at = place(written.body, *order, "6. không hạn")
    assert at == sorted(at)
    assert written.body.startswith("Kính gửi: Nguyễn Thị Lan\n\nNgày 21/01/2026 có 6 việc cần làm, 1 quá hạn.")
    assert "   Hạn 02/01/2026, quá hạn 19 ngày, đã chờ 19 ngày.\n   Nội dung quá hạn." in written.body
    assert "   Hạn 21/01/2026, hôm nay là ngày cuối.\n" in written.body
    assert "   Hạn 22/01/2026, còn 1 ngày.\n" in written.body


def test_of_equal_dates_what_waits_longest_comes_first() -> None:
    items = [matter("mới", due=DUE, waiting_days=1), matter("cũ", due=DUE, waiting_days=40)]
    written = digest(items, recipient="Lan", today=TODAY, lang="vi")
    assert place(written.body, "cũ", "mới") == sorted(place(written.body, "cũ", "mới"))


@given(st.permutations([matter(str(n), due=date(2026, 1, n)) for n in range(1, 9)]))
def test_a_digest_does_not_depend_on_the_order_in_which_notices_come(items: list[DigestItem]) -> None:
    assert digest(items, recipient="Lan", today=TODAY, lang="en") == digest(
        sorted(items, key=lambda i: i.subject_line), recipient="Lan", today=TODAY, lang="en"
    )


def test_a_digest_of_very_many_names_each_and_gives_the_first_in_full() -> None:
    items = [matter(f"việc {n:03}.", due=DUE, group=f"Nhóm {n % 40:02}") for n in range(IN_FULL * 2)]
    written = digest(items, recipient="Lan", today=TODAY, lang="vi")
    assert all(f". việc {n:03}.\n" in written.body + "\n" for n in range(IN_FULL * 2))
    assert written.body.count("Nội dung") == IN_FULL
    assert len(written.subject_line) <= SUBJECT_LIMIT


def test_several_text_messages_become_one_of_two_segments_that_counts_the_rest() -> None:
    items = [
        matter(str(n), due=date(2026, 1, 20 + n), body="Đơn vị chưa nộp kế hoạch " * 2 + f"số {n}") for n in range(1, 6)
    ]
    text = digest_sms(items, lang="vi")
    assert text == "\n".join(" ".join(i.body.split()) for i in items[:2]) + "\n(và 3 việc khác)"
    assert count(text, "ucs2") <= 2
    long = digest_sms([matter("a", body="ư" * 134), matter("b", body="ơ" * 134)], lang="vi")
    assert long.startswith("ư" * 50)
    assert long.endswith("…\n(và 1 việc khác)")
    assert count(long, "ucs2") <= 2
    assert digest_sms([matter("a", body="Một")], lang="vi") == "Một"
    assert len(digest_sms([matter("a", body="ư" * 999)], lang="vi")) == SMS_LIMIT


# ---- HTML


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(item: Item) -> Tags:
    tags = Tags()
    tags.feed(html(item))
    return tags


def test_html_has_clickable_links_and_loads_nothing() -> None:
    tags = parsed(Item(subject_line="Việc", body="Xem tại: https://a.example/s?x=1&y=2.\n\nHết", note="Ghi chú"))
    assert [a["href"] for t, a in tags.found if t == "a"] == ["https://a.example/s?x=1&y=2"]
    assert {t for t, _ in tags.found} == {"html", "head", "meta", "title", "body", "h1", "p", "a"}
    assert "Ghi chú" in tags.text


@given(st.text(alphabet=st.sampled_from("<>\"'&=/ \nabchttps:javascript.()"), max_size=60), st.text(max_size=60))
def test_nothing_in_a_notice_becomes_markup(body_text: str, subject: str) -> None:
    tags = parsed(Item(subject_line=subject, body=f"{body_text} <script>alert(1)</script><img src=x onerror=y>"))
    assert {t for t, _ in tags.found} <= {"html", "head", "meta", "title", "body", "h1", "p", "a", "br"}
    assert {k for t, a in tags.found for k in a} <= {"lang", "charset", "style", "href"}
    assert all(str(a["href"]).startswith(("http://", "https://")) for t, a in tags.found if t == "a")
    assert "<script>alert(1)</script>" in tags.text


# ---- the reference page

PAGE = (Path(__file__).parents[2] / "docs/reference/notice-templates.md").read_text(encoding="utf-8")


def test_the_reference_names_every_word_filter_and_limit() -> None:
    first_cells = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z_]+)(?:\([^)]*\))?`", first_cells)) == grammar.WORDS | grammar.FILTERS
    assert f"{grammar.TEXT_LIMIT:,} letters and is at most {grammar.DEPTH_LIMIT} levels" in PAGE
    limits = [SMS_LIMIT - len(Phrases.of(lang).late_short) for lang in LANGUAGES]
    assert f"less the mark of a late notice: {limits[0]} in Vietnamese, {limits[1]} in" in " ".join(PAGE.split())


def test_the_example_of_the_reference_passes_the_check() -> None:
    found = re.search(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    templates, allowed = one(found[1], "year")
    assert templates.check(allowed) == []
    item = templates.render("r", "vi", {**WORDS, "year": 2026})
    assert item.body.startswith(
        "Chi bộ thôn Bãi Dâu chưa nộp kế hoạch năm 2026. Hạn: hết ngày 24/01/2026 (còn 3 ngày)."
    )
