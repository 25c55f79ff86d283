"""What the wiring hands to the pages: what they show, and the files and forecasts beside the one door."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cli.bootstrap import Opened, forecast_on, forms_folder, workflow_folder
from cli.settings import Settings
from engine.core.errors import BadInput, NotFound
from engine.core.reader import FindingsError
from engine.library import shipped_folder
from engine.service import Service

if TYPE_CHECKING:
    from notifications.channels.port import Outcome
    from web.pages_file import PagesFile
    from web.wired import Wired


def pages_of(settings: Settings, service: Service) -> PagesFile:
    """Returns what the pages show: pages.yaml beside the workflows that are loaded, else what is usual.

    Raises FindingsError for a file that names what there is not, BadInput where a workflow beside it is not loaded yet.
    """
    from web.app import page_names
    from web.pages_file import FILE, check_pages, read_pages, usual

    with service.work() as work:
        if not work.library.workflows:
            raise NotFound("no workflow is loaded; run: ketnap init")
        area, definitions = work.library.area.file.area, work.library.all_newest()
    for folder in (settings.workflows, shipped_folder()):
        for path in [] if folder is None else [folder / FILE, folder / area / FILE]:
            if path.is_file():
                file, tree = read_pages(path)
                if file.pages == area:
                    named = dict.fromkeys([*file.workflows, *(i.of for i in file.menu if i.of)])
                    new = [n for n in named if n not in definitions and path.with_name(f"{n}.yaml").is_file()]
                    if new:
                        raise BadInput("not loaded yet: {workflows}; run: ketnap init", workflows=", ".join(new))
                    faults = check_pages(file, tree, str(path), definitions, page_names())
                    if faults:
                        raise FindingsError(tuple(faults))
                    return file
    return usual(area, definitions)


def wired_of(settings: Settings, opened: Opened) -> Wired:
    """Returns what the pages need beside the one door."""
    from cli.backups import erase_from_backups
    from cli.identity import provider_of
    from cli.trying import channels_set_up
    from web.wired import Channels, Wired

    with opened.service.work() as work:
        area = work.library.area.file.area
    try:
        folder = workflow_folder(settings, area)
    except NotFound:
        folder = None
    channels = Channels(names=channels_set_up(settings), try_=partial(_try, settings, opened))
    return Wired(
        channels=channels,
        folder=folder,
        forms=forms_folder(settings),
        letter=settings.letter,
        forecast=partial(forecast_on, opened),
        provider=provider_of(settings),
        erase_copies=partial(erase_from_backups, settings),
    )


def _try(settings: Settings, opened: Opened, name: str, to: str | None, lang: str) -> Outcome:
    from cli.trying import Trial
    from web.words import fill, translator

    translate = translator(lang)

    def say(template: str, **params: object) -> str:
        return fill(template, params, translate)

    return Trial(settings, opened, say, lang).run(name, to)
