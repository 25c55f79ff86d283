"""Webhooks: signed, timed, never redirected, only to hosts that were allowed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from notifications.channels.webhook import WebhookChannel, WebhookSettings, body_of, verify
from tests.servers.http import WebServer
from tests.servers.scripted import ScriptedServer
from tests.servers.wait import free_ports
from tests.unit.channels.helpers import NOON, SUBJECT, a_message

SECRET = b"a secret of at least 24 bytes"


@pytest.fixture
def receiver():
    with WebServer() as server:
        yield server


def channel_to(port, **settings):
    given: dict[str, Any] = {"secret": SECRET, "hosts": (f"127.0.0.1:{port}",), "timeout_s": 5.0}
    return WebhookChannel(WebhookSettings(**(given | settings)), clock=lambda: NOON)


def to(port, path="/hooks/notices"):
    return a_message(to=f"http://127.0.0.1:{port}{path}")


def test_the_receiver_gets_the_notice_the_key_and_a_signature_that_it_can_check_by_hand(receiver):
    outcome = channel_to(receiver.port).send(to(receiver.port))
    assert outcome.state == "accepted"
    (asked,) = receiver.asked
    assert asked.headers["idempotency-key"] == asked.headers["webhook-id"] == a_message().id
    assert asked.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    signed = f"{a_message().id}.{int(NOON.timestamp())}.".encode() + asked.body
    by_hand = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{by_hand}"
    told = json.loads(asked.body)
    assert (told["subject"], told["created_at"]) == (SUBJECT, "2026-01-20T05:00:00Z")


def test_a_call_that_was_changed_or_is_old_or_of_another_does_not_verify(receiver):
    channel_to(receiver.port).send(to(receiver.port))
    (asked,) = receiver.asked
    headers, body = asked.headers, asked.body
    assert verify(SECRET, headers, body, now=NOON + timedelta(minutes=4))
    assert verify(SECRET, headers | {"webhook-signature": "v1,x " + headers["webhook-signature"]}, body, now=NOON)
    assert not verify(SECRET, headers, body + b" ", now=NOON)
    assert not verify(b"another", headers, body, now=NOON)
    assert not verify(SECRET, headers, body, now=NOON + timedelta(minutes=6))
    assert not verify(SECRET, headers | {"webhook-id": "other"}, body, now=NOON)
    assert not verify(SECRET, headers | {"webhook-timestamp": str(int(NOON.timestamp()) + 1)}, body, now=NOON)
    assert not verify(SECRET, headers | {"webhook-timestamp": "đ"}, body, now=NOON)
    assert not verify(SECRET, {}, body, now=NOON)


def test_both_attempts_carry_the_same_key_and_body(receiver):
    channel = channel_to(receiver.port)
    receiver.answers.append(None)
    assert channel.send(to(receiver.port)).state == "unknown"
    assert channel.send(to(receiver.port)).state == "accepted"
    first, second = receiver.asked
    assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])


@pytest.mark.parametrize(
    ("status", "headers", "state", "retry", "setup", "pause"),
    [
        (200, {}, "accepted", False, False, None),
        (204, {}, "accepted", False, False, None),
        (301, {"Location": "http://127.0.0.1:1/"}, "failed", True, True, 900),
        (307, {"Location": "/other"}, "failed", True, True, 900),
        (400, {}, "refused", False, False, None),
        (401, {}, "failed", True, True, 900),
        (404, {}, "refused", False, False, None),
        (409, {}, "failed", True, False, None),
        (429, {"Retry-After": "120"}, "failed", True, False, 120),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "failed", True, False, None),
        (503, {"Retry-After": "9" * 30}, "failed", True, False, 86_400),
        (500, {}, "failed", True, False, None),
    ],
)
def test_each_answer_has_its_outcome(receiver, status, headers, state, retry, setup, pause):
    receiver.answers.append((status, headers))
    outcome = channel_to(receiver.port).send(to(receiver.port))
    assert (outcome.state, outcome.retry, outcome.setup, outcome.retry_after_s) == (state, retry, setup, pause)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/",
        "http://127.0.0.1@evil.test/",
        "http://user:pw@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/\r\nX: y",
        "http://127.0.0.1:{port}/a b",
        "http://127.0.0.1:99999/",
        "",
    ],
)
def test_no_other_host_and_no_other_scheme_is_called(receiver, url):
    outcome = channel_to(receiver.port).send(a_message(to=url.format(port=receiver.port)))
    assert (outcome.state, outcome.bad_contact) == ("refused", True)
    assert receiver.asked == []


def test_a_receiver_that_is_off_is_tried_again():
    (port,) = free_ports(1)
    outcome = channel_to(port).send(to(port))
    assert (outcome.state, outcome.retry) == ("failed", True)


def test_a_receiver_that_never_answers_leaves_it_unknown():
    with ScriptedServer(lambda _: b"", greeting=b"") as silent:
        assert channel_to(silent.port, timeout_s=0.3).send(to(silent.port)).state == "unknown"


def test_check_asks_without_a_notice(receiver):
    channel = channel_to(receiver.port, check_url=f"http://127.0.0.1:{receiver.port}/")
    receiver.answers.append((405, {}))
    assert channel.check().state == "accepted"
    assert [asked.method for asked in receiver.asked] == ["HEAD"]
    assert channel_to(receiver.port, check_url="http://elsewhere.test/").check().setup


def test_the_body_is_ascii_whatever_the_text():
    assert body_of(a_message(text="ế \ud83d")).isascii()
