"""A checkpoint on one printed page: the note, its QR code, and its root as words for the telephone."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from datetime import datetime

import segno

from engine.audit.words import to_words
from engine.trail import Signed

_STYLE = """
@page { size: A4; margin: 18mm }
body { font: 12pt/1.4 "Times New Roman", serif; color: #000; max-width: 170mm; margin: auto }
h1 { font-size: 16pt } h2 { font-size: 13pt; margin-bottom: .3em }
pre { font: 9pt/1.3 monospace; white-space: pre-wrap; word-break: break-all; border: 1px solid #000; padding: 3mm }
table { border-collapse: collapse } td, th { border: 1px solid #000; padding: 1.5mm 2mm; text-align: left }
th { white-space: nowrap } td { overflow-wrap: anywhere } h2 { break-after: avoid } table { break-inside: avoid }
svg { width: 60mm; height: 60mm } .warn { border: 2px solid #000; padding: 2mm; font-weight: bold }
"""


def picture(note: str) -> str:
    """Returns the QR code of a note as SVG."""
    return segno.make(note, error="m", micro=False).svg_inline(scale=3, border=2)


def page(signed: Signed, key: str, say: Callable[..., str], at: datetime, *, sandbox: bool) -> str:
    """Returns the page as HTML that needs no other file. `at` is the time in the office's zone."""
    e = html.escape
    words = to_words(signed.checkpoint.root)
    rows = "".join(
        f"<tr><th>{n}</th>{''.join(f'<td>{e(w)}</td>' for w in line)}</tr>" for n, line in enumerate(words, 1)
    )
    code = picture(signed.note)
    warn = f'<p class="warn">{e(say("This is a sandbox; the page proves nothing."))}</p>' if sandbox else ""
    lines = (
        (say("Trail"), signed.checkpoint.origin),
        (say("Events"), str(signed.checkpoint.size)),
        (say("Root"), base64.b64encode(signed.checkpoint.root).decode()),
        (say("Made at"), f"{at:%H:%M %d/%m/%Y}"),
        (say("Public key"), key),
    )
    table = "".join(f"<tr><th>{e(a)}</th><td>{e(b)}</td></tr>" for a, b in lines)
    return (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>{e(say("Checkpoint of the trail"))}</title>'
        f"<style>{_STYLE}</style><h1>{e(say('Checkpoint of the trail'))}</h1>{warn}"
        f"<p>{e(say('Keep this page outside the office: with it, any later change of these events is found.'))}</p>"
        f"<table>{table}</table><h2>{e(say('The note'))}</h2><pre>{e(signed.note)}</pre>{code}"
        f"<h2>{e(say('The root as words, to be read over the telephone'))}</h2><table>{rows}</table>"
        f"<p>{e(say('The last word of each line is its check: a line read wrongly does not agree with it.'))}</p>"
        "</html>\n"
    )
