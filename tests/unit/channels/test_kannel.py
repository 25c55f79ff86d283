"""Kannel: what it is asked, and what each of its answers means."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.channels.kannel import KannelChannel, KannelSettings
from tests.servers.http import WebServer
from tests.servers.scripted import ScriptedServer
from tests.servers.wait import free_ports
from tests.unit.channels.helpers import an_sms


@pytest.fixture
def gateway():
    with WebServer() as server:
        yield server


def channel_to(gateway, **settings):
    given: dict[str, Any] = {
        "url": f"http://127.0.0.1:{gateway.port}/cgi-bin/sendsms",
        "user": "ketnap",
        "password": "s3cret",
    }
    return KannelChannel(KannelSettings(**(given | {"timeout_s": 5.0} | settings)))


@pytest.mark.parametrize(
    ("status", "state", "retry", "setup"),
    [
        (202, "accepted", False, False),
        (400, "refused", False, False),
        (403, "failed", True, True),
        (404, "failed", True, True),
        (302, "failed", True, True),
        (429, "failed", True, False),
        (503, "failed", True, False),
        (500, "unknown", False, False),
        (502, "unknown", False, False),
    ],
)
def test_each_answer_of_the_gateway_has_its_outcome(gateway, status, state, retry, setup):
    gateway.answers.append((status, {}))
    outcome = channel_to(gateway).send(an_sms())
    assert (outcome.state, outcome.retry, outcome.setup) == (state, retry, setup)


def test_with_diacritics_it_asks_for_ucs_2_or_letters_turn_into_question_marks(gateway):
    channel_to(gateway, callback_url="http://127.0.0.1:1/dlr", callback_secret="x").send(an_sms())
    query = gateway.asked[0].query
    assert (query["charset"], query["coding"], query["dlr-mask"]) == ("UTF-8", "2", "27")
    assert query["text"] == an_sms().text
    assert query["to"] == "+84912345678"
    assert query["dlr-url"].endswith("&kind=%d&centre=%F&answer=%A")


def test_without_diacritics_the_text_is_folded_and_no_receipt_is_asked_for(gateway):
    channel_to(gateway, mode="gsm7").send(an_sms())
    query = gateway.asked[0].query
    assert (query["text"], query["coding"]) == ("Nhac dong chi: ke hoach nam den han 24/01.", "0")
    assert "dlr-url" not in query


@pytest.mark.parametrize(
    "number", ["", "0912345678", "+84 912 345 678", "+84912345678&to=+84900000000", "+8491234567٣"]
)
def test_what_is_no_number_is_refused_before_the_wire(gateway, number):
    outcome = channel_to(gateway).send(an_sms(to=number))
    assert (outcome.state, outcome.bad_contact) == ("refused", True)
    assert gateway.asked == []


def test_a_text_of_three_segments_is_refused_before_the_wire(gateway):
    assert channel_to(gateway).send(an_sms(text="ệ" * 135)).state == "refused"
    assert channel_to(gateway).send(an_sms(text="ệ" * 134)).state == "accepted"
    assert len(gateway.asked) == 1


def test_a_gateway_that_is_off_is_tried_again():
    (port,) = free_ports(1)
    settings = KannelSettings(url=f"http://127.0.0.1:{port}/", user="a", password="b", timeout_s=2)
    outcome = KannelChannel(settings).send(an_sms())
    assert (outcome.state, outcome.retry, outcome.code) == ("failed", True, "ConnectionRefusedError")


def test_a_gateway_that_hangs_up_without_an_answer_leaves_it_unknown(gateway):
    gateway.answers.append(None)
    assert channel_to(gateway).send(an_sms()).state == "unknown"


def test_a_gateway_that_never_answers_leaves_it_unknown():
    with ScriptedServer(lambda _: b"", greeting=b"") as silent:
        assert channel_to(silent, timeout_s=0.3).send(an_sms()).state == "unknown"


@pytest.mark.parametrize("url", ["ftp://x/", "127.0.0.1:13013", "http://", "http://127.0.0.1:port/"])
def test_an_address_that_is_none_is_a_fault_of_the_setup(url):
    outcome = KannelChannel(KannelSettings(url=url, user="a", password="b")).send(an_sms())
    assert (outcome.state, outcome.setup) == ("failed", True)
