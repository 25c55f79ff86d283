"""What is typed on the command line, read: facts, days, a batch's decisions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

from engine.core.commands import Line
from engine.core.errors import BadInput, FileRefused
from engine.core.reader import Place, YamlList, YamlMap, place_of, read_yaml
from engine.core.values import Type, parse

LINE_KEYS = ("subject", "do", "facts", "reason", "set_aside")
UNKNOWN = ("", "null")


def read_day(name: str, text: str | None) -> date | None:
    """Reads a day, YYYY-MM-DD or dd/mm/yyyy. Raises BadInput naming the option."""
    if text is None:
        return None
    found = parse(name, Type(name="date"), text, UTC)
    if not isinstance(found, date):
        raise BadInput("{name}: {value} is not a date (YYYY-MM-DD)", name=name, value=text)
    return found


def need_day(name: str, text: str) -> date:
    """Reads a day that must be given. Raises BadInput."""
    found = read_day(name, text)
    assert found is not None
    return found


def read_facts(given: Sequence[str]) -> dict[str, Any]:
    """Reads `name=value`, `name.key=value` for an entry of a map, `name={key: value}` for several.

    An empty value, or `null`, makes the fact unknown. Raises BadInput.
    """
    facts: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise BadInput("{text} is not of the form fact=value", text=text[:80])
        head, dot, key = name.partition(".")
        entry = _entry(head, value)
        if dot:
            entry = {key: entry}
        old = facts.get(head)
        if head in facts and not (isinstance(old, dict) and isinstance(entry, dict) and not old.keys() & entry.keys()):
            raise BadInput("{fact} is given twice", fact=name)
        facts[head] = {**old, **entry} if isinstance(old, dict) else entry
    return facts


def _entry(name: str, value: str) -> Any:
    if value.strip() in UNKNOWN:
        return None
    if not value.lstrip().startswith("{"):
        return value
    tree = read_yaml(value, name)
    if not isinstance(tree, dict) or not all(v is None or isinstance(v, str) for v in tree.values()):
        raise BadInput("{text} is not of the form fact=value", text=f"{name}={value}"[:80])
    return dict(tree)


# ---- decisions ----


def read_decisions(path: Path) -> tuple[Line, ...]:
    """Reads a batch's decisions: a YAML list of `{subject, do, facts, reason, set_aside}`, or a CSV table with these
    columns, whose other columns are facts. Raises BadInput, FileRefused with the place."""
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls"):
        raise BadInput(
            "{file}: an Excel list is read by `ketnap import decisions`; here a .yaml or .csv", file=str(path)
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("the file is not UTF-8", file=str(path), line=1) from None
    except OSError as error:
        raise BadInput("{file} cannot be read: {why}", file=str(path), why=error.strerror) from None
    if path.suffix.lower() == ".csv":
        return tuple(_csv_lines(text, str(path)))
    tree = read_yaml(text, str(path))
    if isinstance(tree, YamlMap) and set(tree) == {"decisions"}:
        tree = tree["decisions"]
    if not isinstance(tree, YamlList):
        raise FileRefused("a list of decisions is wanted: subject, do, facts, reason", file=str(path), line=1)
    return tuple(_yaml_line(item, place_of(tree, (i,))) for i, item in enumerate(tree))


def _yaml_line(item: Any, place: Place) -> Line:
    def refuse(message: str, **params: object) -> FileRefused:
        return FileRefused(message, file=place.file, line=place.line, column=place.column, **params)

    if not isinstance(item, dict):
        raise refuse("a decision is wanted: subject, do, facts, reason")
    for key in item:
        if key not in LINE_KEYS:
            raise refuse("{key} is not one of {known}", key=key, known=", ".join(LINE_KEYS))
    facts = item.get("facts") or {}
    for key in ("subject", "do"):
        if not isinstance(item.get(key), str) or not item[key]:
            raise refuse("{key} is missing", key=key)
    if not isinstance(facts, dict):
        raise refuse("{key} is not of the form fact: value", key="facts")
    aside = item.get("set_aside") or "false"
    if aside not in ("true", "false"):
        raise refuse("{key}: {value} is not true or false", key="set_aside", value=aside)
    return Line(
        subject=item["subject"],
        do=item["do"],
        facts=dict(facts),
        reason=item.get("reason"),
        set_aside=aside == "true",
    )


def _csv_lines(text: str, file: str) -> list[Line]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    try:
        headings = {(h or "").strip() for h in reader.fieldnames or ()}
        for key in ("subject", "do"):
            if key not in headings:
                raise FileRefused(
                    "the table has no column {key}; it needs subject (whose code) and do (the decision)",
                    file=file,
                    line=1,
                    key=key,
                )
        for row in reader:
            if None in row or None in row.values():
                raise FileRefused("this row has not as many cells as the heading", file=file, line=reader.line_num)
            cells = {(k or "").strip(): (v or "").strip() for k, v in row.items()}
            if not any(cells.values()):
                continue
            for key in ("subject", "do"):
                if not cells.get(key):
                    raise FileRefused("{key} is missing", file=file, line=reader.line_num, key=key)
            facts = [f"{k}={v}" for k, v in cells.items() if v and k not in LINE_KEYS]
            lines.append(
                Line(
                    subject=cells["subject"],
                    do=cells["do"],
                    facts=read_facts(facts),
                    reason=cells.get("reason") or None,
                    set_aside=cells.get("set_aside", "").lower() in ("true", "1", "x"),
                )
            )
    except csv.Error as error:
        raise FileRefused("this is not a CSV table: {why}", file=file, line=reader.line_num, why=str(error)) from None
    return lines
