"""The machine of a workflow as a picture or for other tools: Mermaid, DOT, SCXML, SVG. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from engine.core.machine import Definition

FORMATS = ("mermaid", "svg", "scxml", "dot")


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """A transition between two states, with what people call it."""

    source: str
    target: str
    trigger: str
    label: str


def _attribute(text: str) -> str:
    """Returns a text as the value of an XML attribute."""
    return f'"{escape(text)}"'


def arrows(definition: Definition, lang: str) -> list[Arrow]:
    """Returns every transition from each of its states to each of its targets, in the file's order."""
    found: list[Arrow] = []
    order = list(definition.file.states)
    for step in definition.steps.values():
        for source in sorted(step.sources, key=order.index):
            for target in dict.fromkeys(source if t == "same" else t for t, _ in step.targets):
                found.append(Arrow(source=source, target=target, trigger=step.trigger, label=step.label.of(lang)))
    return found


def draw(definition: Definition, form: str, lang: str) -> str:
    """Returns the machine in one of FORMATS, texts in `lang`. Raises KeyError for another format."""
    return _WRITERS[form](definition, lang)


def _labels(definition: Definition, lang: str) -> dict[str, str]:
    return {s: spec.label.of(lang) for s, spec in definition.file.states.items()}


def mermaid(definition: Definition, lang: str) -> str:
    """Returns a Mermaid state diagram. Transitions between the same two states share an arrow."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_mermaid(label)}" as {state}' for state, label in _labels(definition, lang).items()]
    lines.append(f"    [*] --> {definition.initial}")
    together: dict[tuple[str, str], list[str]] = {}
    for a in arrows(definition, lang):
        together.setdefault((a.source, a.target), []).append(_mermaid(a.label))
    lines += [f"    {s} --> {t}: {'<br/>'.join(labels)}" for (s, t), labels in together.items()]
    lines += [f"    {s} --> [*]" for s in definition.file.states if s in definition.final]
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    # `"`, `;` and `#` end or escape something in Mermaid
    return text.replace("#", "#35;").replace(";", "#59;").replace('"', "#quot;").replace(":", "#58;")


def dot(definition: Definition, lang: str) -> str:
    """Returns a directed graph for Graphviz."""
    lines = [f"digraph {definition.workflow} {{", "    rankdir=LR;", "    node [shape=box, style=rounded];"]
    for state, label in _labels(definition, lang).items():
        final = ", peripheries=2" if state in definition.final else ""
        lines.append(f"    {state} [label={_quoted(label)}{final}];")
    lines += ["    _begin [shape=point];", f"    _begin -> {definition.initial};"]
    lines += [f"    {a.source} -> {a.target} [label={_quoted(a.label)}];" for a in arrows(definition, lang)]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def scxml(definition: Definition, lang: str) -> str:
    """Returns State Chart XML (W3C SCXML 1.0): ids, events and targets; conditions as the expressions of the file."""
    name, initial = _attribute(definition.workflow), _attribute(definition.initial)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" name={name} initial={initial}>',
    ]
    for state, label in _labels(definition, lang).items():
        kind = "final" if state in definition.final and not _leaving(definition, state) else "state"
        lines.append(f"  <{kind} id={_attribute(state)}>")
        lines.append(f"    <!-- {escape(label).replace('--', '- -')} -->")
        for step in _leaving(definition, state):
            spec = definition.file.transitions[step]
            for target in spec.to:
                cond = f" cond={_attribute(target.when)}" if target.when is not None else ""
                to = state if target.state == "same" else target.state
                lines.append(f"    <transition event={_attribute(step)}{cond} target={_attribute(to)}/>")
        lines.append(f"  </{kind}>")
    return "\n".join([*lines, "</scxml>"]) + "\n"


def _leaving(definition: Definition, state: str) -> list[str]:
    return definition.triggers_from(state)


# ---- SVG ----

_BOX_WIDTH, _BOX_HEIGHT, _GAP, _ROW = 260, 44, 60, 20
_LETTER = 7.2  # width of a letter at 13 px, about


_LOOK = 'role="img" aria-labelledby="t d" font-family="sans-serif" font-size="13"'
_TIP = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#333"/></marker></defs>'
)


def svg(definition: Definition, lang: str, *, counts: Mapping[str, int] | None = None, here: str | None = None) -> str:
    """Returns a drawing: the states in a column, forward transitions on the right, backward ones on the left.

    Each arrow keeps to a lane of its own, so that none lies on another; it has a title and a description for readers.
    `counts` stand in the states, as how many are there; `here` is the state that is marked, where one subject stands.
    """
    labels = _labels(definition, lang)
    if counts is not None:
        labels = {s: f"{label}: {counts.get(s, 0)}" for s, label in labels.items()}
    tops = {s: 30 + i * (_BOX_HEIGHT + _GAP) for i, s in enumerate(labels)}
    order = {s: i for i, s in enumerate(labels)}
    together: dict[tuple[str, str], list[str]] = {}
    for a in arrows(definition, lang):
        together.setdefault((a.source, a.target), []).append(a.label)
    right = [(pair, texts) for pair, texts in together.items() if order[pair[1]] > order[pair[0]]]
    left = [(pair, texts) for pair, texts in together.items() if order[pair[1]] < order[pair[0]]]
    stays = {pair[0]: texts for pair, texts in together.items() if pair[0] == pair[1]}
    step = 26
    margin = 30 + step * len(left) + int(_LETTER * max((len(_joined(t)) for _, t in left), default=0))
    width = margin + _BOX_WIDTH + 30 + step * len(right)
    width += int(_LETTER * max((len(_joined(t)) for _, t in right), default=0))
    height = 30 + len(labels) * (_BOX_HEIGHT + _GAP)
    title = definition.file.title.of(lang)
    told = "; ".join(f"{labels[s]} → {labels[t]}: {', '.join(texts)}" for (s, t), texts in together.items())
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {_LOOK} {size}>',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(told)}</desc>',
        _TIP,
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts += _boxes(definition, labels, tops, stays, margin, here)
    parts += _lanes(right, tops, margin + _BOX_WIDTH, step, anchor="start")
    parts += _lanes(left, tops, margin, -step, anchor="end")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _joined(texts: Sequence[str]) -> str:
    return " / ".join(texts)


def _boxes(
    definition: Definition,
    labels: Mapping[str, str],
    tops: Mapping[str, int],
    stays: Mapping[str, Sequence[str]],
    x: int,
    here: str | None,
) -> list[str]:
    parts: list[str] = []
    for state, label in labels.items():
        y = tops[state]
        weight = 3 if state in definition.final else 1.5
        fill, ink = ("#14536b", "#fff") if state == here else ("#f4f6f8", "#111")
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="8" fill="{fill}" stroke="#333" '
            f'stroke-width="{weight}"/>'
        )
        middle = x + _BOX_WIDTH // 2
        name = f"● {label}" if state == definition.initial else label
        name = f"▶ {name}" if state == here else name
        parts.append(f'<text x="{middle}" y="{y + 27}" text-anchor="middle" fill="{ink}">{escape(name)}</text>')
        if state in stays:
            text = f"↻ {_joined(stays[state])}"
            parts.append(
                f'<text x="{middle}" y="{y + _BOX_HEIGHT + 16}" text-anchor="middle" font-size="11" fill="#444">'
                f"{escape(text)}</text>"
            )
    return parts


def _lanes(
    pairs: Sequence[tuple[tuple[str, str], Sequence[str]]], tops: Mapping[str, int], x: int, step: int, *, anchor: str
) -> list[str]:
    parts: list[str] = []
    used: dict[str, int] = {}
    lines: list[int] = []  # where texts stand already: none is written over another
    # short arrows inside, long ones outside: fewer of them cross
    inside_out = sorted(pairs, key=lambda p: abs(tops[p[0][1]] - tops[p[0][0]]))
    for lane, ((source, target), texts) in enumerate(inside_out, 1):
        ys = [tops[s] + 10 + 6 * used.setdefault(s, 0) for s in (source, target)]
        for s in (source, target):
            used[s] = (used[s] + 1) % 5
        out = x + lane * step
        parts.append(f'<path d="M{x} {ys[0]}H{out}V{ys[1]}H{x}" fill="none" stroke="#333" marker-end="url(#a)"/>')
        at = out + (4 if step > 0 else -4)
        middle = (ys[0] + ys[1]) // 2 + 4
        while any(abs(middle - other) < 14 for other in lines):
            middle += 14
        lines.append(middle)
        parts.append(
            f'<text x="{at}" y="{middle}" text-anchor="{anchor}" font-size="11" fill="#111" stroke="#fff" '
            f'stroke-width="3" paint-order="stroke">{escape(_joined(texts))}</text>'
        )
    return parts


_WRITERS: Mapping[str, Callable[[Definition, str], str]] = {"mermaid": mermaid, "svg": svg, "scxml": scxml, "dot": dot}
