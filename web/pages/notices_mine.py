"""How an officer wants notices: by which ways, in which order, and their own calendar feed."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from engine.core.errors import BadInput
from web.access import SIGNED
from web.forms import Field
from web.site import Said, Site, Visit
from web.words import error_text

CHANNELS = {"email": "Email", "sms": "Text message", "webhook": "A program"}  # and what they are called


def routes(site: Site) -> list[BaseRoute]:
    """Returns the routes."""
    return [
        site.get("/notices/mine", mine, SIGNED),
        site.post("/notices/mine", prefer, SIGNED),
        site.post("/notices/feed", feed, SIGNED),
    ]


def channel_name(visit: Visit, kind: str) -> str:
    """Returns what people call a channel, '' for none."""
    return "" if kind == "none" else visit.say(CHANNELS.get(kind, kind))


def mine(visit: Visit) -> Response:
    """Shows how the officer wants notices, and their calendar feed."""
    return _mine(visit, {}, 200)


def _mine(visit: Visit, errors: dict[str, str], status: int) -> Response:
    officer, feed_open = visit.service.mail.me(visit.by())
    say, form = visit.say, visit.form
    labels = {"email": say("Email"), "sms": say("Text message"), "webhook": say("A program of mine")}
    order = [form.get(f"channel_{n}") if form.has(f"channel_{n}") else (officer.channels[n - 1:n] or ("",))[0]
             for n in (1, 2, 3)]  # fmt: skip
    first = (say("First by"), say("then by"), say("then by"))
    fields = [
        Field(name=f"channel_{n}", label=first[n - 1], kind="choice", value=order[n - 1], options=list(labels.items()),
              hint=say("none: as the office does") if n == 1 else "", error=errors.get(f"channel_{n}", ""))
        for n in (1, 2, 3)
    ]  # fmt: skip
    webhook = form.get("webhook") if form.has("webhook") else officer.webhook or ""
    fields.append(
        Field(name="webhook", label=say("Address of the program"), kind="text", value=webhook,
              error=errors.get("webhook", ""), hint=say("https://…, to which notices are posted; may stay empty"))
    )  # fmt: skip
    secret = visit.site.shelf.take(visit.session.row.id, "feed")
    base = visit.site.settings.base_url.rstrip("/") or str(visit.request.base_url).rstrip("/")
    return visit.page(
        "notices_mine.html",
        status,
        officer=officer,
        fields=fields,
        feed_open=feed_open,
        feed=f"{base}/calendar/{secret}.ics" if secret else "",
    )


def prefer(visit: Visit) -> Response:
    """Records how the officer wants notices."""
    wanted = [c for n in (1, 2, 3) if (c := visit.form.get(f"channel_{n}"))]
    errors: dict[str, str] = {}
    for n in (1, 2, 3):
        chosen = visit.form.get(f"channel_{n}")
        if chosen and (chosen not in CHANNELS or wanted.count(chosen) > 1):
            errors[f"channel_{n}"] = visit.say("Choose each at most once.")
    officer, _ = visit.service.mail.me(visit.by())
    there = {"email": officer.email, "sms": officer.phone, "webhook": visit.form.get("webhook").strip()}
    for n in (1, 2, 3):
        chosen = visit.form.get(f"channel_{n}")
        if chosen in there and not there[chosen]:
            errors.setdefault(f"channel_{n}", visit.say("Nothing would come this way: there is no address for it."))
    if errors:
        return _mine(visit, errors, 400)
    try:
        visit.service.mail.prefer(wanted, visit.form.get("webhook").strip()[:500], visit.by_form())
    except BadInput as error:
        return _mine(visit, {"webhook": error_text(error, visit.lang)}, 400)
    return visit.redirect("/notices/mine", Said(visit.say("Your wishes are recorded.")))


def feed(visit: Visit) -> Response:
    """Opens the officer's calendar feed anew, or closes it."""
    officer, by = visit.session.officer.id, visit.by_form()
    if visit.form.get("close"):
        visit.service.feeds.close(officer, by)
        return visit.redirect("/notices/mine", Said(visit.say("The calendar feed is closed.")))
    visit.site.shelf.put(visit.session.row.id, "feed", visit.service.feeds.open(officer, by))
    return visit.redirect("/notices/mine")
