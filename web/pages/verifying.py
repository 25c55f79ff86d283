"""Verifying the trail, with its progress; and the checkpoint that an inspector carries out of the office."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.audit.note import BadNote, VerifierKey
from engine.audit.verify_bundle import read_mail
from engine.audit.words import to_words
from engine.core.errors import BadInput, NotFound
from engine.service import Service
from engine.trail import Signed, read_note
from engine.verifying import Report, verify
from reports.checkpoint_page import picture
from web.forms import Field
from web.jobs import Job
from web.pages.inspection import NEED
from web.pages.reports import download
from web.site import Said, Site, Visit

KIND = "verify"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What verifying found, and when it began; with how many checkpoints from outside it was compared."""

    report: Report
    at: datetime
    given: int


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/inspection/verify", ask, NEED),
        site.post("/inspection/verify", start, NEED, files=True),
        site.get("/inspection/verified/{job}", show, NEED),
        site.get("/inspection/checkpoint", checkpoint, NEED),
        site.post("/inspection/checkpoint", carry, NEED),
        site.get("/inspection/checkpoint/note", note, NEED),
    ]


# ---- verifying ----


def _whole(visit: Visit) -> None:
    """Sees that the officer reads everything, as verifying does. Raises NotFound."""
    visit.service.oversight.see(None, visit.by())


def ask(visit: Visit) -> Response:
    """Shows the form, and what verifying found before."""
    _whole(visit)
    return _form(visit, "", 200)


def _form(visit: Visit, error: str, status: int) -> Response:
    return visit.page(
        "verify.html",
        status,
        works=visit.works(KIND),
        exposure=visit.service.oversight.exposure(),
        typed=visit.form.get("note"),
        key=Field(name="key", label=visit.say("The trail's first public key as you were given it"), kind="text",
                  hint=visit.say("may be left empty; with it a trail that was written anew under another key is found"),
                  value=visit.form.get("key"), error=error),
    )  # fmt: skip


def start(visit: Visit) -> Response:
    """Begins to verify in the background."""
    _whole(visit)
    notes = _notes(visit)
    try:
        key = VerifierKey.parse(visit.form.get("key").strip()) if visit.form.get("key").strip() else None
    except BadInput:
        return _form(visit, visit.say("This is not a key of a known form."), 400)
    now, full, say = visit.now, visit.form.get("fast") != "yes", visit.say
    parts = {
        "hashes": say("Hashing every entry anew"),
        "bodies": say("Reading what every entry says"),
        "subjects": say("Building every subject anew and deciding every step again"),
    }

    def run(service: Service, job: Job) -> Verified:
        with service.work() as work:
            size = work.tx.head().size
        job.count(parts["hashes"], 0, size)

        def progress(part: str, n: int) -> None:
            job.count(parts.get(part, part), n, size if part in ("hashes", "bodies") else 0)

        return Verified(
            report=verify(service, progress, checkpoints=notes, key=key, full=full), at=now, given=len(notes)
        )

    title = say("Verify the trail")
    return visit.work_on(KIND, title, run, to="/inspection/verified/{job}", back="/inspection/verify")


def _notes(visit: Visit) -> Sequence[bytes]:
    """Returns the checkpoints that were handed in: as files, mails or text. What is none is verified as it is."""
    given = [upload.file.read() for name, upload in visit.form.uploads if name == "file" and upload.filename]
    if visit.form.get("note").strip():
        given.append(visit.form.get("note").encode())
    found: list[bytes] = []
    for data in given:
        try:
            found += read_note(read_mail(data))
        except BadNote:
            found.append(data)
    return found


def show(visit: Visit) -> Response:
    """Shows what verifying found."""
    _whole(visit)
    verified: Verified = visit.worked(KIND)
    report = verified.report
    return visit.page(
        "verified.html",
        at=verified.at,
        given=verified.given,
        report=report,
        problems=[(p.event, visit.say(p.kind), p.text(visit.translate)) for p in report.problems],
        exposure=visit.service.oversight.exposure(),
    )


# ---- the checkpoint ----


def checkpoint(visit: Visit) -> Response:
    """Shows the newest checkpoint, to be printed; and how much of the trail none outside covers."""
    return _checkpoint(visit, "", 200)


def _checkpoint(visit: Visit, error: str, status: int) -> Response:
    signed = visit.service.trail.last()
    return visit.page(
        "checkpoint.html",
        status,
        point=signed,
        root=base64.b64encode(signed.checkpoint.root).decode() if signed is not None else "",
        key=str(visit.service.trail.keys()[0].key) if signed is not None else "",
        words=[list(line) for line in to_words(signed.checkpoint.root)] if signed is not None else [],
        picture=Markup(picture(signed.note)) if signed is not None else "",  # noqa: S704 - drawn here, no text in it
        exposure=visit.service.oversight.exposure(),
        to=Field(name="to", label=visit.say("Who takes it out of the office"), kind="text", value=visit.form.get("to"),
                 required=True, error=error),
    )  # fmt: skip


def carry(visit: Visit) -> Response:
    """Signs a new checkpoint, and notes who takes it out of the office."""
    to = visit.form.get("to").strip()[:200]
    if not to:
        return _checkpoint(visit, visit.say("This is needed."), 400)
    signed = visit.service.trail.sign(visit.by_form())
    visit.service.trail.leave(signed.checkpoint.size, "print", to, visit.by_form())
    told = visit.say(
        "A checkpoint of {n} entries is signed. Print this page and take it out.", n=signed.checkpoint.size
    )
    return visit.redirect("/inspection/checkpoint", Said(told))


def note(visit: Visit) -> Response:
    """Gives the newest checkpoint as a file. It names nobody."""
    signed: Signed | None = visit.service.trail.last()
    if signed is None:
        raise NotFound("no checkpoint has been made yet; run: ketnap audit checkpoint")
    return download(
        visit, signed.note.encode(), f"checkpoint-{signed.checkpoint.size}.txt", "text/plain; charset=utf-8"
    )
