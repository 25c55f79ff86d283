"""The reference of the files of reports, made from the models."""

from __future__ import annotations

from engine.core.definition import Text
from engine.core.reference import page
from engine.core.types import BUILT_IN
from reports import layouts as models
from reports.layout_check import OF_FIGURES, OF_ITEMS, TITLE_WORDS
from reports.letters import Letter, UnitLetter

ORDER = (
    models.LayoutFile, models.About, models.Figure, models.Counted, models.Share, models.Case, models.Section,
    models.Grouping, models.Band, models.Listing, models.Column, models.Signature, models.Letterhead, Letter,
    UnitLetter, Text,
)  # fmt: skip

HEAD = """# Report files: every key

Made from the models by `scripts/make-reference`; do not edit. An editor that knows JSON Schema checks the files as you
type with `workflows/schema/report.schema.json` and `letterhead.schema.json`; `ketnap check` says whether the names and
expressions agree with the workflows.

A report is one file of the folder `reports/` beside the workflows; its name is the report's id. `letterhead.yaml` there
says how all documents begin and end; the office's own names are the table `letter` of `ketnap.toml`. Files are YAML as
in [workflow files](workflow-file.md), with the same expressions.

**How it counts.** Steps count by the day they happened (`on`), in the unit where they happened, along the tree of
organisations of the period's last day, or of today while the period runs. Facts are those of that day: what was written
later for a later day changes nothing; what was undone never happened; what is entered late, with the day it happened,
counts in its period, and the report says how many such steps there are. A fact that is not known puts its subject into
the row of what is not known, so the rows of a table always add up to the whole.

"""


def reference() -> str:
    """Returns the reference as Markdown."""
    return page(HEAD, ORDER) + _names()


def _names() -> str:
    items = {**{n: t for n, t in BUILT_IN.items() if n not in ("period", "period_name")}, **OF_ITEMS}
    rows = "".join(f"| `{n}` | {t.name} |\n" for n, t in items.items())
    figures = "".join(f"| `{n}` | {t.name} |\n" for n, t in OF_FIGURES.items())
    return (
        "## Names in expressions\n\nOver what is counted or listed, besides the facts; `today` is the report's day, "
        "`day` that of the step or of the end of the stay, `since` the first day in the state, `stayed` the days of a "
        f"stay:\n\n| name | type |\n| --- | --- |\n{rows}\nOver figures, besides their ids:\n\n"
        f"| name | type |\n| --- | --- |\n{figures}\n"
        f"In titles: {', '.join(f'`{{{w}}}`' for w in TITLE_WORDS)}.\n"
    )
