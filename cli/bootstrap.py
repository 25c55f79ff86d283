"""The only wiring: from settings to a store, keys, a clock and the one door. `delivery` adds the channels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.settings import Settings
from engine.audit.keys import (
    make_master_key,
    make_signing_key,
    master_key,
    signing_key,
)
from engine.audit.note import SigningKey
from engine.audit.seal import MasterKey, Sealer
from engine.clock import Clock, SetClock, ShiftedClock, SystemClock
from engine.core.authority import Office
from engine.core.errors import BadInput, NotFound
from engine.core.events import unstamp
from engine.core.machine import Area
from engine.core.sending import Draft, Drafter, Matter
from engine.kit import Kit
from engine.ledger import Via
from engine.library import (
    AREA_FILE,
    OFFICE_FILE,
    Library,
    Source,
    find_sources,
    shipped_folder,
    shipped_sources,
    with_office,
)
from engine.service import Service
from engine.store.open import open_store
from engine.store.ports import Store
from engine.trail import SANDBOX, key_chain
from notifications.plan import Notices

if TYPE_CHECKING:
    from engine.core.sending import Unreached
    from notifications.forecast import Expected

OFFICE_ZONE = "Asia/Ho_Chi_Minh"  # until a loaded area names its own
CLOSE = timedelta(hours=1)  # a sandbox's command may be dated as much later, where others came in between


class LazyDrafter:
    """Writes notices; loads the template engine only when one is to be written, which most commands never do."""

    def __init__(self, lang: str, link_base: str) -> None:
        self._lang, self._link_base = lang, link_base
        self._drafter: Drafter | None = None

    def drafts(self, matter: Matter, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for every recipient and channel of today."""
        return self._made().drafts(matter, area, office)

    def report(self, unreached: Unreached, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for each of those who are told that notices do not reach an officer."""
        return self._made().report(unreached, area, office)

    def correction(self, text: Mapping[str, str], sent: date, reason: str) -> Draft:
        """Returns the words that take back a notice that was sent on a day."""
        return self._made().correction(text, sent, reason)

    def _made(self) -> Drafter:
        if self._drafter is None:
            from notifications.draft import Drafts
            from notifications.render import Templates

            self._drafter = Drafts(Templates, lang=self._lang, link_base=self._link_base)
        return self._drafter


def build_service(
    store: Store,
    clock: Clock,
    via: Via,
    *,
    master: bytes,
    random: Callable[[int], bytes] = os.urandom,
    lang: str = "vi",
    link_base: str = "",
    zone: tzinfo | None = None,
    signer: Callable[[], SigningKey] | None = None,
) -> Service:
    """Returns the one door over a store. `master` is the key of 32 bytes that wraps the subjects' keys.

    `zone` is another than the area's, for a scenario.
    """
    kit = Kit(
        store=store,
        clock=clock,
        master=MasterKey(master, random),
        random=random,
        sealer=Sealer(random),
        notifier=Notices(),
        zone=zone,
        signer=signer,
    )
    return Service(kit, LazyDrafter(lang, link_base), via)


def store_at(url: str) -> Store:
    """Returns the store that a URL names, not looked at yet. Raises BadInput for one that names none."""
    return open_store(url)


# ---- files ----


def sqlite_file(url: str) -> Path | None:
    """Returns the file of an SQLite URL, None for another database or one in memory."""
    for scheme in ("sqlite:///", "sqlite+pysqlite:///"):
        if url.startswith(scheme) and url != scheme and not url.endswith(":memory:"):
            return Path(url.removeprefix(scheme))
    return None


def key_file(settings: Settings) -> Path:
    """Returns where the master key stands."""
    if settings.master_key_file is not None:
        return settings.master_key_file
    file = sqlite_file(settings.db)
    return Path("ketnap.key") if file is None else file.with_name(file.name + ".key")


def signing_file(settings: Settings) -> Path:
    """Returns where the key that signs checkpoints stands."""
    if settings.signing_key_file is not None:
        return settings.signing_key_file
    file = sqlite_file(settings.db)
    return Path("ketnap.signing.key") if file is None else file.with_name(file.name + ".signing.key")


def signer_of(settings: Settings) -> Callable[[], SigningKey] | None:
    """Returns what reads the key that signs checkpoints, each time anew; None where there is none."""
    file, given = signing_file(settings), settings.signing_key
    return (lambda: signing_key(file=file, given=given)) if given or file.exists() else None


def office_file(settings: Settings) -> Path:
    """Returns where the office's own changes of notice rules stand, if it has any."""
    if settings.office is not None:
        return settings.office
    file = sqlite_file(settings.db)
    return Path(OFFICE_FILE) if file is None else file.with_name(OFFICE_FILE)


def workflow_sources(settings: Settings, folder: Path | None = None) -> list[Source]:
    """Returns the workflows to be loaded: of the folder, of the one in the settings, or the shipped ones; with the
    office's own changes. Raises BadInput where the settings name a file for these that is not there."""
    chosen = folder or settings.workflows
    own = office_file(settings)
    if settings.office is not None and not own.is_file():
        raise NotFound("there is no file {file} with the office's own notice rules", file=str(own))
    return with_office(shipped_sources() if chosen is None else find_sources([str(chosen)]), own)


def workflow_folder(settings: Settings, area: str) -> Path:
    """Returns the folder that holds an area's files beside its workflows, such as the profiles of lists."""
    for folder in (settings.workflows, shipped_folder()):
        for path in [] if folder is None else [folder, folder / area]:
            if (path / AREA_FILE).is_file():
                return path
    raise NotFound(
        "there is no folder of workflows for {area}: name it in ketnap.toml (`workflows`) or in KETNAP_WORKFLOWS",
        area=area,
    )


def forms_folder(settings: Settings) -> Path | None:
    """Returns the folder with the office's own Word files of forms, if it has one."""
    if settings.forms is not None:
        return settings.forms
    file = sqlite_file(settings.db)
    beside = Path("forms") if file is None else file.with_name("forms")
    return beside if beside.is_dir() else None


# ---- the database ----


@dataclass(frozen=True, kw_only=True)
class Made:
    """What `make_database` found and made."""

    new: bool
    keys: Sequence[Path]


def make_database(settings: Settings) -> Made:
    """Makes the tables, or brings them up to date, and the keys that are not there. Safe to call twice.

    A database with entries never gets a new master key: what it holds could not be read with it; nor one that signs
    checkpoints where the trail has one, which alone can hand over to another. Raises NotFound.
    """
    file = sqlite_file(settings.db)
    if file is not None and not file.parent.is_dir():
        raise NotFound("there is no folder {folder} for the database", folder=str(file.parent))
    store = open_store(settings.db)
    try:
        store.create()
        with store.transaction(write=False) as tx:
            new, signed = not tx.definitions(), key_chain(tx) is not None
    finally:
        store.close()
    made: list[Path] = []
    if settings.master_key is None and (not key_file(settings).exists()):
        if not new:
            raise NotFound("There is no key in {file}.", file=str(key_file(settings)))
        make_master_key(key_file(settings), os.urandom)
        made.append(key_file(settings))
    if settings.signing_key is None and not signed and not signing_file(settings).exists():
        make_signing_key(signing_file(settings), f"ketnap/{os.urandom(4).hex()}", os.urandom)
        made.append(signing_file(settings))
    return Made(new=new, keys=made)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A database with its door. `zone` is the office's; `set_clock` tells that KETNAP_NOW set the clock."""

    store: Store
    service: Service
    sandbox: bool
    zone: tzinfo
    master: bytes
    set_clock: bool
    base_url: str


def open_database(settings: Settings, via: Via, lang: str, *, new_sandbox: bool = False) -> Opened:
    """Opens the database of the settings; `new_sandbox` is what one with nothing loaded yet is to become.

    Raises BadInput when it is missing, and for KETNAP_NOW outside a sandbox.
    """
    file = sqlite_file(settings.db)
    if file is not None and not file.exists():
        raise NotFound("there is no database {db}; run: ketnap init", db=settings.db)
    store = open_store(settings.db)
    try:
        store.check()
        master = master_key(file=key_file(settings), given=settings.master_key)
        with store.transaction(write=False) as tx:
            stored = tx.setting(SANDBOX)
            sandbox = new_sandbox if stored is None else stored == "true"
            library = Library(tx.definitions())
        zone = ZoneInfo(library.area.file.calendar.zone if library.workflows else OFFICE_ZONE)
        clock = clock_of(settings, store, zone, sandbox=sandbox)
    except BaseException:
        store.close()
        raise
    signer = signer_of(settings)
    service = build_service(store, clock, via, master=master, lang=lang, link_base=settings.base_url, signer=signer)
    return Opened(
        store=store,
        service=service,
        sandbox=sandbox,
        zone=zone,
        master=master,
        set_clock=settings.now is not None,
        base_url=settings.base_url,
    )


def clock_of(settings: Settings, store: Store, zone: tzinfo, *, sandbox: bool) -> Clock:
    """Returns the system's clock; in a sandbox with KETNAP_NOW one that begins there.

    A real database takes its time from nowhere else. Commands given one after the other with the same KETNAP_NOW each
    go on where the one before ended. Raises BadInput.
    """
    if settings.now is None:
        return SystemClock()
    if not sandbox:
        raise BadInput("KETNAP_NOW sets the clock of a sandbox only; this is a real database")
    start = read_time("KETNAP_NOW", settings.now, zone)
    with store.transaction(write=True) as tx:
        last = tx.head().at
    if last and unstamp(last) > start:
        if unstamp(last) - start > CLOSE:
            raise BadInput(
                "KETNAP_NOW: {now} lies before the last entry of the trail, {last}; a clock never goes back",
                now=settings.now,
                last=unstamp(last).astimezone(zone).isoformat(timespec="seconds"),
            )
        start = unstamp(last)
    return ShiftedClock(start)


def read_time(name: str, text: str, zone: tzinfo) -> datetime:
    """Reads a time as people write it; without an offset it is office time. Raises BadInput."""
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise BadInput("{name}: {value} is not a time (YYYY-MM-DD HH:MM)", name=name, value=text[:80]) from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def read_moment(name: str, text: str, zone: tzinfo) -> datetime:
    """Reads a time up to which something is known; a day alone means all of it. Raises BadInput."""
    at = read_time(name, text, zone)
    return at + timedelta(days=1) - timedelta(microseconds=1) if len(text.strip()) == len("2024-01-01") else at


def catch_up(opened: Opened, settings: Settings, lang: str) -> int:
    """Does what is due up to the sandbox's clock, each at its own time, as if the program had run all along.

    Only where KETNAP_NOW moves the clock; elsewhere the scheduler and the worker do it. Returns how much was done.
    """
    if not opened.set_clock:
        return 0
    from cli.delivery import Delivery

    service, now = opened.service, opened.service.kit.clock.now()
    with opened.store.transaction(write=True) as tx:
        last = tx.head().at
    clock = SetClock(min(unstamp(last), now) if last else now)
    real, service.kit.clock = service.kit.clock, clock
    # The days between were never lived through, so no checkpoint of theirs is mailed; today's is opened afterwards.
    signer, service.kit.signer = service.kit.signer, None
    delivery = Delivery(service, settings, sandbox=True, lang=lang)
    done = 0
    try:
        while (due := service.next_due()) is not None and due <= now:
            clock.set(max(due, clock.now()))
            did = service.tick() + delivery.deliver()
            if not did:
                break
            done += did
    finally:
        delivery.close()
        service.kit.clock, service.kit.signer = real, signer
    return done


# ---- another thread ----


def door_beside(opened: Opened, settings: Settings, via: Via, lang: str) -> tuple[Store, Service]:
    """Returns a second door to the same database with the same clock, for another thread; its store is to be closed."""
    store = open_store(settings.db)
    service = build_service(
        store,
        opened.service.kit.clock,
        via,
        master=opened.master,
        lang=lang,
        link_base=settings.base_url,
        signer=opened.service.kit.signer,
    )
    return store, service


# ---- the forecast ----


def forecast_on(opened: Opened, first: date, last: date, lang: str) -> Iterator[Expected]:
    """Yields what would go out from one day to another, on a copy in memory. The database itself is only read.

    Without checkpoints of the trail: nothing signs what has not happened.
    """
    from engine.store.copy import copy_into_memory
    from notifications.forecast import forecast

    clock = SetClock(opened.service.kit.clock.now())
    begins, ends = (datetime.combine(d, time(), opened.zone) for d in (first, last + timedelta(days=1)))
    copy = copy_into_memory(opened.store)
    try:
        via = Via(channel="forecast")
        service = build_service(
            copy,
            clock,
            via,
            master=opened.master,
            lang=lang,
            link_base=opened.base_url,
        )
        for expected in forecast(service, clock, ends):
            if begins <= expected.at < ends:
                yield expected
    finally:
        copy.close()
