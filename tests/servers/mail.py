"""A real mail server: postfix takes mail in, dovecot asks for passwords, keeps the Maildirs and shows them by IMAP.

Every address of every domain is delivered on this machine, so nothing can leave it. By the beginning of the address:
`temp.` 451 at RCPT, `full.` 452, `perm.` 550 5.1.1, `policy.` 550 5.7.1, `bounce.` taken and then sent back,
`delay.` taken, put off, and sent back when it expires; `answer` gives one address an answer of its own.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import ssl
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from tests.servers.wait import free_ports, listening, start, stop, tail, until

PASSWORD = "s3cret"
USER = "nhac-viec@ketnap.test"
PROGRAMS = ("postfix", "dovecot", "openssl")

_DOVECOT = """
base_dir = {run}
state_dir = {run}
log_path = {work}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{work}/server.pem
ssl_key = <{work}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_username_format = %Lu
mail_location = maildir:{work}/mail/%u/Maildir
first_valid_uid = 1
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={work}/mail/%u allow_all_users=yes
}}
service auth {{
  unix_listener {work}/q/auth {{
    mode = 0666
  }}
}}
# Otherwise each wrong password makes the next answer seconds slower.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  unix_listener {work}/q/lmtp {{
    mode = 0666
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
namespace inbox {{
  inbox = yes
}}
"""

_MAIN = """
compatibility_level = 3.6
queue_directory = {work}/q
data_directory = {work}/pfdata
maillog_file = {work}/mail.log
maillog_file_prefixes = {work}
myhostname = mail.ketnap.test
mydomain = ketnap.test
myorigin = ketnap.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:{work}/q/lmtp
default_transport = lmtp:unix:{work}/q/lmtp
relay_transport = lmtp:unix:{work}/q/lmtp
transport_maps = regexp:{work}/pf/transport
append_dot_mydomain = no
biff = no
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_tls_security_level = may
smtpd_tls_cert_file = {work}/server.pem
smtpd_tls_key_file = {work}/server.key
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {work}/q/auth
smtpd_sasl_security_options = noanonymous
smtpd_client_restrictions = permit_sasl_authenticated, permit_mynetworks, reject
smtpd_relay_restrictions = permit_sasl_authenticated, permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{work}/pf/answers,
  check_recipient_access regexp:{work}/pf/by_prefix
message_size_limit = 200000
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
maximal_queue_lifetime = 3s
bounce_queue_lifetime = 3s
"""

# max_use=1: a running smtpd does not see a table that changed within the second.
_MASTER = """
127.0.0.1:{smtp} inet n - n - - smtpd
  -o max_use=1
127.0.0.1:{smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o max_use=1
127.0.0.1:{plain} inet n - n - - smtpd
  -o smtpd_tls_security_level=none
  -o smtpd_sasl_auth_enable=no
  -o mynetworks=127.0.0.0/8
  -o max_use=1
cleanup   unix  n  -  n  -  0 cleanup
qmgr      unix  n  -  n  1  1 qmgr
tlsmgr    unix  -  -  n  1000? 1 tlsmgr
rewrite   unix  -  -  n  -  - trivial-rewrite
bounce    unix  -  -  n  -  0 bounce
defer     unix  -  -  n  -  0 bounce
trace     unix  -  -  n  -  0 bounce
verify    unix  -  -  n  -  1 verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -  - proxymap
error     unix  -  -  n  -  - error
retry     unix  -  -  n  -  - error
hardfail  unix  -  n  n  -  - pipe user=nobody argv={work}/hardfail
discard   unix  -  -  n  -  - discard
lmtp      unix  -  -  n  -  - lmtp
anvil     unix  -  -  n  -  1 anvil
scache    unix  -  -  n  -  1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

_BY_PREFIX = """
/^temp\\./ 451 4.3.2 Temporary failure, try again later
/^full\\./ 452 4.2.2 Mailbox full
/^perm\\./ 550 5.1.1 No such user
/^policy\\./ 550 5.7.1 Not from you
"""


def missing() -> str:
    """Returns why this machine cannot run the mail server; empty if it can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return "not installed: " + ", ".join(absent)
    if os.geteuid() != 0:
        return "postfix must be started by root"
    return ""


class MailServer:
    """One postfix and one dovecot, with a folder of their own."""

    def __init__(self) -> None:
        # Short, since unix sockets lie below it; open to others to pass through, since the daemons give up root.
        self.work = Path(tempfile.mkdtemp(prefix="ketnap-mail-"))
        self.work.chmod(0o755)
        self.smtp, self.smtps, self.plain, self.imap, self.imaps = free_ports(5)
        self.ca_file = self.work / "ca.pem"
        self._dovecot: subprocess.Popen[bytes] | None = None
        _certificates(self.work)
        self._write()

    def start(self) -> None:
        """Starts both, and returns when they answer."""
        self._dovecot = start(["dovecot", "-F", "-c", str(self.work / "dovecot.conf")], self.work / "dovecot.out")
        self.start_postfix()
        for port in (self.imap, self.imaps):
            until(partial(listening, port), what="dovecot", log=self.work / "dovecot.log")
        # The first sign-in after a start of dovecot takes seconds: better here than within a test's time-out.
        with smtplib.SMTP("127.0.0.1", self.smtp, "localhost", timeout=30) as smtp:
            smtp.starttls(context=ssl.create_default_context(cafile=str(self.ca_file)))
            smtp.login(USER, PASSWORD)

    def stop(self) -> None:
        """Stops both and forgets all mail."""
        self.stop_postfix()
        stop(self._dovecot)
        shutil.rmtree(self.work, ignore_errors=True)

    def start_postfix(self) -> None:
        """Starts postfix alone, after `stop_postfix`."""
        command = ["postfix", "-c", str(self.work / "pf"), "start"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"postfix did not start: {done.stderr}{tail(self.work / 'mail.log')}")
        for port in (self.smtp, self.smtps, self.plain):
            until(partial(listening, port), what="postfix", log=self.work / "mail.log")

    def stop_postfix(self) -> None:
        """Stops postfix alone: connections are refused from here on."""
        command = ["postfix", "-c", str(self.work / "pf"), "stop"]
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        until(lambda: not listening(self.smtp), what="postfix stopped")

    def answer(self, address: str, text: str | None) -> None:
        """Makes RCPT TO for one address answer with `text` (`450 4.2.1 later`), or as usual with None."""
        path = self.work / "pf" / "answers"
        kept = [line for line in path.read_text().splitlines() if not line.startswith(f"{address} ")]
        if text is not None:
            kept.append(f"{address} {text}")
        draft = path.with_suffix(".new")
        draft.write_text("".join(f"{line}\n" for line in kept))
        draft.replace(path)

    def mails(self, address: str) -> list[bytes]:
        """Returns the mails that lie in somebody's Maildir, as bytes."""
        box = self.work / "mail" / address.lower() / "Maildir"
        return [path.read_bytes() for folder in ("new", "cur") for path in sorted((box / folder).glob("*"))]

    def wait_for(self, address: str, how_many: int = 1) -> list[bytes]:
        """Returns somebody's mails when there are that many."""
        return until(
            lambda: mails if len(mails := self.mails(address)) >= how_many else None,
            what=f"{how_many} mails in the Maildir",
            log=self.work / "mail.log",
        )

    def _write(self) -> None:
        work = self.work
        for name in ("pf", "q", "pfdata", "dv", "mail"):
            (work / name).mkdir()
        shutil.chown(work / "pfdata", "postfix")
        (work / "pfdata").chmod(0o700)
        shutil.chown(work / "mail", "mail", "mail")
        names = {
            "work": work,
            "run": work / "dv",
            "password": PASSWORD,
            "smtp": self.smtp,
            "smtps": self.smtps,
            "plain": self.plain,
            "imap": self.imap,
            "imaps": self.imaps,
        }
        (work / "dovecot.conf").write_text(_DOVECOT.format(**names))
        (work / "pf" / "main.cf").write_text(_MAIN.format(**names))
        (work / "pf" / "master.cf").write_text(_MASTER.format(**names))
        (work / "pf" / "by_prefix").write_text(_BY_PREFIX)
        (work / "pf" / "answers").write_text("")
        (work / "pf" / "transport").write_text(
            f"/^bounce\\./ hardfail:\n/^delay\\./ lmtp:unix:{work}/q/nobody-listens\n"
        )
        script = work / "hardfail"
        script.write_text("#!/bin/sh\necho '5.1.1 mailbox does not exist'; exit 67\n")
        script.chmod(0o755)


def _certificates(work: Path) -> None:
    """Makes an authority and a certificate for localhost, as strict as Python 3.13 wants them (RFC 5280)."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=work)

    key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-subj", "/CN=Ketnap Test CA", "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key",
            "-out", "server.csr")  # fmt: skip
    (work / "server.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
        "extendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        "subjectAltName=DNS:localhost,DNS:mail.ketnap.test,IP:127.0.0.1\n"
    )
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "server.ext", "-out", "server.pem")  # fmt: skip
