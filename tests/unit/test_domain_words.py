"""The engine and the notices know no word of any subject area: areas are data.

The words are taken from the shipped area itself, so that what is added there is forbidden here at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
AREA = ROOT / "workflows" / "admission"
SECTIONS = {
    "authorities", "facts", "groups", "kinds", "lists", "marks", "notices", "organisations", "roles", "rules", "states",
    "transitions",
}  # fmt: skip
TEXT_FILES = {".py", ".pyi", ".html", ".j2", ".jinja", ".json", ".txt", ".sql", ".po", ".toml", ".yaml", ".mako", ".md"}

# What the area's labels are made of; a label as a whole would not catch these in a sentence.
ROOTS = ("đảng", "đảng viên", "chi bộ", "đảng ủy", "kết nạp", "quần chúng", "thị ủy", "bí thư", "đoàn thanh niên")

Words = tuple[str, ...]


def runs_of(text: str) -> list[Words]:
    """Splits text and identifiers into runs of lower-case words, ended by what is no letter, digit, blank, `_` or `-`.

    `heldOn`, `held_on` and `held-on` are the same run of two words; the two arguments `held, on` are two runs.
    """
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFC", text))
    runs = (tuple(re.findall(r"[^\W_]+", part.lower())) for part in re.split(r"[^\w\s-]+", text))
    return [run for run in runs if run]


def ordinary_words() -> list[str]:
    """Reads the reviewed list; `#` begins a comment."""
    lines = (Path(__file__).parent / "ordinary_words.txt").read_text(encoding="utf-8").splitlines()
    return [text for line in lines if (text := line.partition("#")[0].strip())]


def ids_in(node: object) -> Iterator[str]:
    """Gives the keys of every section that declares ids, wherever it stands, and of the lists inside `lists`."""
    if isinstance(node, list):
        for item in node:
            yield from ids_in(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key not in SECTIONS or not isinstance(value, dict):
            yield from ids_in(value)
            continue
        for name, entry in value.items():  # a name that is also a section's, as the fact `marks`, opens no section
            yield str(name)
            if key == "lists" and isinstance(entry, dict):
                yield from map(str, entry)
            yield from ids_in(entry)


def terms_in(node: object) -> Iterator[str]:
    """Gives the Vietnamese text of every label and title."""
    if isinstance(node, list):
        for item in node:
            yield from terms_in(item)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("label", "title") and isinstance(value, dict) and isinstance(value.get("vi"), str):
            yield value["vi"]
        yield from terms_in(value)


def area_words() -> dict[Words, str]:
    """Returns every word, or run of words, that belongs to the area, and the text it was taken from."""
    found = {run: root for root in ROOTS for run in runs_of(root)}
    for path in sorted(p for p in AREA.glob("*.yaml") if p.name != "pages.yaml"):  # it declares nothing, it only names
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        workflow = document.get("workflow") if isinstance(document, dict) else None
        for name in (*ids_in(document), *([workflow] if isinstance(workflow, str) else [])):
            found |= dict.fromkeys(runs_of(name), name)
        for label in terms_in(document):
            runs = runs_of(label)  # of a long label each part counts, but a part of one word is too common
            found |= {run: label for run in runs if len(run) > 1 or len(runs) == 1}
    return found


def places(text: str, forbidden: dict[Words, str]) -> list[str]:
    """Returns `line N: word` for each forbidden run of words; a run does not cross a line."""
    by_first: dict[str, list[Words]] = {}
    for run in forbidden:
        by_first.setdefault(run[0], []).append(run)
    return [
        f"line {number}: {forbidden[run]}"
        for number, line in enumerate(text.splitlines(), 1)
        for words in runs_of(line)
        for at, word in enumerate(words)
        for run in by_first.get(word, ())
        if words[at : at + len(run)] == run
    ]


SOURCES = sorted(
    path
    for package in ("engine", "notifications")
    for path in (ROOT / package).rglob("*")
    if path.suffix in TEXT_FILES and "__pycache__" not in path.parts
)
ORDINARY = {run for word in ordinary_words() for run in runs_of(word)}
FORBIDDEN = {run: text for run, text in area_words().items() if run not in ORDINARY}

# One file, run by itself on another machine, speaks Vietnamese to the inspector: labels like "kiểm tra" (to check) are
# words of the language there. The area's ids and the roots of its labels are forbidden in it as everywhere.
SPEAKS = ROOT / "engine" / "audit" / "verify_bundle.py"
IDS = {run: text for run, text in FORBIDDEN.items() if re.fullmatch("[a-z0-9_]+", text) or text in ROOTS}


def test_the_area_gives_words_to_look_for() -> None:
    if (AREA / "area.yaml").exists():
        taken = set(FORBIDDEN.values())
        assert len(taken) > len(ROOTS) + 50, "the area's files were read and nothing was found in them"
    assert SOURCES


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_the_engine_knows_no_word_of_the_area(path: Path) -> None:
    found = places(path.read_text(encoding="utf-8"), IDS if path == SPEAKS else FORBIDDEN)
    assert not found, "an area is data; an ordinary English word may be reviewed into ordinary_words.txt"


def forbid(*words: str) -> dict[Words, str]:
    return {run: word for word in words for run in runs_of(word)}


@pytest.mark.parametrize(
    "source",
    [
        "def is_held_on(x): ...",
        "isHeldOn",
        "facts['held_on']",
        "# the held-on day",
        'say("KẾT NẠP đảng viên")',
        unicodedata.normalize("NFD", "# chi bộ"),
    ],
)
def test_a_word_is_seen_inside_identifiers_texts_and_comments(source: str) -> None:
    assert places(source, forbid("held_on", "kết nạp", "chi bộ"))


@pytest.mark.parametrize("source", ["withheld_on", "held_only", "held\non", "use(held, on)", "chi bo"])
def test_what_only_looks_like_a_word_is_none(source: str) -> None:
    assert not places(source, forbid("held_on", "chi bộ"))


def test_what_declares_ids_is_found_wherever_it_stands() -> None:
    document = yaml.safe_load("""
        lists: {colours: {crimson: {label: {vi: Đỏ thẫm}}}}
        facts: {weight: {type: int, title: {vi: Trọng lượng}}, marks: {type: map}}
        transitions: {lift: {effects: [{facts: {height: 1}}]}}
    """)
    assert set(ids_in(document)) == {"colours", "crimson", "weight", "marks", "lift", "height"}
    assert set(terms_in(document)) == {"Đỏ thẫm", "Trọng lượng"}


def test_the_reviewed_list_is_short_and_each_word_in_it_is_one_of_the_area() -> None:
    entries = ordinary_words()
    assert len(entries) == len(set(entries))
    assert len(entries) <= 60
    if (AREA / "area.yaml").exists():
        assert set(area_words()) >= ORDINARY, "a word that no area uses needs no exception"
