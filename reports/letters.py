"""The head and foot of an office's documents: the area's letterhead with the office's own names, which are settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from engine.core.authority import Office
from reports.document import Head
from reports.layouts import LayoutFile, Letterhead, Signature


class UnitLetter(BaseModel):
    """What stands on the documents of one unit: a table of `letter.units` in ketnap.toml, by the unit's id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above: str | None = Field(None, description="the organisation above the issuer; else the one in the database")
    issuer: str | None = Field(None, description="who issues; else the issuing unit's name in the database")
    issuer_code: str = Field("", description="the issuer's short name in the document's number")
    number: str = Field("", description="the document's number; none: room is left for it")
    place: str = Field("", description="where it is issued, before the date")
    on_behalf: str | None = Field(None, description="in whose name it is signed; else what the report says")
    title: str | None = Field(None, description="the signer's office; else what the report says")
    signer: str = Field("", description="the signer's name; else the head of the unit, by the letterhead's role")
    recipients: list[str] | None = Field(None, description="who gets it; else what the report says")


class Letter(UnitLetter):
    """The office's own names on its documents: the table `letter` of ketnap.toml. They are those of the organisation
    at the top; another unit's documents carry its own names."""

    units: dict[str, UnitLetter] = Field({}, description="by the unit's id, what its own documents carry")


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who issues a document, as the database says. `beside`: an office of the unit that the document is about."""

    id: str
    name: str
    kind: str
    above: str
    head: str  # who heads it, or ''
    is_top: bool
    is_below_top: bool
    beside: bool


def holder(office: Office, unit: str | None, role: str) -> str | None:
    """Returns who holds a role in a unit, or None."""
    if unit is None:
        return None
    return next(
        (o.name for o in office.members(unit) if any(h.role == role for h, _ in office.holdings(o))),
        None,
    )


def issuer_of(office: Office, letterhead: Letterhead, unit: str | None, kind: str | None) -> Issuer:
    """Returns who issues a document about a unit: its office of this kind, where it has one, else itself."""
    tree = office.tree
    org = tree.by_id.get(unit or "")
    if org is None:
        return Issuer(id="", name="", kind="", above="", head="", is_top=True, is_below_top=False, beside=False)
    office_org = next((o for o in tree.children(org.id) if o.kind == kind), None) if kind is not None else None
    found = office_org or org
    parent = tree.by_id.get(found.parent or "")
    return Issuer(
        id=found.id,
        name=found.name,
        kind=found.kind,
        above="" if parent is None else parent.name,
        head=(holder(office, found.id, letterhead.head) if letterhead.head is not None else None) or "",
        is_top=parent is None,
        is_below_top=parent is not None and parent.parent not in tree.by_id,
        beside=found.kind == kind,
    )


def _names(letter: Letter, issuer: Issuer) -> UnitLetter:
    """Returns what the settings say of the issuer: at the top the office's own names, else the unit's."""
    if issuer.id in letter.units:
        return letter.units[issuer.id]
    if issuer.is_top:
        return letter
    above = letter.issuer if issuer.is_below_top else None
    return UnitLetter(above=above, place=letter.place if issuer.beside else "")


def head_of(
    file: LayoutFile, letterhead: Letterhead, letter: Letter, *, lang: str, title: str, issuer: Issuer, day: date,
    of_subject: bool = False,
) -> Head:  # fmt: skip
    """Returns the head and foot of one document."""
    own = _names(letter, issuer)
    signature = file.signature or letterhead.signs.get(issuer.kind)
    recipients = file.recipients
    if of_subject and file.subject is not None:
        recipients = file.subject.recipients or recipients
    name, addressed = file.name.of(lang), ""
    if file.addressed is not None:
        name, addressed = "", file.addressed.of(lang)
    small = letterhead.small_titles and not addressed and title[1:2].islower()
    return Head(
        above=own.above if own.above is not None else issuer.above,
        issuer=own.issuer or issuer.name,
        star=letterhead.star,
        number=letterhead.number.format(
            number=own.number or "      ", code=file.code, issuer_code=own.issuer_code or "..."
        ),
        motto=letterhead.motto,
        place_and_date=letterhead.place_and_date.of(lang).format(
            place=own.place or "........",
            day=f"{day.day:02d}",
            month=f"{day.month:02d}" if day.month < 3 else str(day.month),  # as clerks write it, that no 1 becomes 11
            year=day.year,
        ),
        name=name,
        title=title,
        heading=title[:1].lower() + title[1:] if small else title,
        addressed_label=letterhead.addressed.of(lang) if letterhead.addressed is not None else "",
        addressed=addressed,
        recipients_label=letterhead.recipients.of(lang),
        recipients=own.recipients if own.recipients is not None else [r.of(lang) for r in recipients],
        signed=_signed(own, signature, lang),
        signer=own.signer or (issuer.head if own.title is None and signature is not None else ""),
        page=letterhead.page.of(lang),
        running_number=letterhead.running_number.of(lang),
    )


def _signed(own: UnitLetter, signature: Signature | None, lang: str) -> list[str]:
    """Returns the lines above the signer's name: in whose name, and the office."""
    behalf, title = own.on_behalf, own.title
    if signature is not None:
        if behalf is None and signature.on_behalf is not None:
            behalf = signature.on_behalf.of(lang)
        title = title if title is not None else signature.title.of(lang)
    return [line for line in (behalf, title) if line]
