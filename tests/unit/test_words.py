"""Every text of the program has its Vietnamese."""

from __future__ import annotations

import ast
import string
from functools import cache

import pytest
from babel.messages.pofile import read_po

from engine.core.errors import BadInput
from engine.core.values import WrongType
from tests.unit.templates_found import error_classes, found_templates, placed
from web.words import LOCALE, catalog, error_text, fill, translator

pytestmark = pytest.mark.xdist_group("words")  # one process looks for the texts, once


@cache
def found() -> dict[str, str]:
    """Returns every text of the program with where it stands."""
    return found_templates()


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_walk_finds_the_texts_of_every_part() -> None:
    assert len(found()) > 400
    for known in (
        "there is no subject {subject}",  # raised
        "{fact}: {value} is not {expected}",  # a docstring that is a message
        "there is no name",  # a remark on a list
        "The mail server took the message.",  # an outcome of a channel
        "Nothing leads on from here.",  # said by a command
        "missing: {what}",  # a constant
        "{value} is not a duration",  # in a table
    ):
        assert known in found(), known


def test_every_text_has_its_vietnamese() -> None:
    missing = {text: place for text, place in found().items() if text not in catalog("vi")}
    assert not missing, "add them to web/locale/vi/LC_MESSAGES/"


def test_no_text_has_two_translations() -> None:
    """The files are read as one: a second translation would hide the first wherever that was meant."""
    found: dict[object, set[object]] = {}
    for path in (LOCALE / "vi" / "LC_MESSAGES").glob("*.po"):
        with path.open(encoding="utf-8") as stream:
            for message in read_po(stream):
                found.setdefault(message.id, set()).add(message.string)
    assert {text: said for text, said in found.items() if text and len(said) > 1} == {}


def test_no_translation_has_a_place_that_its_template_has_not() -> None:
    wrong = {text: vi for text, vi in catalog("vi").items() if not _places(vi) <= _places(text)}
    assert not wrong


@pytest.mark.parametrize("text", ["The machine knows {name}.", "at {line}: no"])
def test_a_text_with_places_is_found_wherever_it_stands(text: str) -> None:
    assert list(placed(ast.parse(f"TABLE = {{1: ({text!r},)}}"))) == [(text, 1)]


def test_a_new_class_of_error_is_found_through_its_bases(tmp_path) -> None:
    source = ast.parse('class A(BadInput):\n    """Bad a."""\nclass B(A):\n    """Bad b."""\nclass C:\n    """No."""')
    assert {"A": "Bad a.", "B": "Bad b."}.items() <= error_classes({tmp_path: source}).items()


def test_a_text_in_a_place_is_translated_too() -> None:
    assert error_text(WrongType("n", "x", "a whole number"), "vi") == "n: x không phải là số nguyên"
    assert error_text(WrongType("n", "x", "one of a, b"), "vi") == "n: x không phải là một trong: a, b"
    assert error_text(WrongType("n", "x", "one of a, b"), "en") == "n: x is not one of a, b"


def test_an_error_inside_another_is_told_in_the_same_language() -> None:
    inner = BadInput("there is no subject {subject}", subject="u1")
    outer = BadInput("line {line} ({subject}): {error}", line=2, subject="u1", error=inner.text())
    outer.__cause__ = inner
    assert error_text(outer, "vi") == "dòng 2 (u1): không có hồ sơ mang mã u1"


def test_a_suggestion_behind_another_text_is_translated_with_it() -> None:
    text = fill("unknown key {key}; did you mean {near}?", {"key": "fo", "near": "for"}, translator("vi"))
    assert text == "không có khóa fo; có phải ý là for?"
