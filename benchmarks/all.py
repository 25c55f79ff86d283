"""All benchmarks by name, the machine they run on, and what they found as one document."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import append, decide, notices, reports, step, tick, verify, web
from benchmarks.measure import Figure, Result, Sizes

BENCHMARKS: Mapping[str, Callable[[Path, Sizes], Result]] = {
    "step": step.step,
    "batch": step.batch,
    "decide": decide.run,
    "tick": tick.run,
    "verify": verify.run,
    "append": append.run,
    "notices": notices.run,
    "reports": reports.run,
    "web": web.run,
}


def run_one(name: str, beside: Path, sizes: Sizes) -> Result:
    """Runs one benchmark in a folder of its own inside `beside`, whose file system is the one that is measured."""
    with tempfile.TemporaryDirectory(prefix=".ketnap-bench-", dir=beside) as folder:
        return BENCHMARKS[name](Path(folder), sizes)


def machine(beside: Path) -> dict[str, Any]:
    """Returns what the figures depend on: processors, versions, the file system, the time that one sync takes."""
    return {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "transitions": metadata.version("transitions"),
        "file_system": _file_system(beside),
        "sync_us": round(_sync_seconds(beside) * 1e6),
        "load": round(os.getloadavg()[0], 2),
    }


def _file_system(folder: Path) -> str | None:
    """Returns the type of a folder's file system, None where the kernel does not tell."""
    best, kind = "", None
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in mounts:
        _, point, type_, *_ = line.split()
        if len(point) > len(best) and folder.resolve().is_relative_to(point):
            best, kind = point, type_
    return kind


def _sync_seconds(folder: Path, times: int = 50) -> float:
    """Returns the median time of writing one page and having it on the disk."""
    found: list[float] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            start = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fsync(file.fileno())
            found.append(time.perf_counter() - start)
    return median(found)


def document(found: Mapping[str, Any], results: Sequence[Result]) -> dict[str, Any]:
    """Returns what `--json` prints."""
    return {
        "machine": dict(found),
        "benchmarks": [
            {
                "name": r.name,
                "title": r.title,
                "floor": r.floor,
                "figures": [_figure(f) for f in r.figures],
                "counts": dict(r.counts),
            }
            for r in results
        ],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {**asdict(figure), "met": figure.met}
