"""The one shape of an error (RFC 9457): what went wrong as a code for programs and a message for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.core.errors import BadInput, BadLines, Conflict, Denied, FileRefused, KetnapError, NotFound
from engine.doors.tokens import NoToken
from web.answers import HEADERS
from web.bounds import TooMuch, TooSlow
from web.words import error_text, fill, translator

MEDIA_TYPE = "application/problem+json"
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class NoScope(KetnapError):
    """The token was not made for this: it needs the scope {scope}."""

    exit_code = 3

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class NoVersion(KetnapError):
    """Say which version you saw: send its ETag as If-Match, or If-Match: *. Nothing was changed."""


class OtherVersion(Conflict):
    """The subject is at another version than you saw; nothing was changed."""


class TooMany(KetnapError):
    """Too many requests. Ask again in {seconds} seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(seconds=seconds)


class Unmet(KetnapError):
    """The rules refused this; nothing was changed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        super().__init__()


# The most particular first.
KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (NoToken, 401, "no_token"),
    (NoScope, 403, "no_scope"),
    (NoVersion, 428, "version_needed"),
    (OtherVersion, 412, "version_changed"),
    (TooMuch, 413, "too_large"),
    (TooSlow, 408, "too_slow"),
    (TooMany, 429, "too_many"),
    (Unmet, 422, "refused"),
    (NotFound, 404, "not_found"),
    (FileRefused, 400, "bad_file"),
    (BadInput, 400, "bad_input"),
    (Denied, 403, "denied"),
    (Conflict, 409, "conflict"),
)
TITLES = {
    400: "The input is not valid.",
    401: "A token is needed.",
    403: "This officer may not do that.",
    404: "There is no such thing.",
    405: "That cannot be done here.",
    408: "What was sent came too slowly.",
    409: "This does not go with what is there.",
    412: "This was changed meanwhile.",
    413: "Too large.",
    422: "The rules refused this.",
    428: "The version is missing.",
    429: "Too many requests.",
    503: "This cannot be done now.",
}
NOWHERE = "There is no such address."


def language(request: Request, usual: str) -> str:
    """Returns the language that is asked for, of those there are."""
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in ("vi", "en"):
            return tag
    return usual


def problem(
    status: int, code: str, detail: str, lang: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """Returns an error's answer."""
    document = {
        "type": "about:blank",
        "title": translator(lang)(TITLES.get(status, TITLES[503])),
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    text = json.dumps(document, ensure_ascii=False, default=str)
    return Response(text, status, {**HEADERS, **(headers or {})}, MEDIA_TYPE)


def of_error(error: KetnapError, lang: str) -> Response:
    """Returns the answer to an error of ours."""
    found = next(((s, c) for kind, s, c in KINDS if isinstance(error, kind)), (503, "unavailable"))
    status, code = found
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(error, NoToken):
        headers = CHALLENGE
    if isinstance(error, TooMany):
        headers = {"Retry-After": str(error.seconds)}
    if isinstance(error, Denied):
        more["why"] = error.why
    if isinstance(error, FileRefused):
        more |= {"line": error.line, "column": error.column}
    if isinstance(error, BadLines):
        more["errors"] = [_line(e, lang) for e in error.errors]
    if isinstance(error, Unmet):
        more |= error.document
    field = error.params.get("fact") or error.params.get("field") or error.params.get("name")
    if isinstance(error, BadInput) and field is not None:
        more["field"] = str(field)
    line = error.params.get("line")
    if isinstance(line, int):
        more["line"] = line
    return problem(status, code, error_text(error, lang), lang, headers, **more)


def _line(error: BadInput, lang: str) -> dict[str, Any]:
    found: dict[str, Any] = {"detail": error_text(error, lang)}
    for name in ("line", "fact", "subject"):
        if name in error.params:
            found["field" if name == "fact" else name] = error.params[name]
    return found


def of_validation(error: RequestValidationError, lang: str) -> Response:
    """Returns the answer to a request that is not of the shape the description says."""
    errors = [
        {
            "field": "" if e["type"] == "json_invalid" else _place(e["loc"]),
            "detail": e["msg"],
        }
        for e in error.errors()[:20]
    ]
    translate = translator(lang)
    field = errors[0]["field"] if errors else ""
    detail = fill("{field} is missing or not of the shape that is asked for", {"field": field or "body"}, translate)
    more: dict[str, Any] = {"field": field} if field else {}
    return problem(400, "bad_input", detail, lang, None, errors=errors, **more)


def _place(loc: Sequence[object]) -> str:
    """Returns which field of a request is meant."""
    return ".".join(str(p) for p in loc if p not in ("body", "query", "path", "header"))


def of_http(error: HTTPException, lang: str) -> Response:
    """Returns the answer to an address or a method that there is not."""
    code = {404: "not_found", 405: "not_allowed"}.get(error.status_code, "bad_input")
    status = error.status_code if error.status_code in TITLES else 400
    return problem(status, code, translator(lang)(NOWHERE if status == 404 else TITLES[status]), lang, error.headers)
