"""Channels that write files: Maildir, and the folders of gammu-smsd."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from notifications.channels.gammu import GammuChannel, GammuSettings, file_name
from notifications.channels.letter import write
from notifications.channels.maildir import MaildirChannel, MaildirSettings
from notifications.channels.maildir import file_name as mail_name
from tests.unit.channels.helpers import NOON, SENDER, a_message, an_sms


@pytest.fixture
def mailbox(tmp_path):
    return MaildirChannel(MaildirSettings(root=tmp_path / "mail", sender=SENDER))


@pytest.fixture
def modem(tmp_path):
    folders = {name: tmp_path / name for name in ("outbox", "sent", "error")}
    for folder in folders.values():
        folder.mkdir()
    return GammuChannel(GammuSettings(**folders), clock=lambda: NOON)


def test_an_email_lies_whole_in_the_mailbox_and_nothing_is_left_in_tmp(mailbox, tmp_path):
    assert mailbox.send(a_message()).state == "accepted"
    box = tmp_path / "mail" / "huong@dong.test"
    assert [file.read_bytes() for file in (box / "new").iterdir()] == [write(a_message(), SENDER)]
    assert list((box / "tmp").iterdir()) == []


def test_the_same_message_lies_there_once_even_after_it_was_read(mailbox, tmp_path):
    mailbox.send(a_message())
    mailbox.send(a_message())
    box = tmp_path / "mail" / "huong@dong.test"
    assert len(list((box / "new").iterdir())) == 1
    name = mail_name(a_message().id)
    (box / "new" / name).rename(box / "cur" / f"{name}:2,S")
    assert mailbox.send(a_message()).state == "accepted"
    assert list((box / "new").iterdir()) == []


def test_an_sms_in_the_sandbox_opens_in_a_mail_program_too(tmp_path):
    phones = MaildirChannel(MaildirSettings(root=tmp_path, sender=SENDER), name="sms", kind="sms")
    assert phones.send(an_sms()).state == "accepted"
    (file,) = (tmp_path / "+84912345678" / "new").iterdir()
    assert b"84912345678@sms.invalid" in file.read_bytes()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", ".new", "a\0b", "a\n"])
def test_no_mailbox_lies_outside_the_root(mailbox, tmp_path, name):
    outcome = mailbox.send(a_message(to=name))
    assert (outcome.state, outcome.bad_contact) == ("refused", True)
    assert not (tmp_path / "mail").exists()


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path):
    (tmp_path / "mail").write_text("a file stands in its place")
    channel = MaildirChannel(MaildirSettings(root=tmp_path / "mail", sender=SENDER))
    outcome = channel.send(a_message())
    assert (outcome.state, outcome.retry) == ("failed", True)
    assert (channel.check().state, channel.check().setup) == ("failed", True)


def test_a_message_for_the_modem_is_a_file_of_utf_16_with_a_mark(modem, tmp_path):
    outcome = modem.send(an_sms())
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.name == outcome.provider_id == file_name(an_sms())
    assert file.read_bytes() == b"\xff\xfe" + an_sms().text.encode("utf-16-le")


def test_the_name_is_shorter_than_the_daemons_buffer_whatever_the_id():
    longest = an_sms(id="x" * 128, to="+" + "9" * 15)
    assert len(file_name(longest)) < 100
    assert file_name(longest) != file_name(an_sms(id="x" * 127, to="+" + "9" * 15))


def test_urgent_messages_come_first_in_the_daemons_order():
    later = NOON + timedelta(days=1)
    names = [file_name(an_sms(id="a", created_at=NOON)), file_name(an_sms(id="b", created_at=later, urgent=True))]
    assert sorted(names) == [names[1], names[0]]


@pytest.mark.parametrize("folder", ["outbox", "sent"])
def test_a_message_that_the_daemon_has_is_not_written_again(modem, tmp_path, folder):
    name = modem.send(an_sms()).provider_id
    if folder != "outbox":
        (tmp_path / "outbox" / name).rename(tmp_path / folder / name)
    assert modem.send(an_sms()).state == "accepted"
    files = [file.parent.name for file in tmp_path.glob("*/*")]
    assert files == [folder]


def test_a_message_that_the_modem_gave_up_on_gets_another_round(modem, tmp_path):
    name = modem.send(an_sms()).provider_id
    (tmp_path / "outbox" / name).rename(tmp_path / "error" / name)
    receipt = modem.look(name)
    assert (receipt.outcome.state, receipt.outcome.retry) == ("failed", True)
    assert modem.send(an_sms()).state == "accepted"
    assert (tmp_path / "outbox" / name).exists()
    assert not (tmp_path / "error" / name).exists()


def test_look_tells_sent_from_waiting(modem, tmp_path):
    name = modem.send(an_sms()).provider_id
    assert modem.look(name) is None
    (tmp_path / "outbox" / name).rename(tmp_path / "sent" / name)
    assert modem.look(name).outcome.state == "accepted"
    assert modem.look("../outbox/" + name) is None


def test_check_notices_a_daemon_that_is_off(modem, tmp_path):
    name = modem.send(an_sms()).provider_id
    at = NOON.timestamp()
    os.utime(tmp_path / "outbox" / name, (at - 60, at - 60))
    assert modem.check().state == "accepted"
    os.utime(tmp_path / "outbox" / name, (at - 1_000, at - 1_000))
    assert (modem.check().state, modem.check().setup) == ("failed", True)


def test_folders_that_are_missing_are_a_fault_of_the_setup(tmp_path):
    settings = GammuSettings(outbox=tmp_path / "no", sent=tmp_path / "no", error=tmp_path / "no")
    channel = GammuChannel(settings, clock=lambda: NOON)
    assert (channel.send(an_sms()).state, channel.send(an_sms()).setup) == ("failed", True)
    assert channel.check().setup
