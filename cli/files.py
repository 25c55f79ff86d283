"""`check`, `test` and `diagram`: workflow files and scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from engine.core.machine import Definition
    from engine.core.reader import Finding


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(check)
    app.command()(test)
    app.command()(diagram)


def check(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH...]", help="Folders or files of workflows; none: those shipped."),
    ] = None,
) -> None:
    """Check workflow files without running them: every fault with file, line and column.

    Examples: ketnap check
              ketnap check my-workflows/ --json
    """
    session: Session = ctx.obj
    findings = _findings(session, paths or [])
    ok = not any(f.severity == "error" for f in findings)
    document = {"ok": ok, "findings": [_document(session, f) for f in findings]}
    session.write(document, lambda console: _show(session, console, document))
    if not ok:
        raise typer.Exit(2)


def _findings(session: Session, paths: list[str]) -> list[Finding]:
    from cli.bootstrap import workflow_sources
    from engine.core.errors import FileRefused
    from engine.core.reader import Finding, FindingsError
    from engine.library import find_sources

    try:
        sources = find_sources(paths) if paths else workflow_sources(session.settings)
    except FileRefused as error:
        return [
            Finding(
                file=error.file,
                line=error.line,
                column=error.column,
                severity="error",
                code="yaml",
                message=error.message,
                params=error.params,
            )
        ]
    except FindingsError as error:
        return list(error.findings)
    found = check_sources(sources)
    return found if any(f.severity == "error" for f in found) else found + _forms(sources)


def _forms(sources: Any) -> list[Finding]:
    """Returns what is wrong with the forms beside the workflows."""
    from engine.core.reader import FindingsError
    from engine.library import compile_all, read_folder
    from reports.forms import find_forms, load_forms

    found: list[Finding] = []
    for folder in sorted({Path(s.area_file).parent for s in sources}):
        path = find_forms(folder)
        if path is None:
            continue
        try:
            given = [s for s in sources if Path(s.area_file).parent == folder]
            some = {s.workflow for s in given} < {s.workflow for s in read_folder(folder)}
            load_forms(path, compile_all(given), loaded=some)
        except FindingsError as error:
            found += error.findings
    return found


def check_sources(sources: Any) -> list[Finding]:
    """Returns everything to be said of workflow files, warnings too, and of their notice templates."""
    from engine.core.reader import FindingsError
    from engine.core.together import check_together
    from engine.library import Compiled, office_findings, read_tree

    compiled = Compiled()
    findings: list[Finding] = []
    definitions = {}
    for source in sources:
        try:
            definitions[source.workflow] = compiled.definition(source)
        except FindingsError as error:
            findings += [f for f in error.findings if f not in findings]
    if not findings:
        trees = {s.workflow: (read_tree(s.text, s.file), s.file) for s in sources}
        findings += office_findings(sources, definitions)
        findings += check_together(definitions, trees)
        findings += _templates(sources, definitions)
        findings += _layouts(sources, definitions)
        findings += _pages(sources, definitions)
    return findings


def _layouts(sources: Any, definitions: Mapping[str, Definition]) -> list[Finding]:
    """Returns what is wrong with the layouts of reports beside the workflows, where all of an area's are there."""
    from engine.library import read_folder
    from reports.making import check_layouts

    found: list[Finding] = []
    for area_file in sorted({s.area_file for s in sources}):
        beside = {s.workflow for s in sources if s.area_file == area_file}
        folder = Path(area_file).parent
        if beside >= {s.workflow for s in read_folder(folder)}:
            known = {w: definitions[w] for w in beside}
            found += check_layouts(folder, known, next(iter(known.values())).area)
    return found


def _pages(sources: Any, definitions: Mapping[str, Definition]) -> list[Finding]:
    """Returns what is wrong with pages.yaml beside the workflows."""
    from engine.core.reader import FindingsError
    from engine.library import read_folder
    from web.app import page_names
    from web.pages_file import FILE, check_pages, read_pages

    found: list[Finding] = []
    for folder in sorted({Path(s.area_file).parent for s in sources}):
        path = folder / FILE
        if path.is_file() and {s.workflow for s in read_folder(folder)} <= set(definitions):
            try:
                file, tree = read_pages(path)
            except FindingsError as error:
                found += error.findings
            else:
                found += check_pages(file, tree, str(path), definitions, page_names())
    return found


def _templates(sources: Any, definitions: Mapping[str, Definition]) -> list[Finding]:
    """Returns what is wrong with the notice templates beside the workflows.

    A template that no rule uses is named where all the workflows of its folder are looked at.
    """
    from engine.core.reader import Finding
    from engine.library import TEMPLATE_END, read_folder
    from notifications.render import Templates, allowed_names

    found: list[Finding] = []
    for area_file in {s.area_file for s in sources}:
        beside = [s for s in sources if s.area_file == area_file]
        texts = {name: text for s in beside for name, text in s.templates.items()}
        allowed = allowed_names(definitions[s.workflow] for s in beside)
        folder = Path(area_file).parent
        if {s.workflow for s in read_folder(folder)} - {s.workflow for s in beside}:
            texts = {name: text for name, text in texts.items() if name.rsplit(".", 1)[0] in allowed}
        found += [
            Finding(
                file=str(folder / "notices" / f"{fault.template}{TEMPLATE_END}"),
                line=fault.line,
                column=1,
                severity="error",
                code="template",
                message=fault.message,
                params=fault.params,
            )
            for fault in Templates(texts).check(allowed)
        ]
    return found


def _document(session: Session, finding: Finding) -> dict[str, Any]:
    from web.words import fill

    return {
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "severity": finding.severity,
        "code": finding.code,
        "message": fill(finding.message, finding.params, session.translate),
    }


def _show(session: Session, console: Console, document: dict[str, Any]) -> None:
    for f in document["findings"]:
        severity = session.translate(f["severity"])
        console.print(f"{f['file']}:{f['line']}:{f['column']}: {severity}: {f['message']}", soft_wrap=True)
    if document["ok"]:
        console.print(session.say("The workflow files are valid."))


def test(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenarios, or folders of them.")],
) -> None:
    """Play scenarios, each on a fresh sandbox in memory (or with --db on an empty database that is kept).

    Example: ketnap test workflows/admission/scenarios
    """
    from cli.failing import error_document, report
    from cli.scenario import as_json, run_file
    from engine.core.errors import KetnapError

    session: Session = ctx.obj
    code = 0
    passed = ran = 0
    for path in _scenarios(files):
        try:
            result = run_file(path, session.db)
        except KetnapError as error:
            if session.as_json:
                session.write_json(
                    {"scenario": str(path), "file": str(path), "passed": False} | error_document(error, session.lang)
                )
            else:
                report(session, error)
            code = 2
            continue
        ran, passed = ran + 1, passed + result.passed
        code = max(code, 0 if result.passed else 1)
        if session.as_json:
            session.write_json(as_json(result))
        else:
            _show_result(session, result)
    if not session.as_json:
        session.console().print(session.say("{passed} of {ran} scenarios hold.", passed=passed, ran=ran))
    raise typer.Exit(code)


def _scenarios(files: list[Path]) -> list[Path]:
    from engine.core.errors import NotFound

    found: list[Path] = []
    for path in files:
        inside = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        if not inside:
            raise NotFound("{folder} holds no scenario", folder=str(path))
        found += inside
    return found


def _show_result(session: Session, result: Any) -> None:
    console = session.console()
    mark = "✓" if result.passed else "✗"
    console.print(f"{mark} {result.scenario} ({result.file})", soft_wrap=True)
    for f in result.failures:
        text = session.say(
            "step {step}, line {line}: expected {expected}, got {got}",
            step=f.step,
            line=f.line,
            expected=f.expected,
            got=f.got,
        )
        console.print(f"    {text}", soft_wrap=True)


def diagram(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="A shipped workflow, or a file.")],
    form: Annotated[str, typer.Option("--format", metavar="mermaid|svg|scxml|dot", help="What to write.")] = "mermaid",
) -> None:
    """Draw a workflow: for a page (mermaid, svg), for Graphviz (dot) or for other tools (scxml).

    Example: ketnap diagram candidate --format svg > candidate.svg
    """
    from cli.bootstrap import workflow_sources
    from engine.core.diagram import FORMATS, draw
    from engine.core.errors import BadInput
    from engine.library import compile_all, find_sources

    session: Session = ctx.obj
    if form not in FORMATS:
        raise BadInput("{value} is not one of {known}", value=form, known=", ".join(FORMATS))
    own = {x.workflow: x for x in workflow_sources(session.settings)}
    sources = list(own.values()) if workflow in own else find_sources([workflow])
    definitions = compile_all(sources)
    named = [w for w in definitions if w == workflow or Path(workflow).stem == w]
    if not named and len(definitions) > 1:
        raise BadInput(
            "{value} holds several workflows; name one: {known}", value=workflow, known=", ".join(definitions)
        )
    picture = draw(definitions[named[0] if named else next(iter(definitions))], form, session.lang)
    document = {"workflow": workflow, "format": form, "text": picture}
    session.write(document, lambda console: console.out(picture, end="", highlight=False))
