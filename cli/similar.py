"""`similar`: who may be entered twice, before a second one is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Facts
from cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(similar)


def similar(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="WORKFLOW|SUBJECT", help="A workflow with --fact, or a subject's id.")],
    facts: Facts = None,
) -> None:
    """Who may be the same: by name and birth date, by id number, or whatever the workflow compares.

    Says where they stand and by which facts they were found, never the facts. What is sensitive is compared by keyed
    digests and stays sealed.

    Examples: ketnap similar candidate --fact "full_name=Trần Văn An" --fact birth_date=2001-05-20
              ketnap similar u1
    """
    from cli.inputs import read_facts

    session: Session = ctx.obj
    door = session.service.likeness
    found = door.of_facts(what, read_facts(facts)) if facts else door.of_subject(what)
    session.service.access.listed("similar", len(found), subject=None if facts else what)
    documents = [session.teller.alike(a) for a in found]

    def show(console: Console) -> None:
        for document in documents:
            show_alike(session, console, document)
        if not documents:
            console.print(session.say("Nobody like that is entered."))

    session.write({"similar": documents}, show)


def show_alike(session: Session, console: Console, document: Mapping[str, Any], *, place: str = "") -> None:
    """Prints where a subject that may be the same stands."""
    with session.service.work() as work:
        definition = work.library.newest(document["workflow"])
        org = work.office.tree.by_id.get(document["org"])
    by = "; ".join(", ".join(session.teller.fact(definition, f) for f in line) for line in document["by"])
    console.print(
        place
        + session.say(
            "{subject}, {org}: {state}, same {facts}",
            subject=document["subject"],
            org=org.name if org is not None else document["org"],
            state=session.teller.state(definition, document["state"]),
            facts=by,
        ),
        soft_wrap=True,
    )
