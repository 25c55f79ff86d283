"""`GET /calendar/<secret>.ics`: an officer's coming due dates, for a calendar program."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifications.feed import feed
from web.answers import Door, answer


def routes(door: Door, *, lang: str, link_base: str) -> list[Route]:
    """Returns the feed's route. A secret that opens nothing, or nothing any more, is not found."""

    async def show(request: Request) -> Response:
        token = request.path_params["token"]
        text = await door.ask(lambda service: feed(service, token, lang=lang, link_base=link_base))
        return answer(text, kind="text/calendar; charset=utf-8")

    return [Route("/calendar/{token}.ics", show)]
