"""Every page there is, with an officer who sees it: axe looks at each, `make screenshots` draws each."""

from __future__ import annotations

# name -> (officer, address). A new page gets its line here.
PAGES: dict[str, tuple[str | None, str]] = {
    "sign-in": (None, "/sign-in"),
    "home": ("cb1_secretary", "/"),
    "home-of-the-committee": ("xa1_secretary", "/"),
    "account": ("cb1_secretary", "/account"),
    "acting": ("cb1_secretary", "/acting"),
    "subject": ("xa1_secretary", "/subjects/u1"),
    "subject-trained": ("cb1_secretary", "/subjects/u2"),
    "step": ("xa1_secretary", "/subjects/u1/steps/recognise"),
    "facts": ("cb1_secretary", "/subjects/u1/facts"),
    "papers": ("cb1_secretary", "/subjects/u2/facts/papers"),
    "undo": ("cb1_secretary", "/subjects/u1/undo"),
    "procedures": ("cb1_secretary", "/procedures"),
    "procedure": ("cb1_secretary", "/procedures/candidate"),
    "reports": ("xa1_secretary", "/reports"),
    "report": ("xa1_secretary", "/reports/monthly"),
    "scores": ("xa1_secretary", "/scores"),
    "inspection": ("tu_inspector", "/inspection"),
    "inspection-late": ("tu_inspector", "/inspection/lists/late"),
    "inspection-openings": ("tu_inspector", "/inspection/lists/openings"),
    "inspection-event": ("tu_inspector", "/inspection/events/3"),
    "supervision": ("tu_inspector", "/inspection/supervision"),
    "verify": ("tu_inspector", "/inspection/verify"),
    "checkpoint": ("tu_inspector", "/inspection/checkpoint"),
    "bundle": ("tu_inspector", "/inspection/bundle"),
    "not-found": ("cb1_secretary", "/subjects/nobody"),
}
