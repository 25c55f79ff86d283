"""The tables `[channels.X]` of ketnap.toml: whom notices are handed to. Secrets may stand in the environment instead.

The keys of a table are the fields of the channel's settings; `KETNAP_CHANNELS_<TABLE>_<KEY>` wins over the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from engine.core.errors import BadInput
from engine.core.suggestions import suggest
from notifications.channels.bounces import BounceSettings
from notifications.channels.email import EmailSettings
from notifications.channels.gammu import GammuSettings
from notifications.channels.kannel import KannelSettings
from notifications.channels.maildir import MaildirSettings
from notifications.channels.smpp import SmppSettings
from notifications.channels.webhook import WebhookSettings

TABLES: Mapping[str, type[Any]] = {
    "email": EmailSettings,
    "bounces": BounceSettings,
    "kannel": KannelSettings,
    "smpp": SmppSettings,
    "gammu": GammuSettings,
    "webhook": WebhookSettings,
    "maildir": MaildirSettings,
}
SMS = ("kannel", "smpp", "gammu")
PREFIX = "KETNAP_CHANNELS_"
SECRET_BYTES = 24  # of what signs a webhook, and 16 of what a receipt must bear
RECEIPT_SECRET = 16


@dataclass(frozen=True, kw_only=True)
class ChannelTables:
    """The channels that are set up; None for one that is not."""

    email: EmailSettings | None = None
    bounces: BounceSettings | None = None
    kannel: KannelSettings | None = None
    smpp: SmppSettings | None = None
    gammu: GammuSettings | None = None
    webhook: WebhookSettings | None = None
    maildir: MaildirSettings | None = None

    def sms(self, chosen: str | None) -> KannelSettings | SmppSettings | GammuSettings | None:
        """Returns the one that text messages go by. Raises BadInput where several could be meant, or it is not set up.

        `chosen` is the setting `sms`.
        """
        there: dict[str, KannelSettings | SmppSettings | GammuSettings] = {
            name: found for name in SMS if (found := getattr(self, name)) is not None
        }
        if chosen is not None:
            if chosen not in there:
                raise BadInput("setting sms: channels.{name} is not set up", name=chosen)
            return there[chosen]
        if len(there) > 1:
            raise BadInput("text messages could go by {known}: say which with the setting sms", known=", ".join(there))
        return next(iter(there.values()), None)


def read_tables(given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> ChannelTables:
    """Returns the channels of the settings. Raises BadInput naming the key that is wrong, unknown or missing."""
    tables: dict[str, dict[str, Any]] = {}
    for name, table in given.items():
        _known(name, TABLES, "channels")
        if not isinstance(table, Mapping):
            raise BadInput("setting {name}: {why}", name=f"channels.{name}", why="Input should be a table")
        tables[name] = dict(table)
    for path, text in _from_environment(environ):
        inner = tables.setdefault(path[0], {})
        for key in path[1:-1]:
            inner[key] = dict(inner.get(key) or {})
            inner = inner[key]
        inner[path[-1]] = text
    made = ChannelTables(**{name: _read(name, table) for name, table in tables.items()})
    _check(made)
    return made


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], object]]:
    keys = {
        PREFIX + "_".join(path).upper(): (path, hint)
        for name, cls in TABLES.items()
        for path, hint in _paths((name,), cls)
    }
    for variable in sorted(v for v in environ if v.startswith(PREFIX)):
        if variable not in keys:
            _known(variable, keys, "")
        path, hint = keys[variable]
        text = environ[variable]
        yield path, text.replace(",", " ").split() if hint == tuple[str, ...] else text


def _paths(path: tuple[str, ...], cls: type[Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    hints = get_type_hints(cls)
    for field in fields(cls):
        hint = hints[field.name]
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _paths((*path, field.name), hint)
        else:
            yield (*path, field.name), hint


def _read(name: str, table: Mapping[str, Any]) -> Any:
    cls = TABLES[name]
    _only_known(f"channels.{name}", table, cls)
    try:
        return TypeAdapter(cls).validate_python(dict(table))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(("channels", name, *map(str, first["loc"])))
        if first["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
            raise BadInput("setting {name} is missing", name=where) from None
        raise BadInput("setting {name}: {why}", name=where, why=first["msg"]) from None


def _only_known(where: str, table: Mapping[str, Any], cls: type[Any]) -> None:
    hints = get_type_hints(cls)
    for key, value in table.items():
        _known(key, hints, where)
        inner = hints[key]
        if isinstance(value, Mapping) and is_dataclass(inner) and isinstance(inner, type):
            _only_known(f"{where}.{key}", value, inner)


def _known(key: str, known: Mapping[str, object], where: str) -> None:
    if key in known:
        return
    near = suggest(key, known)
    full = [f"{where}.{k}" if where else k for k in (key, near or "")]
    if near is None:
        raise BadInput("there is no setting {name}", name=full[0])
    raise BadInput("there is no setting {name}; did you mean {near}?", name=full[0], near=full[1])


def _check(made: ChannelTables) -> None:
    """Refuses secrets that could be guessed."""
    if made.webhook is not None and len(made.webhook.secret) < SECRET_BYTES:
        raise BadInput(
            "setting {name} is too short: at least {n} letters", name="channels.webhook.secret", n=SECRET_BYTES
        )
    kannel = made.kannel
    if kannel is not None and kannel.callback_url and len(kannel.callback_secret) < RECEIPT_SECRET:
        raise BadInput(
            "setting {name} is too short: at least {n} letters",
            name="channels.kannel.callback_secret",
            n=RECEIPT_SECRET,
        )
