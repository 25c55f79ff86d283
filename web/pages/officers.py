"""Officers: who serves where in which role from when to when, and their accounts. No dossier is seen from here."""

from __future__ import annotations

import secrets
from dataclasses import replace

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.accounts import put_account
from engine.core.collation import name_key
from engine.core.errors import BadInput, NotFound
from engine.doors.keeping import Personnel
from engine.office import ALWAYS_FROM
from engine.officework import OfficerChange, Term
from engine.passwords import hash_password
from engine.reading import folded
from web.access import Listed, May
from web.asked import Asked
from web.changing import unit_options
from web.forms import Field
from web.resuming import resuming
from web.site import Said, Site, Visit
from web.words import error_text

NAME = "officers"
SHORTEST_PASSWORD = 12  # letters of one that the program makes up

# what may be done with an account -> (what the button says, what it does, in words)
ACCOUNT = {
    "disable": ("Take access away", "{name} cannot sign in any more and is told nothing. What they did stays."),
    "enable": ("Give access back", "{name} may sign in again."),
    "password": (
        "New password",
        "{name} gets a new password, shown once, and chooses their own at the next sign-in; all their sessions end.",
    ),
    "factor": (
        "Take the one-time codes away",
        "The codes of {name} hold no more, all their sessions end; a role that needs codes asks for new ones.",
    ),
    "sessions": ("End all sessions", "{name} has to sign in again everywhere."),
}


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    changes, opens = May("officers"), May("accounts")
    return [
        site.get("/officers", show_all, Listed(NAME), name=NAME),
        site.post("/officers", search, Listed(NAME)),
        site.get("/officers/view/{view}", show_view, Listed(NAME)),
        site.get("/new-officer", ask_new, changes),
        site.post("/new-officer", resuming(ask_new, add), changes),
        site.get("/officers/{officer}", show, Listed(NAME)),
        site.get("/officers/{officer}/change", ask_change, changes),
        site.post("/officers/{officer}/change", resuming(ask_change, change), changes),
        site.get("/officers/{officer}/appoint", ask_term, changes),
        site.post("/officers/{officer}/appoint", resuming(ask_term, appoint), changes),
        site.post("/officers/{officer}/release", release, changes),
        site.post("/officers/{officer}/account", account, opens),
    ]


# ---- showing ----


def show_all(visit: Visit) -> Response:
    """Shows the officers whom the visitor may see."""
    return _list(visit, "")


def search(visit: Visit) -> Response:
    """Keeps what is looked for out of the address."""
    return visit.redirect(f"/officers/view/{visit.keep(visit.form.get('q').strip()[:100])}")


def show_view(visit: Visit) -> Response:
    """Shows the officers that were looked for."""
    if (lost := visit.not_kept("/officers")) is not None:
        return lost
    return _list(visit, str(visit.kept(visit.path("view"))))


def _list(visit: Visit, wanted: str) -> Response:
    found = visit.service.keeping.directory(visit.by())
    roles = role_labels(visit)
    rows = []
    for officer in sorted(found.officers, key=lambda o: name_key(o.name)):
        held = [
            f"{roles.get(h.role, h.role)} {visit.values.unit(h.org) if h.org != officer.org else ''}".strip()
            for h in officer.holdings
            if h.period.holds(visit.today)
        ]
        unit = visit.values.unit(officer.org)
        if folded(wanted) in folded(f"{officer.name} {officer.id} {unit} {' '.join(held)}"):
            rows.append({"officer": officer, "unit": unit, "roles": ", ".join(held),
                         "present": officer.present(visit.today)})  # fmt: skip
    field = Field(name="q", label=visit.say("Name, unit or role"), kind="text", value=wanted)
    return visit.page("officers.html", rows=rows, field=field, may_add=visit.may("officers"))


def role_labels(visit: Visit) -> dict[str, str]:
    """Returns what each role is called."""
    with visit.service.work() as work:
        return {r: s.label.of(visit.lang) for r, s in work.library.area.file.roles.items()}


def show(visit: Visit) -> Response:
    """Shows one officer."""
    found = _officer(visit)
    roles = role_labels(visit)
    today = visit.today.isoformat()
    terms = [
        {
            "role": roles.get(t.role, t.role),
            "unit": visit.values.unit(t.org),
            "from": "" if t.from_day == ALWAYS_FROM else t.from_day,
            "until": t.until_day,
            "now": t.from_day <= today and (t.until_day is None or t.until_day >= today),
            "key": f"{t.role}/{t.org}",
        }
        for t in reversed(found.terms)
    ]
    row = found.row
    doing = ["enable"] if row is not None and row.disabled else ["disable", "password", "sessions"]
    if found.factor:
        doing.append("factor")
    return visit.page(
        "officer.html",
        found=found,
        officer=found.officer,
        row=row,
        terms=terms,
        doing=[(d, visit.say(ACCOUNT[d][0])) for d in doing] if found.may_open else [],
    )


def _officer(visit: Visit) -> Personnel:
    return visit.service.keeping.officer(visit.path("officer"), visit.by())


# ---- adding and changing ----


def _contact_fields(visit: Visit, found: Personnel | None) -> list[Field]:
    row = found.row if found is not None else None
    return [
        Field(name="name", label=visit.say("Full name"), kind="text", required=True, value=row.name if row else ""),
        Field(name="email", label=visit.say("E-mail"), kind="text", value=(row.email or "") if row else ""),
        Field(name="phone", label=visit.say("Mobile number"), kind="text", value=(row.phone or "") if row else ""),
        Field(
            name="account",
            label=visit.say("Name at the identity provider"),
            kind="text",
            value=(row.account or "") if row else "",
            hint=visit.say("only where the office signs in through one"),
        ),
    ]


def _role_field(visit: Visit) -> Field:
    return Field(
        name="role", label=visit.say("Role"), kind="choice", required=True, options=list(role_labels(visit).items())
    )


def _unit_field(visit: Visit, value: str = "") -> Field:
    reach = visit.service.keeping.reach("officers", visit.by())
    _, tree = visit.service.organisations.on()
    options = unit_options(visit, tree, (tree.by_id[u] for u in reach))
    return Field(name="org", label=visit.say("Unit"), kind="unit", required=True, options=options, value=value)


def _new_fields(visit: Visit) -> list[Field]:
    hint = visit.say("letters without accents, figures, dots and dashes; it never changes")
    return [
        Field(name="id", label=visit.say("Sign-in name"), kind="text", required=True, hint=hint),
        *_contact_fields(visit, None),
        _unit_field(visit),
        _role_field(visit),
    ]


def ask_new(visit: Visit) -> Response:
    """Asks who the new officer is."""
    return _form(visit, Asked(visit, _new_fields(visit)), "", 200, "/new-officer", visit.say("Add an officer"))


def _form(visit: Visit, asked: Asked, error: str, status: int, action: str, heading: str) -> Response:
    back = "/officers" if action == "/new-officer" else action.rpartition("/")[0]
    return visit.page(
        "asked.html",
        status,
        heading=heading,
        crumbs=[("/officers", visit.say("Officers"))],
        fields=asked.fields,
        error=error,
        action=action,
        button=visit.say("Record"),
        back=back,
    )


def add(visit: Visit) -> Response:
    """Adds an officer, with a password that is shown once."""
    asked = Asked(visit, _new_fields(visit))
    heading = visit.say("Add an officer")
    right = asked.read()
    id = asked.text("id") or ""
    with visit.service.work() as work:
        known = id in work.office.officers
    if known:
        asked.blame("id", visit.say("This name is taken."))
    elif not all(c.isascii() and (c.isalnum() or c in "-_.") for c in id):
        asked.blame("id", visit.say("Only letters without accents, figures, dots and dashes."))
    if not right or any(f.error for f in asked.fields):
        return _form(visit, asked, visit.say("Look at the fields marked below."), 400, "/new-officer", heading)
    made = new_password() if visit.may("accounts", asked.text("org")) else None
    plain = _contacts(id, asked)
    role, hashed = asked.text("role") or "", hash_password(made) if made is not None else None
    change = replace(plain, org=asked.text("org"), roles=[role], password=hashed)
    try:
        visit.service.put_officers([change], visit.by_form())
    except (BadInput, NotFound) as error:
        return _form(visit, asked, error_text(error, visit.lang), 422, "/new-officer", heading)
    if made is None:
        return visit.redirect(f"/officers/{id}", Said(visit.say("{name} is added.", name=asked.text("name") or "")))
    return _secret(visit, id, asked.text("name") or "", made)


def new_password() -> str:
    """Returns a password that nobody chose, easy to read out."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(SHORTEST_PASSWORD // 4 + 1))


def _contacts(id: str, asked: Asked) -> OfficerChange:
    name, email, phone, account = (asked.text(n) or "" for n in ("name", "email", "phone", "account"))
    return OfficerChange(id=id, name=name, email=email, phone=phone, account=account)


def _secret(visit: Visit, id: str, name: str, made: str) -> Response:
    return visit.page("new_password.html", id=id, name=name, made=made)


def ask_change(visit: Visit) -> Response:
    """Asks what is to be changed."""
    found = _keeps(visit)
    asked = Asked(visit, _contact_fields(visit, found))
    return _form(visit, asked, "", 200, _address(visit, "change"), found.officer.name)


def _address(visit: Visit, what: str) -> str:
    return f"/officers/{visit.path('officer')}/{what}"


def _keeps(visit: Visit) -> Personnel:
    """Returns the officer of the address, for who may change them. Raises NotFound."""
    found = _officer(visit)
    if not found.may_change:
        raise NotFound("There is no such page.")
    return found


def change(visit: Visit) -> Response:
    """Changes an officer's name and contacts."""
    found = _keeps(visit)
    asked = Asked(visit, _contact_fields(visit, found))
    address = _address(visit, "change")
    if not asked.read():
        text = visit.say("Look at the fields marked below.")
        return _form(visit, asked, text, 400, address, found.officer.name)
    try:
        visit.service.put_officers([_contacts(found.officer.id, asked)], visit.by_form())
    except (BadInput, NotFound) as error:
        return _form(visit, asked, error_text(error, visit.lang), 422, address, found.officer.name)
    return visit.redirect(f"/officers/{found.officer.id}", Said(visit.say("Recorded.")))


# ---- terms of office ----


def _term_fields(visit: Visit, found: Personnel) -> list[Field]:
    return [
        _role_field(visit),
        _unit_field(visit, found.officer.org),
        Field(name="first", label=visit.say("First day"), kind="day", hint=visit.say("empty: today")),
        Field(name="last", label=visit.say("Last day"), kind="day", hint=visit.say("empty: without end")),
    ]


def ask_term(visit: Visit) -> Response:
    """Asks for a role with its days."""
    found = _keeps(visit)
    asked = Asked(visit, _term_fields(visit, found))
    return _form(visit, asked, "", 200, _address(visit, "appoint"), _appointing(visit, found))


def _appointing(visit: Visit, found: Personnel) -> str:
    return visit.say("Give {name} a role", name=found.officer.name)


def appoint(visit: Visit) -> Response:
    """Gives a role from a day to a day, past or to come."""
    found = _keeps(visit)
    asked = Asked(visit, _term_fields(visit, found))
    address = _address(visit, "appoint")
    if not asked.read():
        text = visit.say("Look at the fields marked below.")
        return _form(visit, asked, text, 400, address, _appointing(visit, found))
    term = Term(
        officer=found.officer.id,
        role=asked.text("role") or "",
        org=asked.text("org") or "",
        from_=asked.day("first") or visit.today,
        until=asked.day("last"),
    )
    try:
        visit.service.organisations.appoint([term], visit.by_form())
    except (BadInput, NotFound) as error:
        return _form(visit, asked, error_text(error, visit.lang), 422, address, _appointing(visit, found))
    return visit.redirect(f"/officers/{found.officer.id}", Said(visit.say("Recorded.")))


def release(visit: Visit) -> Response:
    """Ends a role, with today as its last day, or the day that was typed."""
    found = _keeps(visit)
    role, _, org = visit.form.get("term").partition("/")
    asked = Asked(visit, [Field(name="last", label="", kind="day")])
    if not asked.read():
        raise BadInput("The last day cannot be read; type it as day/month/year.")
    last = visit.service.organisations.release(found.officer.id, role, org, asked.day("last"), visit.by_form())
    text = visit.say("The role ends; its last day is {day}.", day=last.strftime("%d/%m/%Y"))
    return visit.redirect(f"/officers/{found.officer.id}", Said(text))


# ---- accounts ----


def account(visit: Visit) -> Response:
    """Shows what follows for an account; does it when that was confirmed."""
    found = _officer(visit)
    do = visit.form.get("do")
    if not found.may_open or do not in ACCOUNT:
        raise NotFound("There is no such page.")
    name, id = found.officer.name, found.officer.id
    label, told = visit.say(ACCOUNT[do][0]), visit.say(ACCOUNT[do][1], name=name)
    address = f"/officers/{id}"
    if visit.form.get("confirmed") != "yes":
        return visit.page(
            "confirm.html",
            heading=label,
            back=address,
            title=name,
            told=[told],
            action=f"{address}/account",
            button=label,
            pairs=[("do", do)],
            risk=do != "enable",
            version=None,
        )
    by, accounts = visit.by_form(), visit.service.accounts
    if do == "password":
        made = new_password()
        accounts.reset_password(id, made, by)
        return _secret(visit, id, name, made)
    if do == "factor":
        accounts.take_factor(id, by)
    else:
        if do != "sessions":
            put_account(visit.service, OfficerChange(id=id, disabled=do == "disable"), by)
        accounts.end(id, [s.id for s in found.sessions], by)
    return visit.redirect(address, Said(visit.say("Recorded: {what}.", what=label)))
