"""What one workflow says of another: what it opens, reads or moves there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

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
        if (copies := definition.file.copies) is not None:
            givers = [n for n, d in definitions.items() if d.file.numbers is not None]
            check_names(one, ("copies", "of"), "workflow with numbers", [copies.of], givers)
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
    batch = step.batch
    assert batch is not None
    missing = [w for w in batch.workflow if w not in definitions]
    for name in missing:
        one.unknown((*path, "batch", "workflow"), "workflow", name, definitions)
    if missing:
        return
    others = {w: definitions[w] for w in batch.workflow}
    states = [s for d in others.values() for s in d.file.states]
    check_names(one, (*path, "batch", "in"), "state", batch.in_, states)
    _check_everywhere(
        one, (*path, "batch", "shows"), "fact", batch.shows, [d.types for d in others.values()], any_=True
    )
    for name, fact in batch.awaits.items():
        held = [d.types[fact] for d in others.values() if fact in d.types]
        if not held or any(t.name != "bool" for t in held):
            known = [n for d in others.values() for n, t in d.types.items() if t.name == "bool"]
            one.unknown((*path, "batch", "awaits", name), "fact of type bool", fact, known)
    for name, line in step.lines.items():
        mine = [others[w] for w in line.spec.workflow or batch.workflow if w in others]
        _check_line(one, (*path, "batch", "each", name), line, mine)


def _check_line(one: Findings, at: Path, line: ready.Line, others: Sequence[ready.Definition]) -> None:
    """Notes what a line does that cannot be done in each of the workflows it is for."""
    if line.spec.step is not None:
        _check_everywhere(one, (*at, "step"), "trigger", [line.spec.step], [d.steps for d in others])
    _check_everywhere(one, (*at, "guards"), "rule", line.spec.guards, [d.rules for d in others])
    _check_everywhere(one, (*at, "clears"), "fact", line.spec.clears, [d.types for d in others])
    for key, given in (("sets", line.sets), ("gives", line.gives)):
        for fact, expression in given:
            for other in others:
                if fact not in other.types:
                    one.unknown((*at, key, fact), "fact", fact, other.types)
                elif expression.type not in FITS[other.types[fact].name]:
                    one.add(
                        (*at, key, fact), "unlike-types", "{fact} is {type}", fact=fact, type=other.types[fact].name
                    )


def _check_everywhere(
    one: Findings,
    at: Path,
    what: str,
    names: Sequence[str],
    known: Sequence[Collection[str]],
    *,
    any_: bool = False,
) -> None:
    for name in names:
        without = [k for k in known if name not in k]
        if without and (not any_ or len(without) == len(known)):
            one.unknown(at, what, name, without[0])


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
