"""The only wiring: settings become a store, keys, channels and the service."""

from __future__ import annotations

import os
from collections.abc import Callable

from engine.audit.seal import MasterKey, Sealer
from engine.clock import Clock
from engine.ledger import Via
from engine.service import Service
from engine.store.ports import Store
from engine.work import Kit
from notifications.draft import Drafts
from notifications.plan import Notices
from notifications.render import Templates


def build_service(
    store: Store,
    clock: Clock,
    via: Via,
    *,
    master: bytes,
    random: Callable[[int], bytes] = os.urandom,
    lang: str = "vi",
    link_base: str = "",
) -> Service:
    """Returns the service over a store. `master` is the key of 32 bytes that wraps the subjects' keys."""
    kit = Kit(
        store=store,
        clock=clock,
        master=MasterKey(master, random),
        random=random,
        sealer=Sealer(random),
        notifier=Notices(),
    )
    return Service(kit, Drafts(Templates, lang=lang, link_base=link_base), via)
