"""`reports`: reports over ten years of admissions, beside a bare SQL query of the same rows."""

from __future__ import annotations

import sqlite3
import time
from datetime import date, timedelta
from pathlib import Path

from benchmarks.floor import connect
from benchmarks.measure import Result, Sizes, alternate, timed
from benchmarks.town import BY, NOW, Town, branch, found, open_town
from engine.library import shipped_folder
from engine.recording import Past, Record
from reports.handing import FORMATS
from reports.letters import Letter
from reports.making import Request, make
from reports.periods import Span, day_span, year_span, years_span

FLOOR = (
    "plain SQL on sqlite3 that reads the same events and subjects, takes the state and the sex out of their JSON and "
    "counts; it knows nothing of undone steps, past trees, facts of a day or sealed facts"
)
FOLDER = shipped_folder() / "admission"
BRANCHES, FIRST, LAST = 100, 2015, 2024
CHUNK = 500
SQL = """
SELECT e.org, json_extract(s.facts_json, '$.sex'), count(*)
FROM events e JOIN subjects s ON s.id = e.subject
WHERE e.workflow = 'candidate' AND e.kind IN ('moved', 'recorded') AND e."on" BETWEEN ? AND ?
AND json_extract(CAST(e.body AS TEXT), '$.to') = 'admitted'
GROUP BY 1, 2
"""


def run(folder: Path, sizes: Sizes) -> Result:
    """The yearly report of one year and of ten, the list of the elite, and its Excel file."""
    town = _town(folder, sizes.reported)
    try:
        return _measured(town, sizes)
    finally:
        town.close()


def _measured(town: Town, sizes: Sizes) -> Result:
    wanted = {
        "yearly, the last of ten years": ("yearly", year_span(LAST)),
        "yearly, a year long past": ("yearly", year_span(FIRST + 1)),
        "yearly, all ten years": ("yearly", years_span(FIRST, LAST)),
        "list of the elite": ("elite_list", day_span(NOW.date())),
    }
    db = connect(town.file)
    try:
        figures = [
            alternate(
                title,
                "report",
                ours=lambda name=name, span=span: timed(lambda: _make(town, name, span)),
                floor=lambda span=span: _floor(db, span),
                count=1,
                rounds=sizes.batch_rounds,
            )
            for title, (name, span) in wanted.items()
        ]
    finally:
        db.close()
    report = _make(town, "elite_list", day_span(NOW.date()))
    counts = {f"milliseconds for the list of the elite as {f}": _as_file(report, f) for f in ("xlsx", "docx", "pdf")}
    return Result(
        name="reports",
        title=f"Reports over {sizes.reported:,} people and ten years",
        floor=FLOOR,
        figures=figures,
        counts=counts,
    )


def _as_file(report: object, form: str) -> int:
    start = time.perf_counter()
    FORMATS[form](report)  # type: ignore[arg-type]
    return round((time.perf_counter() - start) * 1000)


def _make(town: Town, name: str, span: Span) -> object:
    return make(town.service, FOLDER, Request(name=name, span=span), Letter())


def _floor(db: sqlite3.Connection, span: Span) -> float:
    first = (span.first or date(1900, 1, 1)).isoformat()
    return timed(lambda: db.execute(SQL, (first, span.last.isoformat())).fetchall())


def _town(folder: Path, people: int) -> Town:
    """Makes ten years of people, entered as history: four in ten admitted, the others somewhere on the way."""
    town = open_town(folder / "reports.db")
    found(town, BRANCHES)
    for first in range(0, people, CHUNK):
        records = [_record(n, people) for n in range(first, min(first + CHUNK, people))]
        town.service.past.record(records, BY)
    return town


def _record(n: int, people: int) -> Record:
    days = (date(LAST, 3, 1) - date(FIRST, 1, 5)).days
    on = date(FIRST, 1, 5) + timedelta(days=n * days // people)
    steps = ("recognise", "elite"), ("certify", "trained"), ("open_dossier", "dossier"), ("admit", "admitted")
    far = 4 if n % 5 < 2 else n % 5 - 1
    past = []
    for turn, (trigger, to) in enumerate(steps[:far], start=1):
        at = on + timedelta(days=70 * turn)
        facts = {"recognised_on": at.isoformat()} if turn == 1 else {}
        past.append(Past(on=at, trigger=trigger, to=to, facts=facts, opens=()))
    who = {
        "full_name": f"Nguyễn Văn {n}",
        "birth_date": f"{1970 + n % 35}-05-17",
        "sex": "female" if n % 3 else "male",
        "ethnicity": "Kinh" if n % 4 else "Ê-đê",
        "religion": "none" if n % 7 else "Công giáo",
        "education": "university" if n % 2 else "upper_secondary",
        "occupation": ("Nông dân", "Giáo viên", "Công nhân")[n % 3],
    }
    return Record(workflow="candidate", org=branch(n % BRANCHES), on=on, id=f"candidate-{n}", facts=who, past=past)
