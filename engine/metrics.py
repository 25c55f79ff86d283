"""What waits, what failed and for how long: for `ketnap status` and as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.core.events import stamp, unstamp
from engine.lanes import Lane, read_lanes
from engine.service import Service
from engine.trail import Exposure, exposure

STATES = ("queued", "claimed", "accepted", "delivered", "refused", "failed", "unknown", "cancelled")
AGED = ("queued", "claimed", "unknown", "failed", "refused")  # states whose oldest notice somebody should know


@dataclass(frozen=True, kw_only=True)
class Status:
    """How the delivery of notices stands. `ages` is how long ago the oldest notice of a state was due.

    `late` is how long ago the oldest timer was due that is not done: more than minutes means that no scheduler runs.
    """

    counts: dict[str, int]
    ages: dict[str, timedelta]
    late: timedelta
    held: Sequence[Lane]
    bad_contacts: int
    exposure: Exposure


def status(service: Service) -> Status:
    """Returns how the delivery of notices stands now."""
    with service.work() as work:
        ages: dict[str, timedelta] = {}
        for state in AGED:
            oldest = work.tx.outbox(states=[state], limit=1)
            if oldest:
                ages[state] = max(work.now - unstamp(oldest[0].due_at), timedelta())
        due = work.tx.next_due()
        return Status(
            counts={s: n for s, n in work.tx.outbox_counts().items() if n},
            ages=ages,
            late=max(work.now - unstamp(due), timedelta()) if due is not None else timedelta(),
            held=[lane for lane in read_lanes(work.tx) if lane.until is not None and lane.until > stamp(work.now)],
            bad_contacts=sum(len(o.bad & {o.email, o.phone, o.webhook}) for o in work.office.officers.values()),
            exposure=exposure(work),
        )


def metrics(service: Service) -> str:
    """Returns the same in Prometheus' text format 0.0.4."""
    return "".join(f"{line}\n" for line in _lines(status(service)))


def _lines(now: Status) -> Iterator[str]:
    yield from _head("ketnap_notices", "Notices in the outbox.")
    for state in STATES:
        yield f'ketnap_notices{{state="{state}"}} {now.counts.get(state, 0)}'
    yield from _head("ketnap_notices_oldest_seconds", "How long ago the oldest notice of a state was due.")
    for state in AGED:
        seconds = now.ages.get(state, timedelta()).total_seconds()
        yield f'ketnap_notices_oldest_seconds{{state="{state}"}} {seconds:.0f}'
    yield from _head("ketnap_timers_late_seconds", "How long ago the oldest timer was due that is not done.")
    yield f"ketnap_timers_late_seconds {now.late.total_seconds():.0f}"
    yield from _head("ketnap_gateway_held", "1 for a gateway, or a domain behind one, to which nothing is sent now.")
    for lane in now.held:
        yield f'ketnap_gateway_held{{channel="{_label(lane.channel)}",domain="{_label(lane.domain)}"}} 1'
    yield from _head("ketnap_bad_contacts", "Addresses and numbers of officers that were refused.")
    yield f"ketnap_bad_contacts {now.bad_contacts}"
    yield from _head("ketnap_trail_events", "Events of the trail.")
    yield f"ketnap_trail_events {now.exposure.size}"
    yield from _head("ketnap_trail_exposed_events", "Events that no checkpoint outside this machine covers.")
    yield f"ketnap_trail_exposed_events {now.exposure.events}"


def _head(name: str, help_: str) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} gauge"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
