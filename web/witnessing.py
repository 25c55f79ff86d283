"""Posting checkpoints to a witness (c2sp.org/tlog-witness), and keeping what it signed."""

from __future__ import annotations

import base64

import httpx

from engine.audit import note as notes
from engine.audit.note import VerifierKey
from engine.core.errors import BadInput, Conflict
from engine.service import Service
from engine.trail import Left

TIMEOUT_S = 20.0


class WitnessFailed(BadInput):
    """The witness {url} did not sign: {why}"""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(WitnessFailed.__doc__ or "", url=url, why=why)


def post(service: Service, url: str, witness: VerifierKey, client: httpx.Client | None = None) -> Left:
    """Makes a checkpoint, has the witness sign it, and keeps its signature in the trail.

    Raises WitnessFailed; Conflict when the witness has seen another history than this.
    """
    signed = service.trail.sign()
    size, note = signed.checkpoint.size, signed.note
    with client or httpx.Client(timeout=TIMEOUT_S) as http:
        answer = _send(service, http, url, 0, size, note)
        if answer.status_code == 409:  # it tells how far it has seen us, as it does the first time and after a loss
            seen = answer.text.strip()
            if not seen.isdecimal():
                raise WitnessFailed(url, answer.text[:200])
            if int(seen) > size:
                raise Conflict(
                    "the witness has seen {seen} events, here are {size}: an older copy, or its end was cut off",
                    seen=int(seen),
                    size=size,
                )
            answer = _send(service, http, url, int(seen), size, note)
    if answer.status_code in (409, 422):
        raise Conflict("the witness has seen another history than this one: {why}", why=answer.text.strip()[:200])
    if answer.status_code != 200:
        raise WitnessFailed(url, f"{answer.status_code} {answer.text.strip()[:200]}")
    whole = note + answer.text
    notes.verify(notes.parse(whole.encode()), [witness])
    return service.trail.cosigned(whole, witness)


def _send(service: Service, http: httpx.Client, url: str, old: int, size: int, note: str) -> httpx.Response:
    proof = service.trail.consistency(old, size).hashes
    lines = [f"old {old}", *(base64.b64encode(h).decode() for h in proof)]
    body = "\n".join(lines) + "\n\n" + note
    try:
        return http.post(f"{url.rstrip('/')}/add-checkpoint", content=body.encode())
    except httpx.HTTPError as error:
        raise WitnessFailed(url, str(error) or type(error).__name__) from error
