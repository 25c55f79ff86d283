"""What gateways say of a message after taking it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.receipt import (
    BadReceipt,
    kannel_callback,
    kannel_token,
    of_status,
    read_kannel,
    read_smpp,
)

SECRET = "bí mật của cổng"


def called(kind, answer="", centre="1001", **changed):
    query = {"id": "n-1", "token": kannel_token("n-1", SECRET), "kind": kind, "centre": centre, "answer": answer}
    return read_kannel(query | changed, SECRET)


REPORT = "id:1001 sub:001 dlvrd:{} submit date:2611240730 done date:2611240730 stat:{} err:{} text:"


@pytest.mark.parametrize(
    ("kind", "answer", "state", "final", "retry", "bad_contact"),
    [
        ("1", REPORT.format("001", "DELIVRD", "000"), "delivered", True, False, False),
        ("1", "", "delivered", True, False, False),
        ("2", REPORT.format("000", "UNDELIV", "010"), "failed", True, False, False),
        ("2", REPORT.format("000", "EXPIRED", "020"), "failed", True, False, False),
        ("2", REPORT.format("000", "REJECTD", "001"), "refused", True, False, False),
        ("2", "", "failed", True, False, False),
        ("4", "", "accepted", False, False, False),
        ("8", "ACK/", "accepted", False, False, False),
        ("16", "NACK/0x0000000b/Invalid Destination Address", "refused", True, False, True),
        ("16", "NACK/0x00000058/Throttling error", "failed", True, True, False),
        ("16", "NACK/Retries Exceeded", "failed", True, True, False),
        ("16", "NACK/69/submit_sm failed", "failed", True, True, False),
        ("16", "anything", "refused", True, False, False),
    ],
)
def test_each_call_of_kannel_has_its_outcome(kind, answer, state, final, retry, bad_contact):
    receipt = called(kind, answer)
    outcome = receipt.outcome
    assert (outcome.state, receipt.final, outcome.retry, outcome.bad_contact) == (state, final, retry, bad_contact)
    assert (receipt.message_id, receipt.provider_id) == ("n-1", "1001")


@pytest.mark.parametrize(
    "changed", [{"token": "0" * 32}, {"token": ""}, {"token": "đ"}, {"id": "n-2"}, {"kind": "3"}, {"kind": ""}]
)
def test_a_call_that_is_not_ours_is_refused(changed):
    with pytest.raises(BadReceipt):
        called(changed.pop("kind", "1"), **changed)


def test_a_call_without_arguments_is_refused():
    with pytest.raises(BadReceipt):
        read_kannel({}, SECRET)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/sms/receipt", "http://127.0.0.1:8080/sms/receipt?office=7"])
def test_the_address_that_kannel_calls_proves_itself(url):
    filled = kannel_callback(url, "n-1", SECRET).replace("%d", "8").replace("%F", "77").replace("%A", "ACK/")
    query = dict(parse_qsl(urlsplit(filled).query))
    receipt = read_kannel(query, SECRET)
    assert (receipt.message_id, receipt.provider_id, receipt.final) == ("n-1", "77", False)


def test_a_receipt_of_smpp_names_the_centres_id_and_no_text_of_the_message():
    receipt = read_smpp(REPORT.format("000", "UNDELIV", "010") + "Nhắc đồng chí")
    assert (receipt.message_id, receipt.provider_id, receipt.outcome.code) == (None, "1001", "UNDELIV 010")


@pytest.mark.parametrize("words", ["", "hello", "id:5 nothing else", "stat:DELIVRD without an id"])
def test_words_that_are_no_receipt_are_refused(words):
    with pytest.raises(BadReceipt):
        read_smpp(words)


@given(st.integers(min_value=1, max_value=0xFFFF))
def test_no_status_but_zero_counts_as_taken(status):
    outcome = of_status(status)
    assert outcome.state in ("refused", "failed")
    assert outcome.bad_contact == (status in (0x0B, 0x50, 0x51))
    assert not outcome.setup or outcome.retry
