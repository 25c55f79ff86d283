"""A copy of all that is kept about one person, for that person: a page that reads without the program, and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from engine.answers import Document, Teller
from engine.core.machine import Definition
from engine.core.values import Value
from engine.persons import Copy

STYLE = (
    "body{font:16px/1.5 serif;max-width:50em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #888;padding:.3em .6em;text-align:left;vertical-align:top}h2{margin-top:2em}"
    "h2,h3{break-after:avoid}tr{break-inside:avoid}td:first-child{min-width:12em}"
    "@media print{body{margin:0}}"
)


def document(copy: Copy, teller: Teller) -> Document:
    """Returns the copy as JSON."""
    return {
        "person": copy.person,
        "erased": copy.erased,
        "held": copy.hold is not None,
        "subjects": [
            {
                "subject": c.subject.id,
                "workflow": c.subject.workflow,
                "state": c.subject.state,
                "state_label": teller.state(c.definition, c.subject.state),
                "org": c.subject.org,
                "facts": [_fact(teller, c.definition, n, v) for n, v in copy.facts[c.subject.id].items()],
                "history": [teller.entry(e) for e in copy.histories[c.subject.id]],
            }
            for c in copy.cases
        ],
        "notices": [teller.notice(r, text) for r, text in copy.notices],
    }


def _fact(teller: Teller, definition: Definition, name: str, value: Value) -> Document:
    spec = definition.file.facts[name]
    return {
        "fact": name,
        "label": teller.fact(definition, name),
        "value": teller.value(value),
        "shown": shown(teller, definition, name, value),
        "sensitive": spec.sensitive,
        "purpose": teller.text(spec.purpose) if spec.purpose is not None else None,
    }


def shown(teller: Teller, definition: Definition, name: str, value: Value) -> str:
    """Returns a value as people read it."""
    spec = definition.file.facts[name]
    if isinstance(value, dict):
        return "; ".join(f"{teller.fact(definition, f'{name}.{k}')}: {_plain(teller, v)}" for k, v in value.items())
    if spec.type == "choice" and spec.of:
        entry = definition.area.file.lists.get(spec.of[0], {}).get(str(value))
        return teller.text(entry.label) if entry is not None else str(value)
    if isinstance(value, str) and value in spec.shows:
        return teller.text(spec.shows[value])
    return _plain(teller, value)


def _plain(teller: Teller, value: Any) -> str:
    if isinstance(value, bool):
        return teller.say("yes") if value else teller.say("no")
    told = teller.value(value)
    return day(told) if isinstance(told, str) and hasattr(value, "isoformat") else str(told)


def day(text: str | None) -> str:
    """Returns an ISO day or time as dd/mm/yyyy [HH:MM]."""
    if not text:
        return ""
    head, _, clock = text.partition("T")
    return "/".join(reversed(head.split("-"))) + (f" {clock[:5]}" if clock else "")


def page(copy: Copy, teller: Teller) -> str:
    """Returns the copy as one HTML page without anything from elsewhere."""
    told = document(copy, teller)
    title = teller.say("What this office keeps about you")
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(teller.say('Your number here: {person}', person=copy.person))}</p>",
    ]
    if copy.erased:
        parts.append(f"<p>{escape(teller.say('Your data was erased; what is left tells nothing of who you are.'))}</p>")
    for case, subject in zip(copy.cases, told["subjects"], strict=True):
        parts += _subject(teller, case.definition, subject)
    if told["notices"]:
        parts.append(f"<h2>{escape(teller.say('Notices about you'))}</h2>")
        rows = [(day(n["at"]), n["to"], n["subject_line"], n["body"]) for n in told["notices"]]
        parts.append(table([teller.say(h) for h in ("When", "To", "Subject line", "Text")], rows))
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="{teller.lang}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _subject(teller: Teller, definition: Definition, subject: Mapping[str, Any]) -> list[str]:
    title = f"{teller.text(definition.file.title)}: {subject['state_label']}"
    facts = [(f["label"], f["shown"], f["purpose"] or "") for f in subject["facts"]]
    seen = [e for e in subject["history"] if e["kind"] == "opened"]
    done = [e for e in subject["history"] if e["kind"] != "opened"]
    return [
        f"<h2>{escape(title)}</h2>",
        table([teller.say(h) for h in ("Fact", "Value", "Why it is kept")], facts),
        f"<h3>{escape(teller.say('What was done'))}</h3>",
        table(
            [teller.say(h) for h in ("Recorded", "On", "Who", "What", "Reason")],
            [
                (day(e["at"]), day(e["on"]), e["actor"] or "", _what(teller, definition, e), e["reason"] or "")
                for e in done
            ],
        ),
        f"<h3>{escape(teller.say('Who looked at it'))}</h3>",
        table(
            [teller.say(h) for h in ("When", "Who", "Through")],
            [(day(e["at"]), e["actor"] or e["account"] or "", teller.say(e["detail"]["through"])) for e in seen],
        ),
    ]


def _what(teller: Teller, definition: Definition, entry: Mapping[str, Any]) -> str:
    if entry["kind"] in ("moved", "refused", "denied") and entry["trigger"]:
        step = teller.trigger(definition, entry["trigger"])
        return step if entry["kind"] == "moved" else f"{step}: {teller.say(entry['kind'])}"
    return teller.say(entry["kind"])


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns an HTML table; every cell is text."""
    head = "".join(f"<th>{escape(h)}</th>" for h in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
