"""What a call that goes wrong prints, and its exit code."""

from __future__ import annotations

import re
from typing import Any

from cli.session import Session
from engine.core.errors import Denied, FileRefused, KetnapError
from engine.core.reader import FindingsError
from web.words import error_text


def code_of(error: KetnapError) -> str:
    """Returns the error's class as programs read it: `bad_input`, `not_found`, `denied`, `conflict`..."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def error_document(error: KetnapError, lang: str) -> dict[str, Any]:
    """Returns the document of an error."""
    found: dict[str, Any] = {
        "code": code_of(error),
        "message": error_text(error, lang),
        "params": {k: v if isinstance(v, bool | int | str | None) else str(v) for k, v in error.params.items()},
        "exit_code": error.exit_code,
    }
    if isinstance(error, Denied):
        found["why"] = error.why
    if isinstance(error, FileRefused):
        found |= {"file": error.file, "line": error.line, "column": error.column}
    if isinstance(error, FindingsError):
        found["params"] = {}
        found["findings"] = [
            {"file": f.file, "line": f.line, "column": f.column, "code": f.code, "message": f.text()}
            for f in error.findings
        ]
    return {"error": found}


def report(session: Session, error: KetnapError) -> int:
    """Prints an error for people on stderr, and for programs on stdout too. Returns the exit code."""
    document = error_document(error, session.lang)
    text = document["error"]["message"]
    if isinstance(error, FileRefused):
        text = f"{error.file}:{error.line}:{error.column}: {text}"
    session.note(text)
    if session.as_json:
        session.write_json(document)
    return error.exit_code


def report_usage(session: Session, message: str, hint: str | None) -> int:
    """Prints that the command was not typed as it must be. Returns the exit code."""
    session.note(session.say(message))
    if hint:
        session.note(hint)
    if session.as_json:
        session.write_json({"error": {"code": "usage", "message": message, "params": {}, "exit_code": 2}})
    return 2
