"""What must stay true of the architecture, beside the import contracts in pyproject.toml."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "notifications", "reports", "web", "cli")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
IDS = [str(path.relative_to(ROOT)) for path in MODULES]

ALONE = "engine/audit/verify_bundle.py"  # one file that an inspector runs without the rest, with all it needs inside
MODULE_LINES = 450  # style asks for about 300; past this, a module holds two nouns
FUNCTION_LINES = 70

# Where the system's clock is read; everywhere else the time is an argument.
THE_CLOCK = "engine/clock.py"
CLOCK_CALLS = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime"},
    "func": {"now", "current_timestamp", "localtimestamp"},  # the database's clock is a clock too
    "utils": {"localtime"},  # email.utils
    "uuid": {"uuid1", "uuid7"},
}
CLOCK_NAMES = {(module, name) for module, names in CLOCK_CALLS.items() for name in names} | {
    ("email.utils", "localtime")
}

# A library that shapes what uses it is imported in one place. A file or a folder, from the root.
HOMES = {
    "alembic": ("engine/store/",),
    "apscheduler": ("engine/scheduler",),
    "authlib": ("web/",),
    "cryptography": ("engine/audit/",),
    "docx": ("reports/",),
    "docxtpl": ("reports/",),
    "fastapi": ("web/",),
    "holidays": ("engine/days_off.py",),
    "joserfc": ("web/",),
    "psycopg": ("engine/store/",),
    "pyotp": ("web/",),
    "python_calamine": ("reports/",),
    "segno": ("reports/", "web/codes.py"),
    "smpplib": ("notifications/channels/",),
    "sqlalchemy": ("engine/store/",),
    "sqlite3": ("engine/store/", "cli/bench", "cli/demo"),  # the floor that is measured against; the edit past the door
    "starlette": ("web/",),
    "transitions": ("engine/core/",),
    "typer": ("cli/",),
    "typst": ("reports/",),
    "uvicorn": ("web/",),
    "xlsxwriter": ("reports/",),
}

INPUT_OUTPUT = {"asyncio", "http", "multiprocessing", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "tempfile"}

# What else of ours the lower rows of the table may import, whatever new modules come to stand beside them.
REACH = {
    "engine/core/": ("engine.core",),
    "engine/audit/": ("engine.audit", "engine.core"),
    "engine/store/": ("engine.store", "engine.audit", "engine.core"),
}

# What the store promises. Only the wiring chooses what keeps the promise.
STORE_PROMISES = {"ports", "rows"}
WIRING = ("cli/bootstrap.py", "cli/copies.py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Gives each module that is imported, whole (`from a.b import c` gives `a.b` and `a.b.c`), with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def _tells_the_time(call: ast.Call) -> bool:
    """Whether email.utils falls back on the clock: for a day that is not given, and in every Message-ID."""
    name = ast.unparse(call.func).rpartition(".")[2]
    return name == "make_msgid" or (name == "formatdate" and not call.args and not call.keywords)


def clock_reads(source: str) -> list[tuple[int, str]]:
    """Returns where the code reads a clock, by line; a clock that is handed in (`clock.now()`) is none of these."""
    tree = ast.parse(source)
    renamed: dict[str, str] = {}
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            renamed |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            renamed |= {alias.asname: alias.name for alias in node.names if alias.asname}
            found += [
                (node.lineno, f"from {node.module} import {alias.name}")
                for alias in node.names
                if (node.module, alias.name) in CLOCK_NAMES
            ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if node.attr in CLOCK_CALLS.get(renamed.get(name, name).rpartition(".")[2], ()):
                found.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.Call) and _tells_the_time(node):
            found.append((node.lineno, ast.unparse(node)))
    return found


def test_there_are_modules_to_look_at() -> None:
    assert {path.split("/")[0] for path in IDS} == set(PACKAGES)


def test_importing_the_core_brings_no_input_or_output_along() -> None:
    names = [relative(p).removesuffix(".py").replace("/", ".") for p in (ROOT / "engine/core").glob("*.py")]
    # What pydantic and transitions bring by themselves is there first; only what the core adds to it counts. Defining
    # a model lets pydantic look for its plug-ins, which imports importlib.metadata, email and so the name of socket.
    code = f"""
import importlib, sys
import pydantic, transitions, transitions.core, yaml
pydantic.create_model("Empty")
before = set(sys.modules)
for name in {names!r}:
    importlib.import_module(name.removesuffix(".__init__"))
print(*sorted({{m.split(".")[0] for m in set(sys.modules) - before}}))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    added = set(run.stdout.split())
    assert "engine" in added
    assert not added & INPUT_OUTPUT
    distributed = set(packages_distributions()) - set(PACKAGES)
    third_party = added & distributed - {"pydantic", "pydantic_core", "annotated_types", "yaml"}
    assert not third_party, "the core is the standard library, pydantic, transitions and the parser of YAML"


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_module_holds_one_noun(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MODULE_LINES or relative(path) == ALONE


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = [
        f"{node.name} (line {node.lineno}): {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_only_the_one_clock_reads_the_time(path: Path) -> None:
    reads = clock_reads(path.read_text(encoding="utf-8"))
    if relative(path) != THE_CLOCK:
        assert not reads, f"the time is an argument; only {THE_CLOCK} reads it"


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now(tz)",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from datetime import date as day\nday.today()",
        "import datetime\nread = datetime.date.today",
        "import time\ntime.time()",
        "from time import time_ns",
        "from sqlalchemy import func\nfunc.now()",
        "from email.utils import formatdate\nformatdate()",
        "import email.utils\nemail.utils.make_msgid()",
    ],
)
def test_every_way_to_read_the_time_is_seen(source: str) -> None:
    assert clock_reads(source)


@pytest.mark.parametrize(
    "source",
    [
        "clock.now()",
        "import time\ntime.monotonic()",
        "from datetime import time\ntime(7, 30)",
        "from datetime import datetime\ndatetime.fromisoformat(text)",
        "from email.utils import formatdate\nformatdate(moment.timestamp())",
    ],
)
def test_what_does_not_read_the_time_is_let_be(source: str) -> None:
    assert not clock_reads(source)


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_library_is_imported_only_where_it_lives(path: Path) -> None:
    astray = [
        f"line {line}: {module}"
        for module, line in imports(ast.parse(path.read_text(encoding="utf-8")))
        if (homes := HOMES.get(module.split(".")[0])) and not relative(path).startswith(homes)
    ]
    assert not astray


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_the_lower_rows_reach_for_nothing_above_them(path: Path) -> None:
    for folder, reach in REACH.items():
        if relative(path).startswith(folder):
            astray = [
                f"line {line}: {module}"
                for module, line in imports(ast.parse(path.read_text(encoding="utf-8")))
                if module.split(".")[0] in PACKAGES and not f"{module}.".startswith(tuple(f"{r}." for r in reach))
            ]
            assert not astray


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_only_the_wiring_knows_which_store_there_is(path: Path) -> None:
    if relative(path).startswith("engine/store/") or relative(path) in WIRING:
        return
    astray = [
        f"line {line}: {module}"
        for module, line in imports(ast.parse(path.read_text(encoding="utf-8")))
        if module.startswith("engine.store.") and module.split(".")[2] not in STORE_PROMISES
    ]
    assert not astray, f"others than {' and '.join(WIRING)} use what {sorted(STORE_PROMISES)} promise"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_pins_with_hashes_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) > 20
    assert all("==" in line for line in pins)
    assert text.count("--hash=sha256:") >= len(pins)
    for forbidden in ("http:", "https:", "://", "index-url", "find-links", "@ "):
        assert forbidden not in text


def test_what_runs_is_locked_the_same_with_and_without_the_tools() -> None:
    runtime, everything = (
        {line.rstrip(" \\") for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if "==" in line}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= everything
