"""The application under `/api`: routes, errors, its description."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.core.errors import KetnapError
from web.answers import HEADERS
from web.api import imports, notices, office, reports, subjects, trail
from web.api.caller import Setup
from web.api.problems import MEDIA_TYPE, TITLES, language, of_error, of_http, of_validation, problem
from web.words import translator

PREFIX = "/api"
ROUTERS = (subjects.router, office.router, notices.router, reports.router, imports.router, trail.router)
ABOUT = (
    "What the command `ketnap` offers, over the same service: the same rules, the same trail. A token acts for its "
    "officer and sees what the officer may see; everything else is not found. Errors are application/problem+json."
)
ERRORS = (400, 401, 403, 404, 409, 412, 413, 422, 428, 429, 503)
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs."},
        "detail": {"type": "string", "description": "For people, in the language asked for (Accept-Language)."},
        "field": {"type": "string"},
        "line": {"type": "integer"},
    },
}

log = logging.getLogger("ketnap.api")


def build_api(setup: Setup) -> ASGIApp:
    """Returns the application, to be mounted under PREFIX."""
    api = FastAPI(title="ketnap", version="1", description=ABOUT, docs_url=None, redoc_url=None, openapi_url=None)
    api.state.setup = setup
    api.router.redirect_slashes = False
    for router in ROUTERS:
        api.include_router(router)

    @api.exception_handler(KetnapError)
    async def ours(request: Request, error: KetnapError) -> Response:
        answer = of_error(error, language(request, setup.lang))
        if answer.status_code == 503:
            log.error("a request failed: %s", type(error).__name__)
        return answer

    @api.exception_handler(RequestValidationError)
    async def shape(request: Request, error: RequestValidationError) -> Response:
        return of_validation(error, language(request, setup.lang))

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        inner = error.__cause__
        if isinstance(inner, KetnapError):  # a body that is too large or too slow, met while it was read
            return of_error(inner, language(request, setup.lang))
        return of_http(error, language(request, setup.lang))

    @api.exception_handler(Exception)
    async def unforeseen(request: Request, _: Exception) -> Response:
        lang = language(request, setup.lang)
        return problem(503, "unavailable", translator(lang)(TITLES[503]), lang)

    api.get("/openapi.json", include_in_schema=False)(described)
    return _Headed(api, setup)


class _Headed:
    """Puts the headers on every answer; an error that nobody foresaw becomes one of our shape, and tells nothing."""

    def __init__(self, app: ASGIApp, setup: Setup) -> None:
        self._app, self._setup = app, setup

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        begun = False

        async def headed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                there = {name.lower() for name, _ in message["headers"]}
                more = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in there]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            await self._app(scope, receive, headed)
        except Exception as error:  # noqa: BLE001 - whatever it is, an answer has to go out
            log.error("a request failed: %s", type(error).__name__)
            if begun:
                return
            request = Request(scope)
            lang = language(request, self._setup.lang)
            answer = problem(503, "unavailable", translator(lang)(TITLES[503]), lang)
            await answer(scope, receive, headed)


async def described(request: Request) -> dict[str, Any]:
    """Answers with the description. No closure over the application: FastAPI remembers endpoints for good."""
    return describe(request.app)


def describe(api: FastAPI) -> dict[str, Any]:
    """Returns the description (OpenAPI) of the interface, with the errors that every call may answer."""
    if api.openapi_schema is None:
        found = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        found["servers"] = [{"url": PREFIX}]
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = PROBLEM
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for path in found["paths"].values():
            for call in path.values():
                for status in ERRORS:
                    call["responses"][str(status)] = {"description": TITLES[status], "content": content}
        api.openapi_schema = found
    return api.openapi_schema
