"""`/receipts/kannel`: the gateway says what became of a message.

This is the one address whose GET changes something, since Kannel calls back by GET. It takes only what bears the
message's own proof (HMAC of the message's id under the office's secret), and the same call twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifications.channels.receipt import BadReceipt, read_kannel
from notifications.receiving import Receiver
from web.answers import Door, answer

PATH = "/receipts/kannel"
BODY_LIMIT = 8_192  # bytes
FIELDS = 20


class TooLong(Exception):
    """The body is longer than any receipt."""


def routes(door: Door, secret: str) -> list[Route]:
    """Returns the route of Kannel's receipts. `secret` is `callback_secret` of the channel's settings."""

    async def receive(request: Request) -> Response:
        try:
            receipt = read_kannel(await _arguments(request), secret)
        except BadReceipt:
            return answer("not a receipt of ours\n", 403)
        except TooLong:
            return answer("too long\n", 413)
        # The message's id stands in the database from its claim on, so nothing has to be recorded first.
        await door.ask(lambda service: Receiver(service).receipt(receipt))
        return answer("ok\n")  # also where nothing was believed: calling again would not help

    return [Route(PATH, receive, methods=["GET", "POST"])]


async def _arguments(request: Request) -> Mapping[str, str]:
    """Returns the arguments of the address, and of a form that was posted. Raises TooLong and BadReceipt."""
    found = dict(request.query_params)
    if request.method != "POST":
        return found
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise TooLong
    try:
        return found | dict(parse_qsl(body.decode("ascii"), max_num_fields=FIELDS))
    except ValueError:
        raise BadReceipt from None
