"""Figures and a sign of life, for the programs that watch this machine, and for no others."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.metrics import metrics
from web.answers import Door, answer

KIND = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' text format
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def routes(door: Door) -> list[Route]:
    """Returns `GET /metrics` and `GET /healthz`."""

    async def show(request: Request) -> Response:
        if not from_here(request):
            return answer("not found\n", 404)
        return answer(await door.ask(metrics), kind=KIND)

    async def healthy(request: Request) -> Response:
        if not from_here(request):
            return answer("not found\n", 404)
        await door.ask(lambda service: service.is_sandbox())  # the database answers
        return answer("ok\n")

    return [Route("/metrics", show), Route("/healthz", healthy)]


def from_here(request: Request) -> bool:
    """Tells whether a program on this machine asks; what a proxy passes on comes from elsewhere."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
