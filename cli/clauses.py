"""Which parts of an area serve which clause of the document that it carries out: the table of traceability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.scenario_file import read_scenario
from engine.library import AREA_FILE, read_tree

PARTS = ("workflows", "rules", "notices", "reports", "good", "failing")


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A clause with the ids of what serves it, each id with what people call it."""

    clause: str
    title: str
    workflows: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    good: dict[str, str] = field(default_factory=dict)  # scenarios in which it is kept
    failing: dict[str, str] = field(default_factory=dict)  # scenarios in which it is not

    def part(self, name: str) -> dict[str, str]:
        """Returns one of PARTS."""
        found: dict[str, str] = getattr(self, name)
        return found


def trace(folder: Path, lang: str = "vi") -> list[Traced]:
    """Returns every clause that an area declares, in its order. Raises KeyError for one that a report or a scenario
    names and the area does not declare; workflows are checked when they are loaded."""
    area = _tree(folder / AREA_FILE)
    traced = {
        str(clause): Traced(clause=str(clause), title=title[lang]) for clause, title in area.get("clauses", {}).items()
    }
    for path in sorted(folder.glob("*.yaml")):
        tree = _tree(path)
        if "workflow" in tree:
            for clause in _listed(tree.get("clause")):
                traced[clause].workflows[tree["workflow"]] = tree["title"][lang]
            for part in ("rules", "notices"):
                for name, spec in tree.get(part, {}).items():
                    for clause in _listed(spec.get("clause")):
                        traced[clause].part(part)[name] = spec["label"][lang]
    for path in sorted(folder.glob("reports/*.yaml")):
        tree = _tree(path)
        for clause in _listed(tree.get("clause")):
            traced[clause].reports[str(tree.get("report", path.stem))] = _text(tree.get("title"), lang)
    for path in sorted(folder.glob("scenarios/*.yaml")):
        scenario, _ = read_scenario(path)
        for clause in scenario.clause:
            if scenario.way != "failing":
                traced[clause].good[path.stem] = scenario.scenario
            if scenario.way != "good":
                traced[clause].failing[path.stem] = scenario.scenario
    return list(traced.values())


def _tree(path: Path) -> Mapping[str, Any]:
    tree = read_tree(path.read_text(encoding="utf-8"), str(path))
    return tree if isinstance(tree, Mapping) else {}


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _text(value: object, lang: str) -> str:
    return str(value[lang]) if isinstance(value, Mapping) and lang in value else str(value or "")


HEAD = """# The directive, clause by clause

Made from `workflows/admission/` by `scripts/make-reference`; do not edit. What serves a clause names it with the key
`clause` in its own file: workflows, rules, notices, reports, and scenarios (in which it is kept, or is not). A test
fails when a clause lacks a part.

"""
TITLES = {
    "workflows": "Workflows",
    "rules": "Rules",
    "notices": "Notices",
    "reports": "Reports",
    "good": "Scenarios in which it is kept",
    "failing": "Scenarios in which it is not",
}


def table(traced: list[Traced]) -> str:
    """Returns the table as Markdown: an overview, then each clause with what serves it."""
    return HEAD + "".join(_overview(traced)) + "".join(_sections(traced))


def _overview(traced: list[Traced]) -> Iterator[str]:
    yield "| clause | " + " | ".join(TITLES[p].lower() for p in PARTS) + " |\n"
    yield "| --- |" + " --- |" * len(PARTS) + "\n"
    for one in traced:
        counts = " | ".join(str(len(one.part(p))) for p in PARTS)
        yield f"| {_escaped(one.clause)} {_escaped(one.title)} | {counts} |\n"


def _sections(traced: list[Traced]) -> Iterator[str]:
    for one in traced:
        yield f"\n## {_escaped(one.clause)}: {_escaped(one.title)}\n\n"
        for part in PARTS:
            found = one.part(part)
            shown = "; ".join(f"`{id}` {_escaped(label)}" for id, label in found.items()) or "-"
            yield f"- {TITLES[part]}: {shown}\n"


def _escaped(text: str) -> str:
    return text.replace("*", r"\*").replace("|", r"\|")
