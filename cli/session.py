"""One call of the command: its settings, the language, the database once it is needed, and what it prints."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.settings import Settings, language, read_settings
from engine.core.errors import KetnapError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from cli.bootstrap import Opened
    from engine.answers import Teller
    from engine.service import Service

WIDE = 160  # letters in a line where no terminal says how many it shows


class Session:
    """What one call knows. Everything is made when it is first asked for, so that `--help` costs nothing."""

    def __init__(self, *, as_json: bool = False, db: str | None = None, lang: str | None = None) -> None:
        self.as_json, self.db, self._lang = as_json, db, lang
        self.new_sandbox = False  # what a database with nothing loaded yet is to become

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises BadInput."""
        return read_settings(db=self.db, lang=language(self._lang) if self._lang is not None else None)

    @property
    def lang(self) -> str:
        """The reader's language; a setting that cannot be read is no reason not to say so."""
        given = self._lang if self._lang in ("vi", "en") else None
        if given is None:
            with suppress(KetnapError):
                given = self.settings.lang
        return language(given)

    @property
    def account(self) -> str | None:
        """The operating-system account that typed the command; None where the system knows no name."""
        try:
            import os
            import pwd

            return pwd.getpwuid(os.getuid()).pw_name  # not $LOGNAME, which anybody can set
        except (ImportError, KeyError):
            with suppress(Exception):
                return getpass.getuser()
            return None

    @cached_property
    def opened(self) -> Opened:
        """The database. Raises BadInput."""
        from cli.bootstrap import open_database
        from engine.ledger import Via

        return open_database(
            self.settings, Via(channel="cli", account=self.account), self.lang, new_sandbox=self.new_sandbox
        )

    @property
    def service(self) -> Service:
        """The one door."""
        return self.opened.service

    def changing(self) -> Service:
        """Returns the door for a command that changes something: in a sandbox whose clock was moved, what fell due on
        the way is done first."""
        from cli.bootstrap import catch_up

        catch_up(self.opened, self.settings, self.lang)
        return self.opened.service

    @property
    def translate(self) -> Callable[[str], str]:
        """Turns an English template into the reader's language."""
        from web.words import translator

        return translator(self.lang)

    def say(self, template: str, /, **params: object) -> str:
        """Returns a text of the program in the reader's language."""
        from web.words import fill

        return fill(template, params, self.translate)

    @property
    def teller(self) -> Teller:
        """Writes the documents for this reader."""
        from engine.answers import Teller

        return Teller(lang="en" if self.lang == "en" else "vi", translate=self.translate, zone=self.opened.zone)

    # -- printing

    def day(self, day: str | None) -> str:
        """Returns a document's day as people read it: dd/mm/yyyy; nothing where there is none."""
        return "/".join(reversed((day or "").split("-")))

    def moment(self, at: str | None) -> str:
        """Returns a document's time as people read it: dd/mm/yyyy HH:MM, office time."""
        if at is None:
            return ""
        from datetime import datetime

        return datetime.fromisoformat(at).strftime("%d/%m/%Y %H:%M")

    def console(self, *, err: bool = False) -> Console:
        """Returns where people read. Off a terminal, lines are long enough not to be broken."""
        from cli.terminal import PlainConsole

        stream = sys.stderr if err else sys.stdout
        width = None if stream.isatty() else WIDE
        return PlainConsole(stderr=err, width=width, highlight=False, emoji=False, markup=False)

    def write(self, document: Mapping[str, Any] | list[Any], show: Callable[[Console], None]) -> None:
        """Prints the document for a program, or shows it to a person."""
        if self.as_json:
            self.write_json(document)
            return
        show(self.console())

    def write_json(self, document: Mapping[str, Any] | list[Any]) -> None:
        """Prints one document, a line."""
        data = json.dumps(document, ensure_ascii=False, default=str) + "\n"
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:
            sys.stdout.write(data)
        else:
            sys.stdout.flush()
            binary.write(data.encode())  # UTF-8, whatever the terminal is set to
            binary.flush()

    def note(self, *lines: RenderableType) -> None:
        """Says something beside the answer, on stderr."""
        console = self.console(err=True)
        for line in lines:
            console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Lets go of the database, if it was opened."""
        opened = self.__dict__.pop("opened", None)
        if opened is not None:
            opened.store.close()
