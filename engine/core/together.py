"""What one workflow says of another: what it opens, reads or moves there."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core import machine as ready
from engine.core.findings import Findings, Path, check_names
from engine.core.reader import Finding
from engine.core.types import FITS


def check_together(
    definitions: Mapping[str, ready.Definition], trees: Mapping[str, tuple[object, str]]
) -> list[Finding]:
    """Returns what is wrong between workflows: what one opens, reads or moves in another.

    `trees` gives tree and file name.
    """
    found: list[Finding] = []
    for name, definition in definitions.items():
        one = Findings(*trees[name])
        for trigger, step in definition.steps.items():
            path: Path = ("transitions", trigger)
            if step.opens is not None:
                _check_opened(one, path, step, definitions)
            if step.batch is not None:
                _check_batch(one, path, step, definitions)
        for fact, spec in definition.file.facts.items():
            if spec.type == "subject" and spec.of and spec.of[0] not in definitions:
                one.unknown(("facts", fact, "of"), "workflow", spec.of[0], definitions)
            if spec.reads is not None:
                _check_read(one, fact, definition, definitions)
        found += one.found
        found += check_scores(definition, definitions, trees[name])
    unique: list[Finding] = []
    for finding in found:  # what the area says is looked at once a workflow
        if finding not in unique:
            unique.append(finding)
    return unique


def check_scores(
    definition: ready.Definition, definitions: Mapping[str, ready.Definition], tree: tuple[object, str]
) -> list[Finding]:
    """Returns what a workflow's tallies ask of scores whose figures are not there."""
    one = Findings(*tree)
    for tally in definition.tallies:
        score = definition.area.file.scores[tally.spec.score]
        for part, ref in (("result", score.result), ("target", score.target), *(("plan", p) for p in score.plan)):
            workflow, _, name = ref.partition(".")
            other = definitions.get(workflow)
            figure = other.figures.get(name) if other is not None else None
            if figure is None:
                path: Path = ("facts", tally.fact, "tally", "score")
                one.add(path, "no-figure", "{score}: there is no figure {figure}", score=tally.spec.score, figure=ref)
            elif (figure.day is not None) != (part == "result"):
                path = ("facts", tally.fact, "tally", "score")
                one.add(path, "figure-when", "{figure}: a result counts on a day, a plan and a target for a period",
                        figure=ref)  # fmt: skip
    return one.found


def _check_opened(one: Findings, path: Path, step: ready.Step, definitions: Mapping[str, ready.Definition]) -> None:
    assert step.opens is not None
    workflow, given = step.opens
    if workflow not in definitions:
        one.unknown((*path, "opens", "workflow"), "workflow", workflow, definitions)
        return
    types = definitions[workflow].types
    for fact, expression in given:
        if fact not in types:
            one.unknown((*path, "opens", "with", fact), "fact", fact, types)
        elif expression.type not in FITS[types[fact].name]:
            one.add(
                (*path, "opens", "with", fact), "unlike-types", "{fact} is {type}", fact=fact, type=types[fact].name
            )


def _check_batch(one: Findings, path: Path, step: ready.Step, definitions: Mapping[str, ready.Definition]) -> None:
    assert step.batch is not None
    other = definitions.get(step.batch.workflow)
    if other is None:
        one.unknown((*path, "batch", "workflow"), "workflow", step.batch.workflow, definitions)
        return
    check_names(one, (*path, "batch", "in"), "state", step.batch.in_, other.file.states)
    if step.batch.rest is not None:
        check_names(one, (*path, "batch", "rest", "in"), "state", step.batch.rest.in_, other.file.states)
    for name, line in step.batch.each.items():
        at = (*path, "batch", "each", name)
        if line.step is not None and line.step not in other.steps:
            one.unknown((*at, "step"), "trigger", line.step, other.steps)
        for fact, expression in step.line_sets[name]:
            if fact not in other.types:
                one.unknown((*at, "sets", fact), "fact", fact, other.types)
            elif expression.type not in FITS[other.types[fact].name]:
                one.add((*at, "sets", fact), "unlike-types", "{fact} is {type}", fact=fact, type=other.types[fact].name)


def _check_read(
    one: Findings, fact: str, definition: ready.Definition, definitions: Mapping[str, ready.Definition]
) -> None:
    spec = definition.file.facts[fact]
    assert spec.reads is not None
    through = definition.file.facts.get(spec.reads.from_)
    if through is None or through.type != "subject" or not through.of:
        one.add(
            ("facts", fact, "reads", "from"), "not-a-subject", "{fact} does not name a subject", fact=spec.reads.from_
        )
        return
    other = definitions.get(through.of[0])
    if other is None:
        return
    if spec.reads.fact not in other.types:
        one.unknown(("facts", fact, "reads", "fact"), "fact", spec.reads.fact, other.types)
    elif other.types[spec.reads.fact].name != spec.type:
        one.add(
            ("facts", fact, "type"),
            "unlike-types",
            "{fact} is {type} there",
            fact=spec.reads.fact,
            type=other.types[spec.reads.fact].name,
        )
