"""A real gammu-smsd whose phone is gammu's own dummy: it takes every message."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.wait import start, stop, until

_CONF = """
[gammu]
model = dummy
connection = none
port = {work}/phone
gammuloc = /dev/null

[smsd]
service = files
logfile = {work}/smsd.log
debuglevel = 255
inboxpath = {work}/inbox/
outboxpath = {work}/outbox/
sentsmspath = {work}/sent/
errorsmspath = {work}/error/
transmitformat = auto
commtimeout = 1
sendtimeout = 5
loopsleep = 1
maxretries = 1
retrytimeout = 1
checksecurity = 0
checkbattery = 0
checksignal = 0
"""


def missing() -> str:
    """Returns why this machine cannot run gammu-smsd; empty if it can."""
    return "" if shutil.which("gammu-smsd") else "not installed: gammu-smsd"


class GammuServer:
    """One gammu-smsd, with its folders below `work`."""

    def __init__(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="ketnap-gammu-"))
        for name in ("inbox", "outbox", "sent", "error", "phone"):
            (self.work / name).mkdir()
        (self.work / "smsdrc").write_text(_CONF.format(work=self.work))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the daemon, and returns when it talks to its phone."""
        log = self.work / "smsd.log"
        before = log.stat().st_size if log.exists() else 0
        self._process = start(["gammu-smsd", "-c", str(self.work / "smsdrc")], self.work / "smsd.out")
        until(
            lambda: (
                log.exists() and "Entering GSM_GetSMSStatus" in log.read_bytes()[before:].decode("utf-8", "replace")
            ),
            what="gammu-smsd at work",
            log=log,
        )

    def stop(self) -> None:
        """Stops the daemon; what lies in the outbox stays there."""
        stop(self._process)

    def forget(self) -> None:
        """Stops the daemon and removes its folders."""
        self.stop()
        shutil.rmtree(self.work, ignore_errors=True)

    def wait_for(self, folder: str, name: str) -> Path:
        """Returns a file when the daemon has moved it to a folder."""
        path = self.work / folder / name
        until(path.exists, what=f"the message in {folder}", log=self.work / "smsd.log")
        return path
