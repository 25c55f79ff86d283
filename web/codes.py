"""One-time codes by the clock (RFC 6238, as every authenticator app makes them), and the picture of a secret."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

import pyotp
import segno

STEP = timedelta(seconds=30)
AROUND = (0, -1, 1)  # steps by which a telephone's clock may be off


class TimedCodes:
    """Makes secrets and reads codes. `now` is the time on people's telephones, also where a sandbox's clock was set."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now

    def secret(self) -> str:
        """Returns a new secret of 160 bits, in base 32."""
        return pyotp.random_base32()

    def code(self, secret: str) -> str:
        """Returns the code of now."""
        return pyotp.TOTP(secret).generate_otp(self._step())

    def _step(self) -> int:
        return int(self.now().timestamp() // STEP.total_seconds())

    def step(self, secret: str, code: str) -> int | None:
        """Returns the step to which a code belongs, or None where it is none of about now."""
        typed = "".join(code.split())
        totp = pyotp.TOTP(secret)
        found = None
        for around in AROUND:
            step = self._step() + around
            if hmac.compare_digest(totp.generate_otp(step), typed.encode("ascii", "replace").decode()):
                found = step
        return found


def address(secret: str, officer: str, issuer: str) -> str:
    """Returns what an authenticator app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=officer, issuer_name=issuer)


def picture(text: str) -> str:
    """Returns a QR code as an SVG element, to stand in a page."""
    out = BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", scale=4, xmldecl=False, svgns=False, svgclass="qr", lineclass=None
    )
    return out.getvalue().decode()
