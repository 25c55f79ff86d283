"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

As = Annotated[str | None, typer.Option("--as", metavar="OFFICER", help="The officer who acts.")]
Token = Annotated[
    str | None, typer.Option("--token", metavar="TOKEN", help="The officer's token (KETNAP_TOKEN), outside a sandbox.")
]
On = Annotated[
    str | None,
    typer.Option("--on", metavar="DAY", help="The day it happened, when entered later: YYYY-MM-DD or dd/mm/yyyy."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="The reason, where one is asked for.")]
Facts = Annotated[
    list[str] | None,
    typer.Option(
        "--fact", metavar="FACT=VALUE", help="A fact; FACT.KEY=VALUE for an entry of a map, no VALUE: unknown."
    ),
]
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject's id.")]
IfVersion = Annotated[
    int | None, typer.Option("--if-version", metavar="N", help="Only if the subject is still at this version.")
]
Command = Annotated[
    str | None,
    typer.Option("--command-id", metavar="ID", help="An id of your own: the same command sent again is done once."),
]
ListFiles = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="The list, .xlsx or .csv; several come in together, or none.")
]
