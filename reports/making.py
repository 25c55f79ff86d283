"""Making a report: a layout from the folder of workflows, counted and set in tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.core.authority import Officer
from engine.core.errors import BadInput, Denied, FileRefused, NotFound
from engine.core.machine import Area, Definition
from engine.core.places import Finding, FindingsError
from engine.core.reader import Node, load_model, read_yaml
from engine.core.suggestions import suggest
from engine.service import Service
from engine.trail import is_sandbox
from engine.work import Work
from reports.counting import Counter
from reports.document import Heading, Line, Report, Table, Value, written
from reports.grouping import Grouper
from reports.layout_check import TITLE_WORDS, Layout, ReadyFigure, compile_layout, load_letterhead
from reports.layouts import LETTERHEAD_FILE, Grouping, LayoutFile, Letterhead, Period, Section
from reports.letters import Letter, head_of, issuer_of
from reports.listing import table_of
from reports.of_subject import Subject, subject_of
from reports.periods import Span
from reports.scores import WHOLE

FOLDER = "reports"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for: the report, its period, the organisation it is about (else all), the subject it is made of
    (else of none), and who asks (else nobody's reach bounds it)."""

    name: str
    span: Span
    org: str | None = None
    subject: str | None = None
    officer: str | None = None
    lang: str = "vi"

    @property
    def file_name(self) -> str:
        """What a file of it is called, without its ending."""
        return "-".join([self.name, self.span.name, *(part for part in (self.subject, self.org) if part)])


# ---- the files ----


@lru_cache(maxsize=64)
def _tree(text: str, name: str) -> Node:
    return read_yaml(text, name)


@lru_cache(maxsize=64)
def _file(text: str, name: str) -> LayoutFile:
    return load_model(LayoutFile, _tree(text, name), file=name)


def read_layout_tree(path: Path) -> Node:
    """Returns the tree of a file. Raises BadInput and FileRefused."""
    return _tree(_text(path), str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileRefused("the file is not UTF-8", file=str(path), line=1) from error
    except OSError as error:
        raise BadInput("{file} cannot be read: {why}", file=str(path), why=error.strerror) from error


def layout_files(folder: Path) -> dict[str, Path]:
    """Returns the layouts beside the workflows of a folder, by their ids."""
    return {p.stem: p for p in sorted((folder / FOLDER).glob("*.yaml")) if p.name != LETTERHEAD_FILE}


def check_layouts(folder: Path, definitions: Mapping[str, Definition], area: Area) -> list[Finding]:
    """Returns everything that is wrong with the layouts and the letterhead beside the workflows of a folder."""
    files = layout_files(folder)
    found: list[Finding] = []
    if not files:
        return found
    for path in (folder / FOLDER / LETTERHEAD_FILE, *files.values()):
        try:
            tree = read_layout_tree(path)
            if path.name == LETTERHEAD_FILE:
                load_letterhead(tree, str(path), area)
            elif (layout := compile_layout(tree, str(path), definitions, area)).file.report != path.stem:
                raise FileRefused("the report {name} belongs in a file of that name", file=str(path), line=1,
                                  name=layout.file.report)  # fmt: skip
        except FindingsError as error:
            found += error.findings
        except FileRefused as error:
            found.append(
                Finding(file=error.file, line=error.line, column=error.column, severity="error", code="yaml",
                        message=error.message, params=error.params)
            )  # fmt: skip
    return found


def load_layout(folder: Path, name: str, definitions: Mapping[str, Definition], area: Area) -> Layout:
    """Returns a report's layout. Raises NotFound for one that is not there, FindingsError for one that is wrong."""
    files = layout_files(folder)
    if name not in files:
        near = suggest(name, list(files))
        if near is not None:
            raise NotFound("there is no {what} {name}; did you mean {near}?", what="report", name=name, near=near)
        raise NotFound("there is no report {name}; there are: {known}", name=name, known=", ".join(files))
    return compile_layout(read_layout_tree(files[name]), str(files[name]), definitions, area)


def names_of(folder: Path, lang: str) -> list[tuple[str, str, list[Period]]]:
    """Returns the reports there are: id, title and the periods they are made for. Raises FindingsError."""
    found = []
    for name, path in layout_files(folder).items():
        file = _file(_text(path), str(path))
        found.append((name, title_of(file, lang), file.periods))
    return found


def reports_of(folder: Path, workflows: Collection[str]) -> dict[str, LayoutFile]:
    """Returns the reports that can be made with these workflows, by id. Raises FindingsError and FileRefused."""
    found: dict[str, LayoutFile] = {}
    for name, path in layout_files(folder).items():
        file = _file(_text(path), str(path))
        counted = [f.counted for f in file.figures.values()] + [s.list_ for s in file.sections]
        needs = {s.workflow for s in (*counted, file.subject) if s is not None}
        if needs <= set(workflows):
            found[name] = file
    return found


def title_of(file: LayoutFile, lang: str) -> str:
    """Returns what a report is called before its period is known."""
    return file.title.of(lang).format(**dict.fromkeys(TITLE_WORDS, "...")).replace("...", "").strip(" ,")


def periods_of(folder: Path, name: str) -> list[Period]:
    """Returns the periods a report is made for; none where there is no such report."""
    return next((periods for known, _, periods in names_of(folder, "en") if known == name), [])


def opens_of(service: Service, folder: Path, name: str) -> str | None:
    """Returns the workflow of which one is begun when this report goes out, where that workflow is loaded."""
    with service.work() as work:
        found = load_layout(folder, name, work.library.all_newest(), work.library.area).file.opens
        return found if found in work.library.workflows else None


# ---- the report ----


def make(service: Service, folder: Path, request: Request, letter: Letter) -> Report:
    """Makes a report within what its reader may see. Raises BadInput, NotFound and Denied."""
    with service.work() as work:
        layout = load_layout(folder, request.name, work.library.all_newest(), work.library.area)
        letterhead = load_letterhead(read_layout_tree(folder / FOLDER / LETTERHEAD_FILE), LETTERHEAD_FILE)
        if request.span.kind not in layout.file.periods:
            raise BadInput("{report} is made for: {known}", report=request.name, known=", ".join(layout.file.periods))
        officer = _reader(work, request)
        if request.org is not None and request.org not in work.office.tree.by_id:
            raise NotFound("{unit} is not an organisation here", unit=request.org)
        counter = Counter(work, layout, request.span, lang=request.lang, org=request.org, officer=officer)
        if officer is not None and not counter.units:
            raise Denied("{officer} sees nothing of this", why="scope", officer=officer.id)
        about = subject_of(work, layout, counter, request.subject, request.officer, request.lang)
        return _Maker(work, layout, letterhead, letter, counter, request, about).report()


def _reader(work: Work, request: Request) -> Officer | None:
    if request.officer is None:
        return None
    officer = work.office.officers.get(request.officer)
    if officer is None:
        raise NotFound("{officer} is not an officer here", officer=request.officer)
    return officer


class _Maker:
    def __init__(
        self,
        work: Work,
        layout: Layout,
        letterhead: Letterhead,
        letter: Letter,
        counter: Counter,
        request: Request,
        about: Subject | None,
    ) -> None:
        self.work, self.layout, self.letterhead, self.letter = work, layout, letterhead, letter
        self.counter, self.request, self.lang = counter, request, request.lang
        self.about = about
        self.whole: dict[str, Value] = {}

    def report(self) -> Report:
        file, span, counter, lang = self.layout.file, self.request.span, self.counter, self.lang
        about = self.about
        unit = about.org if about is not None and self.request.org is None else counter.unit
        unit_name = counter.tree.by_id[unit].name if unit in counter.tree.by_id else ""
        self.whole = counter.figures(self.layout.figures)[WHOLE]
        self.words = {
            "period": self.letterhead.periods[span.kind].of(lang).format(**span.words()),
            "unit": unit_name,
            "year": span.last.year,
        }
        title = file.title
        if about is not None and file.subject is not None:
            title, self.words["subject"] = file.subject.title, about.title
        issued_by = file.issued_by if about is None or file.subject is None else file.subject.issued_by
        head = head_of(
            file,
            self.letterhead,
            self.letter,
            lang=lang,
            title=title.of(lang).format(**self.words),
            issuer=issuer_of(self.work.office, self.letterhead, unit, issued_by),
            day=self.work.today,
            of_subject=about is not None,
        )
        sections = [(i, s) for i, s in enumerate(file.sections) if s.of_subject == (about is not None)]
        tables = [self._table(i, section) for i, section in sections]
        listed = frozenset(line.key for table in tables for line in table.lines)
        late, history, restored = counter.notes(None if about is None else listed | {about.id})
        said = self.letterhead
        notes = [(said.late, late), (said.history, history - restored), (said.restored, restored)]
        return Report(
            id=file.report,
            lang=lang,
            head=head,
            unit=unit,
            unit_name=unit_name,
            first=span.first,
            last=span.last,
            as_of=counter.last,
            made_at=self.work.now.astimezone(self.work.calendar.zone),
            source=file.source or "",
            sandbox=self.letterhead.sandbox.of(lang) if is_sandbox(self.work.tx) else "",
            notes=[text.of(lang).format(count=count) for text, count in notes if count],
            late_entries=late,
            history_entries=history,
            restored_entries=restored,
            landscape=file.paper == "landscape",
            figures=self.whole,
            tables=[t for t in tables if about is None or t.lines or t.text or t.nothing],
        )

    # -- tables

    def _table(self, i: int, section: Section) -> Table:
        lang = self.lang
        columns: Sequence[Heading] = ()
        lines: Sequence[Line] = ()
        numbered = True
        if section.figures and section.across is not None:
            columns, lines = self._across(i, section, section.across)
        elif section.figures:
            columns, lines = self._figures(section)
        elif section.groups is not None:
            columns, lines = self._groups(i, section, section.groups)
        elif section.list_ is not None:
            columns, lines = table_of(self.counter, section.list_, *self.layout.lists[i], self.letterhead, self.about)
        written = {n: self._written(n, v) for n, v in self.whole.items()}
        if self.about is not None:
            written = {**self.about.texts, **written}
        return Table(
            title=section.title.of(lang) if section.title else "",
            text=section.text.of(lang).format(**{**self.words, **written}) if section.text else "",
            columns=columns,
            lines=lines,
            nothing=section.nothing.of(lang) if section.nothing and not lines else "",
            note=section.note.of(lang) if section.note else "",
            numbered=numbered,
            empty=self.letterhead.empty if section.list_ is None else "",
            chart=section.chart,
        )

    def _written(self, name: str, value: Value) -> str:
        figure = self.layout.figures[name]
        return written(self._cell(figure, value), figure.shows, self.lang)

    def _cell(self, figure: ReadyFigure, value: Value) -> Value:
        if value is None and figure.spec.none is not None:
            return figure.spec.none.of(self.lang)
        return value

    def _figures(self, section: Section) -> tuple[list[Heading], list[Line]]:
        words = self.letterhead
        columns = [
            Heading(id="label", label=words.figure.of(self.lang), shows="text", width=52),
            Heading(id="value", label=words.value.of(self.lang), shows="number", width=20),
        ]
        lines = []
        for name in section.figures:
            figure = self.layout.figures[name]
            cells = [figure.spec.label.of(self.lang), self._cell(figure, self.whole[name])]
            lines.append(Line(key=name, cells=cells, shows=figure.shows))
        return columns, lines

    def _grouped(
        self, i: int, grouping: Grouping, names: Sequence[str]
    ) -> tuple[list[tuple[str, str, Mapping[str, Value]]], Mapping[str, Value]]:
        """Returns the rows of a table of groups (id, label, figures), and the figures of the whole."""
        layout, counter = self.layout, self.counter
        used = frozenset[str]().union(*(layout.rests_on[n] for n in names))
        sources = [f.counted for f in layout.figures.values() if f.counted is not None and f.id in used]
        grouper = Grouper(
            counter=counter,
            spec=grouping,
            sources=sources,
            value=layout.values.get(i),
            letterhead=self.letterhead,
        )
        found = counter.figures(names, grouper.groups, grouping.by)
        whole = found.pop(WHOLE)
        rows: list[tuple[str, str, Mapping[str, Value]]] = []
        for group in grouper.rows(found):
            values = found.get(group.key)
            if values is None:
                if not grouping.empty:
                    continue
                values = counter.begun(group.key, grouping.by)
                counter.complete(values, used)
            rows.append((group.id, group.label, values))
        return rows, whole

    def _groups(self, i: int, section: Section, grouping: Grouping) -> tuple[list[Heading], list[Line]]:
        only = self.layout.only.get(i)
        names = list(section.columns)
        if only is not None:
            names += [n for n in self.layout.figures if n in only.reads and n not in names]
        rows, whole = self._grouped(i, grouping, names)
        if only is not None:
            rows = [row for row in rows if self.counter.holds(only, row[2])]
        figures = [self.layout.figures[n] for n in section.columns]
        label = grouping.label.of(self.lang) if grouping.label else ""
        wide = 34 if len(figures) <= 6 else 28
        columns = [Heading(id="label", label=label, shows="text", width=wide), *map(self._heading, figures)]
        lines = [
            Line(key=key, cells=[name, *(self._cell(f, values[f.id]) for f in figures)]) for key, name, values in rows
        ]
        if section.total and lines and only is None:
            cells = [self.letterhead.total.of(self.lang), *(self._cell(f, whole[f.id]) for f in figures)]
            lines.append(Line(key="total", cells=cells, kind="total"))
        return columns, lines

    def _heading(self, figure: ReadyFigure) -> Heading:
        spec = figure.spec
        adds = spec.counted is not None and spec.counted.take in ("count", "sum")
        wide = len(spec.none.of(self.lang)) if spec.none is not None else 0
        label = (spec.column or spec.label).of(self.lang)
        longest = min(max(map(len, label.split()), default=0), 10)  # no word is broken
        return Heading(
            id=figure.id,
            label=label,
            shows=figure.shows,
            width=max({"text": 20, "percent": 16}.get(figure.shows, 14), min(wide, 22), 2 * longest + 2),
            adds_up=adds,
            share=(spec.share.of, spec.share.in_) if spec.share is not None else None,
        )

    def _across(self, i: int, section: Section, grouping: Grouping) -> tuple[list[Heading], list[Line]]:
        rows, whole = self._grouped(i, grouping, section.figures)
        columns = [Heading(id="label", label=self.letterhead.figure.of(self.lang), shows="text", width=34)]
        columns += [Heading(id=key or "unknown", label=name, shows="number", width=10) for key, name, _ in rows]
        columns.append(Heading(id="total", label=self.letterhead.total.of(self.lang), shows="number", width=12))
        lines = []
        for name in section.figures:
            figure = self.layout.figures[name]
            cells = [self._cell(figure, values[name]) for _, _, values in rows]
            cells.append(self._cell(figure, whole[name]))
            lines.append(Line(key=name, cells=[figure.spec.label.of(self.lang), *cells], shows=figure.shows))
        return columns, lines
