"""Real servers, started once for all tests of a run that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.need import need
from tests.servers import gammu, kannel, mail
from tests.servers.http import WebServer


@pytest.fixture(scope="session")
def mail_server() -> Iterator[mail.MailServer]:
    """Gives a running postfix and dovecot."""
    need(not mail.missing(), mail.missing())
    server = mail.MailServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def kannel_server() -> Iterator[kannel.KannelServer]:
    """Gives a running Kannel, bound to the tests' SMS centre."""
    need(not kannel.missing(), kannel.missing())
    server = kannel.KannelServer()
    try:
        server.centre.start()
        server.start()
        yield server
    finally:
        server.forget()


@pytest.fixture(scope="session")
def gammu_server() -> Iterator[gammu.GammuServer]:
    """Gives a running gammu-smsd with its dummy phone."""
    need(not gammu.missing(), gammu.missing())
    server = gammu.GammuServer()
    try:
        server.start()
        yield server
    finally:
        server.forget()


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    """Gives a web server that keeps what it is asked."""
    with WebServer() as server:
        yield server


@pytest.fixture(scope="session")
def sms_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kannel.SmsCentre]:
    """Gives a running SMS centre of the tests' own, for SMPP without a gateway."""
    centre = kannel.SmsCentre(tmp_path_factory.mktemp("centre"))
    try:
        centre.start()
        yield centre
    finally:
        centre.stop()
