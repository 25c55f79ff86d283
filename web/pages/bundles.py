"""A bundle of the trail for whoever trusts nobody: written in the background, then taken away as one file."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from engine.bundling import Wanted, export
from engine.service import Service
from web.forms import Field
from web.jobs import Job
from web.pages.inspection import NEED, read_period
from web.pages.reports import units
from web.site import Site, Visit

KIND = "bundle"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle in one file, in a folder that goes when the bundle is kept no longer."""

    folder: tempfile.TemporaryDirectory[str]
    file: Path
    events: int
    size: int


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/inspection/bundle", ask, NEED),
        site.post("/inspection/bundle", start, NEED),
        site.get("/inspection/bundles/{job}", show, NEED),
        site.get("/inspection/bundles/{job}/file", take, NEED),
    ]


def ask(visit: Visit) -> Response:
    """Shows the form."""
    return _form(visit, {}, 200)


def _form(visit: Visit, errors: Mapping[str, str], status: int) -> Response:
    say, form = visit.say, visit.form
    whole = visit.service.oversight.whole(visit.by())
    fields = [
        Field(name="unit", label=say("Unit"), kind="choice", value=form.get("unit"), options=units(visit),
              required=not whole, error=errors.get("unit", ""),
              hint=say("none: the whole trail") if whole else say("with all below it")),
        Field(name="first", label=say("From day"), kind="day", value=form.get("first"), error=errors.get("first", "")),
        Field(name="last", label=say("To day"), kind="day", value=form.get("last"), error=errors.get("last", "")),
    ]  # fmt: skip
    return visit.page("bundle.html", status, fields=fields, works=visit.works(KIND))


def start(visit: Visit) -> Response:
    """Writes a bundle in the background. That it was written is in the trail, and in the bundle."""
    errors: dict[str, str] = {}
    first, last = read_period(visit, errors)
    unit = visit.form.get("unit") or None
    by = visit.by_form()
    if unit is None and not visit.service.oversight.whole(by):
        errors["unit"] = visit.say("You read some units, not all. Choose one of yours.")
    elif unit is not None and unit not in dict(units(visit)):
        errors["unit"] = visit.say("Choose one of the list.")
    if errors:
        return _form(visit, errors, 400)
    wanted, lang, writing = Wanted(org=unit, first=first, last=last), visit.lang, visit.say("Writing the bundle")

    def run(service: Service, job: Job) -> Bundle:
        job.count(writing, 0)
        service.oversight.see(unit, by)
        folder = tempfile.TemporaryDirectory(prefix="ketnap-bundle-")
        made = export(service, Path(folder.name) / "bundle", wanted, by, lang)
        file = Path(folder.name) / "bundle.zip"
        with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(made.folder.rglob("*")):
                packed.write(path, Path("ketnap") / path.relative_to(made.folder))
        return Bundle(folder=folder, file=file, events=made.events, size=file.stat().st_size)

    title = visit.say("A bundle of the trail")
    return visit.work_on(KIND, title, run, to="/inspection/bundles/{job}", back="/inspection/bundle")


def show(visit: Visit) -> Response:
    """Shows what the bundle holds, and where it is taken."""
    return visit.page("bundle_made.html", bundle=visit.worked(KIND), job=visit.path("job"))


def take(visit: Visit) -> Response:
    """Gives the bundle; that it was made for this officer is noted already."""
    bundle: Bundle = visit.worked(KIND)
    return visit.finish(FileResponse(bundle.file, media_type="application/zip", filename="ketnap-bundle.zip"))
