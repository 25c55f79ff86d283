"""The head and foot of an office's documents: the area's letterhead with the office's own names, which are settings."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from reports.document import Head
from reports.layouts import LayoutFile, Letterhead


class Letter(BaseModel):
    """The office's own names on its documents: the table `letter` of ketnap.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above: str | None = Field(None, description="the organisation above the issuer; else the one in the database")
    issuer: str | None = Field(None, description="who issues; else the unit that the report is about")
    issuer_code: str = Field("", description="the issuer's short name in the document's number")
    number: str = Field("", description="the document's number; none: room is left for it")
    place: str = Field("", description="where it is issued, before the date")
    on_behalf: str | None = Field(None, description="in whose name it is signed; else what the report says")
    title: str | None = Field(None, description="the signer's office; else what the report says")
    signer: str = Field("", description="the signer's name")
    recipients: list[str] | None = Field(None, description="who gets it; else what the report says")


def head_of(
    file: LayoutFile,
    letterhead: Letterhead,
    letter: Letter,
    *,
    lang: str,
    title: str,
    above: str,
    issuer: str,
    day: date,
) -> Head:
    """Returns the head and foot of one document. `above` and `issuer` are what the database says."""
    signature = file.signature
    behalf = letter.on_behalf
    if behalf is None and signature is not None and signature.on_behalf is not None:
        behalf = signature.on_behalf.of(lang)
    office = letter.title if letter.title is not None or signature is None else signature.title.of(lang)
    return Head(
        above=letter.above if letter.above is not None else above,
        issuer=letter.issuer or issuer,
        star=letterhead.star,
        number=letterhead.number.format(
            number=letter.number or "      ", code=file.code, issuer_code=letter.issuer_code or "..."
        ),
        motto=letterhead.motto,
        place_and_date=letterhead.place_and_date.of(lang).format(
            place=letter.place or "........",
            day=f"{day.day:02d}",
            month=f"{day.month:02d}" if day.month < 3 else str(day.month),  # as clerks write it, that no 1 becomes 11
            year=day.year,
        ),
        name=file.name.of(lang),
        title=title,
        recipients_label=letterhead.recipients.of(lang),
        recipients=letter.recipients if letter.recipients is not None else [r.of(lang) for r in file.recipients],
        signed=[line for line in (behalf, office) if line],
        signer=letter.signer,
        page=letterhead.page.of(lang),
        running_number=letterhead.running_number.of(lang),
    )
