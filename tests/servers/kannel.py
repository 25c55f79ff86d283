"""A real Kannel (bearerbox and smsbox) in front of the SMS centre of smsc.py."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers.wait import free_ports, listening, start, stop, until

USER, PASSWORD = "ketnap", "s3cret"

# An empty line ends a group, and every box listens on all interfaces unless it is told otherwise.
_CONF = """group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin-only
status-password = status-only
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = "{work}/bearerbox.log"
log-level = 0
store-type = spool
store-location = "{work}/spool"
dlr-storage = internal
sms-resend-freq = 1
sms-resend-retry = 1

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = ketnap
smsc-password = s3cret
system-type = ""
address-range = ""
reconnect-delay = 1
enquire-link-interval = 5
wait-ack = 5
throughput = 50

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
log-file = "{work}/smsbox.log"
log-level = 0
global-sender = "Ketnap"

group = sendsms-user
username = ketnap
password = s3cret
concatenation = true
max-messages = 6

group = sms-service
keyword = default
text = "no service"
omit-empty = true
max-messages = 0
"""


def missing() -> str:
    """Returns why this machine cannot run Kannel; empty if it can."""
    absent = [name for name in ("bearerbox", "smsbox") if shutil.which(name) is None]
    return "not installed: kannel" if absent else ""


class SmsCentre:
    """smsc.py as a process of its own, with the log of what it took."""

    def __init__(self, work: Path) -> None:
        self.work = work
        (self.port,) = free_ports(1)
        self.log_path = work / "centre.jsonl"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it on its port, and returns when it listens."""
        script = Path(__file__).with_name("smsc.py")
        command = [sys.executable, str(script), str(self.port), str(self.log_path)]
        self._process = start(command, self.work / "centre.out")
        until(lambda: listening(self.port), what="the SMS centre", log=self.work / "centre.out")

    def stop(self) -> None:
        """Ends it; receipts that were not confirmed are forgotten."""
        stop(self._process)

    def taken(self, to: str) -> list[dict[str, Any]]:
        """Returns the entries of submit_sm to a number, oldest first."""
        if not self.log_path.exists():
            return []
        lines = [json.loads(line) for line in self.log_path.read_text("utf-8").splitlines()]
        return [entry for entry in lines if entry.get("to") == to.removeprefix("+")]

    def wait_for(self, to: str, how_many: int = 1) -> list[dict[str, Any]]:
        """Returns the entries for a number when there are that many."""
        return until(
            lambda: entries if len(entries := self.taken(to)) >= how_many else None,
            what=f"{how_many} submit_sm at the SMS centre",
        )


class KannelServer:
    """One bearerbox, one smsbox and one SMS centre, each of which may be stopped alone."""

    def __init__(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="ketnap-kannel-"))
        (self.work / "spool").mkdir()
        self.centre = SmsCentre(self.work)
        self.http, self.admin, self.box = free_ports(3)
        self.url = f"http://127.0.0.1:{self.http}/cgi-bin/sendsms"
        self._boxes: list[subprocess.Popen[bytes]] = []
        conf = _CONF.format(work=self.work, smpp=self.centre.port, http=self.http, admin=self.admin, box=self.box)
        (self.work / "kannel.conf").write_text(conf)

    def start(self) -> None:
        """Starts the boxes, and returns when they have found the centre, if it is there."""
        for name, port in (("bearerbox", self.box), ("smsbox", self.http)):
            out = self.work / f"{name}.out"
            self._boxes.append(start([name, str(self.work / "kannel.conf")], out))
            until(partial(listening, port), what=name, log=out)
        if listening(self.centre.port):
            self.wait_online()

    def wait_online(self) -> None:
        """Returns when Kannel is bound to the centre."""
        until(lambda: "(online" in self.status(), what="Kannel online", log=self.work / "bearerbox.log")

    def wait_offline(self) -> None:
        """Returns when Kannel knows that the centre is gone."""
        until(lambda: "(online" not in self.status(), what="Kannel without its centre")

    def status(self) -> str:
        """Returns Kannel's own page about itself."""
        url = f"http://127.0.0.1:{self.admin}/status.txt?password=status-only"
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                return str(page.read(), "utf-8", "replace")
        except OSError:
            return ""

    def sent(self) -> tuple[int, int]:
        """Returns how many messages Kannel counts as sent, and how many wait."""
        found = re.search(r"SMS: .*?sent (\d+) \((\d+) queued\)", self.status(), re.DOTALL)
        assert found, self.status()
        return int(found[1]), int(found[2])

    def stop(self) -> None:
        """Stops the boxes; what waits stays in the spool."""
        while self._boxes:
            stop(self._boxes.pop())

    def forget(self) -> None:
        """Stops everything and removes the folder."""
        self.stop()
        self.centre.stop()
        shutil.rmtree(self.work, ignore_errors=True)
