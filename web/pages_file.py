"""`pages.yaml` beside a workflow: the menu, and what the pages show of each workflow. Names and texts, no rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pydantic import Field

from engine.core.definition import Model, Name, Names, Permissions, Text
from engine.core.errors import BadInput
from engine.core.findings import Findings
from engine.core.machine import Definition
from engine.core.reader import Finding, load_model, read_yaml

FILE = "pages.yaml"
PERMISSIONS = tuple(Permissions.model_fields)


class MenuItem(Model):
    """A page in the menu."""

    page: Name = Field(description="the page's name")
    of: Name | None = Field(None, description="the workflow that the page is about, for a page that serves many")
    label: Text = Field(description="what the menu calls it")
    roles: Names = Field([], description="the roles for whom it is; none: every role that sees subjects")
    may: Names = Field([], description="permissions of the area: it is also for whoever has one; alone, only for them")
    more: bool = Field(False, description="true: under the menu's last entry, which opens")


class Narrow(Model):
    """A choice that narrows a list: of the values of one fact (choice, org), or of several facts that hold (bool)."""

    label: Text | None = Field(None, description="what the choice is called; none: as its one fact is")
    facts: Names = Field(description="facts of the workflow's `listing.by`")


class ListPage(Model):
    """The list of a workflow's subjects."""

    title: Text = Field(description="what the list is called")
    board: Names = Field([], description="states in the order of the board, besides those of `rail`")
    columns: Names = Field([], description="facts that stand in the table; none of them sensitive")
    filters: list[Narrow] = Field([], description="what narrows the list, besides unit, state, papers and due day")
    steps: Names = Field([], description="steps that may be taken for many at once; none: all that are no batch")
    each: Names = Field([], description="facts, no maps, that such a step asks for in each row: another for everybody")


class Grid(Model):
    """The grid of a workflow that opens by itself: a row for each unit, a column for each state, period by period."""

    columns: Names = Field([], description="states in the order of the columns; none: those of `rail`")
    take: Name | None = Field(None, description="the step that is taken in the grid itself; where it leaves, it waits")
    asks: Names = Field([], description="facts that the grid asks for with that step")
    at: Name | None = Field(None, description="the fact, a day or a time, that stands in the column of the state")
    last_day: Name | None = Field(None, description="the fact, a day, that is the last on which it is in time")
    late: Name | None = Field(None, description="the fact, yes or no, that says it came late")
    remind: Name | None = Field(None, description="the notice rule by which units are reminded now")
    shows: Names = Field([], description="facts under a unit's name")
    score: Name | None = Field(None, description="the area's score of which target and result stand beside")
    letter: Name | None = Field(None, description="the report that is the letter to those who are late")
    source: str = Field("", description="the document that asks for it")


class Shown(Model):
    """What the pages show of a workflow."""

    rail: Names = Field(
        [], description="states in the order in which they are passed, drawn on top of a subject's page"
    )
    head: Names = Field([], description="facts under the name of a subject")
    groups: dict[Name, Text] = Field({}, description="what the groups of facts are called, in the order of the page")
    papers: Names = Field([], description="map facts shown as a checklist")
    papers_until: dict[Name, Name] = Field({}, description="checklist -> the fact that says until when it is good")
    waiting: dict[Name, Name] = Field({}, description="notice rule -> the step that ends what it is about, or the fact")
    reports: Names = Field([], description="reports that belong to it: its page of forms leads to them")
    list: ListPage | None = Field(None, description="the list of its subjects; the workflow has to have a `listing`")
    grid: Grid | None = Field(None, description="the grid of the units, of a workflow that opens by itself")


class Rated(Model):
    """By which subjects a score's units are rated: one a unit and year."""

    workflow: Name = Field(description="the workflow of the ratings")
    year: Name = Field(description="its fact with the year")
    rating: Name = Field(description="its fact with the rating")


class PagesFile(Model):
    """`pages.yaml`."""

    pages: Name = Field(description="the area it belongs to")
    brand: Text = Field(description="the name on top of every page")
    footer: Text | None = Field(None, description="a line at the foot of every page")
    menu: list[MenuItem] = Field([], description="the menu; `home` is always its first page")
    workflows: dict[Name, Shown] = Field({}, description="what is shown of each workflow")
    ratings: dict[Name, Rated] = Field({}, description="score -> by which subjects its units are rated")
    purposes: dict[Name, Text] = Field({}, description="for what sensitive facts are opened")

    def of(self, workflow: str) -> Shown:
        """Returns what is shown of a workflow; what nobody wrote down is shown in the definition's order."""
        return self.workflows.get(workflow, _USUAL)


_USUAL = Shown()


_MENU: Mapping[str, tuple[str, str, str]] = {  # page -> Vietnamese, English, the permission that it is for
    "notices": ("Thông báo", "Notices", "notices"),
    "reports": ("Báo cáo", "Reports", ""),
    "organisations": ("Tổ chức", "Organisations", "organisations"),
    "officers": ("Cán bộ và tài khoản", "Officers and accounts", "officers"),
    "substitutes": ("Người thay thế", "Substitutes", "substitutes"),
    "days": ("Ngày nghỉ và ngày làm việc", "Days off and working days", "calendar"),
    "procedures": ("Quy trình và căn cứ", "How it works", ""),
}


def usual(area: str, definitions: Mapping[str, Definition]) -> PagesFile:
    """Returns the pages of an area that has no such file: its lists, its workflows, and what every office needs."""
    listed = {w: d for w, d in definitions.items() if d.file.listing is not None}
    readers = sorted(set().union(*(d.area.reading_roles for d in definitions.values())))
    menu = [MenuItem(page="home", label=Text(vi="Việc cần làm", en="To do"))]
    if listed:
        menu.append(MenuItem(page="list", label=Text(vi="Danh sách", en="List")))
    menu += [MenuItem(page="matters", of=w, label=d.file.title) for w, d in definitions.items() if w not in listed]
    for page, (vi, en, permission) in _MENU.items():
        may = [permission] if permission else []
        menu.append(MenuItem(page=page, label=Text(vi=vi, en=en), roles=readers if may else [], may=may, more=True))
    shown = {w: Shown(list=ListPage(title=d.file.title)) for w, d in listed.items()}
    return PagesFile(pages=area, brand=Text(vi="Ketnap", en="Ketnap"), menu=menu, workflows=shown)


def read_pages(path: Path) -> tuple[PagesFile, object]:
    """Returns the file and its tree. Raises FileRefused and FindingsError naming the place."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("{file} cannot be read: {why}", file=str(path), why=str(error)) from None
    tree = read_yaml(text, str(path))
    return load_model(PagesFile, tree, file=str(path)), tree


def check_pages(
    file: PagesFile, tree: object, name: str, definitions: Mapping[str, Definition], pages: Collection[str]
) -> list[Finding]:
    """Returns what the file names that there is not; `pages` are the names of the pages there are."""
    found = Findings(tree, name)
    roles: set[str] = set().union(*(d.area.file.roles for d in definitions.values()))
    for i, item in enumerate(file.menu):
        if item.page not in pages:
            found.unknown(("menu", i, "page"), "page", item.page, pages)
        if item.of is not None and item.of not in definitions:
            found.unknown(("menu", i, "of"), "workflow", item.of, definitions)
        for role in item.roles:
            if role not in roles:
                found.unknown(("menu", i, "roles"), "role", role, roles)
        for what in item.may:
            if what not in PERMISSIONS:
                found.unknown(("menu", i, "may"), "permission", what, PERMISSIONS)
    for workflow, shown in file.workflows.items():
        definition = definitions.get(workflow)
        if definition is None:
            found.unknown(("workflows", workflow), "workflow", workflow, definitions)
            continue
        for key, kind, names, known in _named(shown, definition):
            for each in names:
                if each not in known:
                    found.unknown(("workflows", workflow, key), kind, each, known)
    for score, rated in file.ratings.items():
        _check_rated(found, score, rated, definitions)
    return found.found


def _check_rated(found: Findings, score: str, rated: Rated, definitions: Mapping[str, Definition]) -> None:
    path = ("ratings", score)
    scores: set[str] = set().union(*(d.area.file.scores for d in definitions.values()))
    if score not in scores:
        found.unknown(path, "score", score, scores)
    definition = definitions.get(rated.workflow)
    if definition is None:
        found.unknown((*path, "workflow"), "workflow", rated.workflow, definitions)
        return
    for key, fact in (("year", rated.year), ("rating", rated.rating)):
        if fact not in definition.file.facts:
            found.unknown((*path, key), "fact", fact, definition.file.facts)


def _named(shown: Shown, definition: Definition) -> Iterator[tuple[str, str, Collection[str], Collection[str]]]:
    facts = definition.file.facts
    yield "rail", "state", shown.rail, definition.file.states
    yield "head", "fact", shown.head, facts
    yield "groups", "group", list(shown.groups), {f.group for f in facts.values() if f.group}
    yield "papers", "fact", shown.papers, [n for n, f in facts.items() if f.type == "map"]
    if shown.grid is not None:
        grid = shown.grid
        opens = [definition.workflow] if definition.opening is not None else []
        yield "grid", "workflow that opens by itself", [definition.workflow], opens
        yield "grid", "state", grid.columns, definition.file.states
        yield "grid", "transition", [grid.take] if grid.take else [], definition.file.transitions
        told = [grid.at, grid.last_day, grid.late, *grid.asks, *grid.shows]
        yield "grid", "fact", [n for n in told if n is not None], facts
        yield "grid", "notice", [grid.remind] if grid.remind else [], definition.file.notices
        yield "grid", "score", [grid.score] if grid.score else [], definition.area.file.scores
    yield "papers_until", "checklist", list(shown.papers_until), shown.papers
    yield "papers_until", "fact", list(shown.papers_until.values()), [n for n in facts if n not in definition.covered]
    yield "waiting", "notice", list(shown.waiting), definition.file.notices
    if shown.list is not None:
        listing = definition.file.listing
        yield "list", "workflow with a listing", [] if listing else [definition.workflow], ()
        yield "list", "state", shown.list.board, definition.file.states
        plain = [n for n in facts if n not in definition.covered]
        yield "list", "fact", shown.list.columns, plain
        named = [n for f in shown.list.filters for n in f.facts]
        yield "list", "fact of listing.by", named, listing.by if listing is not None else ()
        yield "list", "transition", shown.list.steps, definition.file.transitions
        yield "list", "fact", shown.list.each, [n for n, f in facts.items() if f.type != "map"]
    ends = [*definition.file.transitions, *(n for n, f in facts.items() if not f.fixed and not f.worked_out)]
    yield "waiting", "transition", list(shown.waiting.values()), ends
