"""The definitions that are loaded: read from folders, kept in the store by their hash, compiled once.

A subject is pinned to the states, transitions and facts of the definition it began under; rules, timers, notices and
texts are read from the newest one, by date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

from engine.core.area import compile_area
from engine.core.check import compile_workflow
from engine.core.definition import AreaFile, WorkflowFile
from engine.core.errors import BadInput, FileRefused, NotFound
from engine.core.events import stamp
from engine.core.guards import Rule
from engine.core.machine import Area, Definition, Step
from engine.core.overlay import change_notices, check_office, read_office
from engine.core.reader import Finding, FindingsError, Node, load_model, read_yaml
from engine.core.together import check_together
from engine.store.rows import DefinitionRow

AREA_FILE = "area.yaml"
OFFICE_FILE = "office.yaml"
TEMPLATE_END = ".j2"


def shipped_folder() -> Path:
    """Returns the folder of the workflows that come with the program."""
    return Path(__file__).resolve().parent.parent / "workflows"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A workflow file with the area file beside it and the notice templates, as texts."""

    workflow: str
    file: str
    text: str
    area_file: str
    area_text: str
    templates: Mapping[str, str] = field(default_factory=dict)  # of notices: name.language -> text
    office_text: str | None = None  # the office's own changes of notice rules
    office_file: str = OFFICE_FILE

    @cached_property
    def id(self) -> str:
        """The hash of both files, the templates and the office's own changes."""
        digest = hashlib.sha256(hashlib.sha256(self.area_text.encode()).digest())
        digest.update(hashlib.sha256(self.text.encode()).digest())
        for name in sorted(self.templates):
            digest.update(hashlib.sha256(f"{name}\n{self.templates[name]}".encode()).digest())
        if self.office_text is not None:
            digest.update(hashlib.sha256(f"office\n{self.office_text}".encode()).digest())
        return digest.hexdigest()


@lru_cache(maxsize=512)
def read_tree(text: str, name: str) -> Node:
    """Returns the tree of a file; the same text under the same name is parsed once. Raises FileRefused.

    Trees are shared: nobody changes one.
    """
    return read_yaml(text, name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileRefused("the file is not UTF-8", file=str(path), line=1) from error
    except OSError as error:
        raise BadInput("{file} cannot be read: {why}", file=str(path), why=error.strerror) from error


def _is_workflow(tree: object) -> bool:
    return isinstance(tree, Mapping) and "workflow" in tree


def read_folder(folder: Path) -> list[Source]:
    """Returns the workflows of a folder.

    Raises BadInput when there is no area.yaml, FileRefused for YAML that is not.
    """
    area_path = folder / AREA_FILE
    if not area_path.is_file():
        raise BadInput("{folder} holds no area.yaml, so it is not a folder of workflows", folder=str(folder))
    area_text = _read(area_path)
    templates = {p.name.removesuffix(TEMPLATE_END): _read(p) for p in sorted(folder.glob(f"notices/*{TEMPLATE_END}"))}
    sources: list[Source] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name == AREA_FILE:
            continue
        text = _read(path)
        tree = read_tree(text, str(path))
        if _is_workflow(tree):
            sources.append(
                Source(
                    workflow=str(tree["workflow"]),
                    file=str(path),
                    text=text,
                    area_file=str(area_path),
                    area_text=area_text,
                    templates=templates,
                )
            )
    return sources


def with_office(sources: Sequence[Source], path: Path) -> list[Source]:
    """Returns the sources with an office's own changes of their notice rules; as they are where there is no such file.

    Raises BadInput when the file cannot be read. `compile_all` checks it.
    """
    if not path.is_file():
        return list(sources)
    text = _read(path)
    return [replace(s, office_text=text, office_file=str(path)) for s in sources]


def find_sources(names: Sequence[str], base: Path | None = None) -> list[Source]:
    """Returns the workflows that names mean: folders, files, or ids of shipped workflows; with those they refer to.

    Names are looked for from `base` first. Raises BadInput for one that means nothing.
    """
    found: dict[str, Source] = {}
    for name in names:
        for path in ([] if base is None else [base / name]) + [Path(name), shipped_folder() / name]:
            if path.is_dir():
                found.update((s.workflow, s) for s in read_folder(path))
                break
            if path.is_file():
                beside = {s.workflow: s for s in read_folder(path.parent)}
                chosen = [s.workflow for s in beside.values() if Path(s.file).resolve() == path.resolve()]
                found.update((w, beside[w]) for w in _closure(chosen, beside))
                break
        else:
            shipped = {s.workflow: s for s in shipped_sources()}
            if name not in shipped:
                raise NotFound("{name} is neither a file, nor a folder, nor a shipped workflow", name=name)
            found.update((w, shipped[w]) for w in _closure([name], shipped))
    return list(found.values())


def _closure(names: Iterable[str], known: Mapping[str, Source]) -> list[str]:
    """Returns the workflows and those that they open, read or move."""
    wanted = list(names)
    for name in wanted:
        tree = read_tree(known[name].text, known[name].file)
        file = load_model(WorkflowFile, tree, file=known[name].file)
        refers = [t.opens.workflow for t in file.transitions.values() if t.opens]
        refers += [w for t in file.transitions.values() if t.batch for w in t.batch.workflow]
        refers += [f.of[0] for f in file.facts.values() if f.type == "subject" and f.of]
        refers += _scored(known[name], file)
        wanted += [r for r in refers if r in known and r not in wanted]
    return wanted


def _scored(source: Source, file: WorkflowFile) -> list[str]:
    """Returns the workflows whose figures the scores count that facts of a workflow are worked out from."""
    names = {f.tally.score for f in file.facts.values() if f.tally is not None}
    if not names:
        return []
    tree = read_tree(source.area_text, source.area_file)
    scores = load_model(AreaFile, tree, file=source.area_file).scores
    found = [scores[n] for n in names if n in scores]
    return [ref.partition(".")[0] for s in found for ref in (s.result, s.target, *s.plan)]


def shipped_sources() -> list[Source]:
    """Returns the workflows that come with the program."""
    return [s for area in sorted(shipped_folder().glob(f"*/{AREA_FILE}")) for s in read_folder(area.parent)]


class Compiled:
    """Compiles sources, each once, together with the area they share."""

    def __init__(self) -> None:
        self._areas: dict[str, Area] = {}  # by their texts
        self._definitions: dict[str, Definition] = {}

    def area(self, source: Source) -> Area:
        """Returns the area of a source. Raises FindingsError."""
        known = self._areas.get(source.area_text)
        if known is None:
            tree = read_tree(source.area_text, source.area_file)
            file = load_model(AreaFile, tree, file=source.area_file)
            known = self._areas[source.area_text] = compile_area(file, tree, source.area_file)
        return known

    def definition(self, source: Source) -> Definition:
        """Returns the definition of a source. Raises FindingsError."""
        if source.id not in self._definitions:
            area = self.area(source)
            tree = read_tree(source.text, source.file)
            file = load_model(WorkflowFile, tree, file=source.file)
            compiled = compile_workflow(area, file, tree, source.file, id=source.id, templates=_template_names(source))
            if source.office_text is not None:
                compiled = change_notices(compiled, read_office(source.office_text, source.office_file))
            self._definitions[source.id] = compiled
        return self._definitions[source.id]


def _template_names(source: Source) -> frozenset[str]:
    return frozenset(name.rsplit(".", 1)[0] for name in source.templates)


def compile_all(sources: Sequence[Source], compiled: Compiled | None = None) -> dict[str, Definition]:
    """Returns the definitions by workflow. Raises FindingsError with everything wrong in all the files."""
    compiled = compiled or Compiled()
    findings: list[Finding] = []
    definitions: dict[str, Definition] = {}
    for source in sources:
        try:
            definitions[source.workflow] = compiled.definition(source)
        except FindingsError as error:
            findings += [f for f in error.findings if f not in findings]
    if not findings:
        findings = office_findings(sources, definitions)
    if not findings:
        trees = {s.workflow: (read_tree(s.text, s.file), s.file) for s in sources}
        findings = [f for f in check_together(definitions, trees) if f.severity == "error"]
    if findings:
        raise FindingsError(tuple(findings))
    return definitions


def office_findings(sources: Sequence[Source], definitions: Mapping[str, Definition]) -> list[Finding]:
    """Returns what is wrong in the office's own files about the rules of these definitions as they are shipped."""
    rules = {name: rule for d in definitions.values() for name, rule in d.file.notices.items()}
    files = {(s.office_file, s.office_text) for s in sources if s.office_text is not None}
    return [finding for file, text in sorted(files) for finding in check_office(read_tree(text, file), file, rules)]


class Library:
    """The definitions of one database: the newest of each workflow, and the older ones that subjects are pinned to."""

    def __init__(self, rows: Sequence[DefinitionRow], compiled: Compiled | None = None) -> None:
        self._compiled = compiled or Compiled()
        self._sources = {r.id: source_of(r) for r in rows}
        self._newest = {s.workflow: s for s in self._sources.values()}
        self._joined: dict[tuple[str, str], Definition] = {}

    @property
    def workflows(self) -> list[str]:
        """The ids of the workflows."""
        return list(self._newest)

    def newest(self, workflow: str) -> Definition:
        """Returns the newest definition of a workflow. Raises NotFound."""
        source = self._newest.get(workflow)
        if source is None:
            raise NotFound(
                "there is no workflow {name}; there are: {known}", name=workflow, known=", ".join(self._newest)
            )
        return self._compiled.definition(source)

    def templates(self, workflow: str) -> Mapping[str, str]:
        """Returns the newest notice templates beside a workflow: name.language -> text. Raises NotFound."""
        self.newest(workflow)
        return self._newest[workflow].templates

    def pinned(self, workflow: str, id: str) -> Definition:
        """Returns what a subject runs under: the drawing of its own definition, the newest one's rules and notices."""
        newest = self.newest(workflow)
        source = self._sources.get(id)
        if id == newest.id or source is None:
            return newest
        key = (id, newest.id)
        if key not in self._joined:
            self._joined[key] = _join(self._compiled.definition(source), newest)
        return self._joined[key]

    def versions(self, workflow: str) -> list[Definition]:
        """Returns every definition of a workflow that there is or was, the newest one last. Raises NotFound."""
        newest = self.newest(workflow)
        older = [self.pinned(workflow, s.id) for s in self._sources.values() if s.workflow == workflow]
        return [*(d for d in older if d is not newest), newest]

    @cached_property
    def lending(self) -> Mapping[str, frozenset[str]]:
        """The workflows whose facts others read, with these facts."""
        lent: dict[str, set[str]] = {}
        for definition in self.all_newest().values():
            facts = definition.file.facts
            for reads in (f.reads for f in facts.values() if f.reads is not None):
                for workflow in facts[reads.from_].of or ():
                    lent.setdefault(workflow, set()).add(reads.fact)
        return {workflow: frozenset(names) for workflow, names in lent.items()}

    def all_newest(self) -> dict[str, Definition]:
        """Returns the newest definition of every workflow."""
        return {w: self.newest(w) for w in self._newest}

    @property
    def area(self) -> Area:
        """The area of the workflows. Raises NotFound when nothing is loaded."""
        for source in self._newest.values():
            return self._compiled.area(source)
        raise NotFound("no workflow is loaded; run: ketnap init")


def source_of(row: DefinitionRow) -> Source:
    """Returns the source that a row keeps."""
    return Source(
        workflow=row.workflow,
        file=row.file,
        text=row.text,
        area_file=f"{row.area}/{AREA_FILE}",
        area_text=row.area_text,
        templates=json.loads(row.templates_json),
        office_text=row.office_text,
    )


def _join(old: Definition, new: Definition) -> Definition:
    def with_rules(step: Step) -> Step:
        return replace(step, rules=tuple((force, _newer(rule, new)) for force, rule in step.rules))

    notices = tuple(n for n in new.notices if n.states <= set(old.file.states))
    return replace(
        old,
        steps={t: with_rules(s) for t, s in old.steps.items()},
        rules={**old.rules, **new.rules},
        notices=notices,
        area=new.area,
    )


def _newer(rule: Rule, new: Definition) -> Rule:
    found = new.rules.get(rule.id)
    return found if found is not None and found.reads <= set(new.types) | set(rule.reads) else rule


def rows_of(sources: Sequence[Source], definitions: Mapping[str, Definition], now: datetime) -> list[DefinitionRow]:
    """Returns the rows that keep these sources."""
    return [
        DefinitionRow(
            id=s.id,
            workflow=s.workflow,
            area=definitions[s.workflow].area.file.area,
            area_text=s.area_text,
            text=s.text,
            templates_json=json.dumps(dict(s.templates), ensure_ascii=False, sort_keys=True),
            file=Path(s.file).name,
            loaded_at=stamp(now),
            office_text=s.office_text,
        )
        for s in sources
    ]
