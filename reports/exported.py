"""An export as an Excel workbook for people: a sheet for each kind of thing, in the words of the pages."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter

from engine.answers import Teller
from engine.core.machine import Area, Definition
from reports.person_copy import day as day_text

OFFICE = {  # the sheets of the office, and what their columns are called
    "orgs": "Organisations",
    "officers": "Officers",
    "terms": "Terms of office",
    "substitutes": "Substitutes",
    "days": "Days off and working days",
}
COLUMNS = {
    "id": "Code", "kind": "Kind", "name": "Name", "parent": "Organisation above", "org": "Unit", "from_day": "From",
    "until_day": "Until", "merged_into": "Merged into", "marks_json": "Marks", "email": "Email", "phone": "Telephone",
    "disabled": "Locked", "account": "Account", "webhook": "Address for programs", "channels": "Ways of notices",
    "officer": "Officer", "role": "Role", "stand_in": "Stand-in", "day": "Day", "off": "Off",
    "state": "State", "subject": "Subject", "on": "On", "what": "What", "to": "New state", "reason": "Reason",
    "by": "Who", "facts": "Facts",
}  # fmt: skip
HIDDEN = ("bad_webhook",)
ALWAYS = "0001-01-01"
NAME = 31  # letters of a sheet's name in Excel
CELL = 32_767  # letters of a cell in Excel
WIDEST = 40


def export_workbook(document: Mapping[str, Any], definitions: Mapping[str, Definition], teller: Teller) -> bytes:
    """Returns the workbook: the office, the subjects of each workflow with their facts, and all that happened."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    font = {"font_name": "Times New Roman", "font_size": 12, "valign": "top"}
    styles = {
        "head": book.add_format({**font, "bold": True, "text_wrap": True, "bg_color": "#E7E6E6", "border": 1}),
        "day": book.add_format({**font, "num_format": "dd/mm/yyyy", "align": "left"}),
        "text": book.add_format({**font, "text_wrap": True}),
    }
    taken: set[str] = set()
    for name, labels, rows in _Sheets(document, definitions, teller).all():
        sheet = book.add_worksheet(_name(name, taken))
        if rows:
            _write(sheet, labels, rows, styles)
        else:
            sheet.write_string(0, 0, teller.say("There is nothing."), styles["text"])
    book.close()
    return made.getvalue()


def _name(title: str, taken: set[str]) -> str:
    whole = re.sub(r"[\[\]:*?/\\]+", " ", title).strip(" '")
    base = (whole if len(whole) <= NAME else whole[: NAME + 1].rpartition(" ")[0] or whole[:NAME]).strip(" ',") or "1"
    name, n = base, 1
    while name.lower() in taken:
        n += 1
        name = f"{base[: NAME - len(str(n)) - 1]} {n}"
    taken.add(name.lower())
    return name


def _write(sheet: Any, labels: Mapping[str, str], rows: Sequence[Mapping[str, Any]], styles: Mapping[str, Any]) -> None:
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for n, (column, label) in enumerate(labels.items()):
        longest = max((len(_text(row.get(column))) for row in rows), default=0)
        sheet.set_column(n, n, min(max(longest, len(label) // 2, 8) + 2, WIDEST))
        sheet.write_string(0, n, label, styles["head"])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(labels) - 1)
    for number, row in enumerate(rows, start=1):
        for n, column in enumerate(labels):
            value = row.get(column)
            found = _day(value)
            if found is not None:
                sheet.write_datetime(number, n, found, styles["day"])
            elif isinstance(value, int) and not isinstance(value, bool):
                sheet.write_number(number, n, value, styles["text"])
            elif value is not None and value != ALWAYS:
                sheet.write_string(number, n, _text(value), styles["text"])


class _Sheets:
    def __init__(self, document: Mapping[str, Any], definitions: Mapping[str, Definition], teller: Teller) -> None:
        self.document, self.definitions, self.teller = document, definitions, teller
        self.units = {o["id"]: o["name"] for o in document["orgs"]}
        self.people = {o["id"]: o["name"] for o in document["officers"]}
        self.titles: dict[str, str] = {}
        for subject in document["subjects"]:
            definition = definitions.get(subject["workflow"])
            title = subject["facts"].get(definition.file.title_fact or "") if definition is not None else None
            self.titles[subject["id"]] = title if isinstance(title, str) else ""
        self.area: Area | None = next((d.area for d in definitions.values()), None)

    def all(self) -> list[tuple[str, dict[str, str], Sequence[Mapping[str, Any]]]]:
        """Returns the name, the columns with their headings and the rows of each sheet."""
        made = [(self.teller.say(title), *self._office(self.document[kind])) for kind, title in OFFICE.items()]
        subjects = self.document["subjects"]
        for workflow in dict.fromkeys(s["workflow"] for s in subjects):
            definition = self.definitions.get(workflow)
            title = self.teller.text(definition.file.title) if definition is not None else workflow
            made.append((title, *self._subjects([s for s in subjects if s["workflow"] == workflow], definition)))
        told = [self._told(s, e) for s in subjects for e in s["events"]]
        return [*made, (self.teller.say("What happened"), self._labels(told), told)]

    def _labels(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        names = [n for n in dict.fromkeys(c for row in rows for c in row) if n not in HIDDEN]
        return {n: self.teller.say(COLUMNS.get(n, n)) for n in names}

    def _office(self, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], list[dict[str, Any]]]:
        made = []
        for given in rows:
            row = {n: v for n, v in given.items() if not (n == "marks_json" and v == "{}")}
            for name in ("org", "parent", "merged_into"):
                if row.get(name):
                    row[name] = self._named(self.units, row[name])
            for name in ("officer", "stand_in"):
                if row.get(name):
                    row[name] = self._named(self.people, row[name])
            if self.area is not None and row.get("kind") in self.area.file.kinds:
                row["kind"] = self.teller.text(self.area.file.kinds[row["kind"]].label)
            if self.area is not None and row.get("role") in self.area.file.roles:
                row["role"] = self.teller.text(self.area.file.roles[row["role"]].label)
            made.append(row)
        return self._labels(rows), made

    def _subjects(
        self, subjects: Sequence[Mapping[str, Any]], definition: Definition | None
    ) -> tuple[dict[str, str], list[dict[str, Any]]]:
        labels = {n: self.teller.say(COLUMNS[n]) for n in ("id", "org", "state")}
        rows = []
        for subject in subjects:
            state = subject["state"]
            row = {
                "id": subject["id"],
                "org": self._named(self.units, subject["org"]),
                "state": self.teller.state(definition, state) if definition is not None else state,
            }
            facts = subject["facts"]
            for name in sorted(facts, key=lambda n: _order(definition, n)):
                for column, value in self._columns(definition, name, facts[name]).items():
                    row[column] = value
                    labels.setdefault(column, self.teller.fact(definition, column) if definition else column)
            rows.append(row)
        return labels, rows

    def _columns(self, definition: Definition | None, name: str, value: Any) -> dict[str, Any]:
        """Returns a fact as columns: of a map of papers one for each, of one of people or units all in one."""
        if not isinstance(value, dict):
            return {name: self._shown(definition, name, value)}
        spec = definition.file.facts.get(name) if definition is not None else None
        if spec is not None and spec.keys in self._lists(definition):
            return {f"{name}.{key}": self._shown(definition, name, item) for key, item in value.items()}
        parts = [f"{self._key(key)}: {_readable(self._shown(definition, name, item))}" for key, item in value.items()]
        return {name: "; ".join(parts)}

    def _key(self, key: str) -> str:
        return self._named(self.units, key) if key in self.units else self._named(self.titles, key)

    def _shown(self, definition: Definition | None, name: str, value: Any) -> Any:
        spec = definition.file.facts.get(name) if definition is not None else None
        if spec is None or definition is None or not isinstance(value, str):
            return value
        entry = next(
            (lists[value] for of in spec.of or () if value in (lists := self._lists(definition).get(of, {}))), None
        )
        if entry is not None:
            return self.teller.text(entry.label)
        if value in spec.shows:
            return self.teller.text(spec.shows[value])
        if spec.type in ("org", "subject"):
            return self._key(value)
        moment = spec.type == "datetime" or "datetime" in (spec.of or ())
        return day_text(str(self.teller.time(value))) if moment else value

    @staticmethod
    def _lists(definition: Definition | None) -> Mapping[str, Any]:
        return definition.area.file.lists if definition is not None else {}

    def _told(self, subject: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
        definition = self.definitions.get(subject["workflow"])
        what, to = self.teller.say(event["kind"]), event["to"]
        if definition is not None and event["trigger"]:
            what = self.teller.trigger(definition, event["trigger"])
        facts = event["facts"] or {}
        told = [
            f"{self.teller.fact(definition, column) if definition else column}: {_readable(value)}"
            for name in facts
            for column, value in self._columns(definition, name, facts[name]).items()
        ]
        return {
            "subject": self._named(self.titles, subject["id"]),
            "on": event["on"],
            "what": what,
            "to": self.teller.state(definition, to) if definition is not None and to else to,
            "org": self._named(self.units, event["org"]) if event["org"] else None,
            "reason": event["reason"],
            "by": ", ".join(self._named(self.people, who) for who in event["by"]) or None,
            "facts": "; ".join(told) or None,
        }

    @staticmethod
    def _named(names: Mapping[str, str], id: str) -> str:
        name = names.get(id)
        return f"{name} ({id})" if name and name != id else id


def _order(definition: Definition | None, name: str) -> int:
    known = list(definition.file.facts) if definition is not None else []
    return known.index(name) if name in known else len(known)


def _day(value: object) -> date | None:
    if not isinstance(value, str) or len(value) != len("2024-01-01"):
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if found.year >= 1900 else None


def _readable(value: object) -> str:
    found = _day(value)
    return _text(value) if found is None else found.strftime("%d/%m/%Y")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "x" if value else ""
    return str(value)[:CELL]
