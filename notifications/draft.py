"""Writing the notices of today: who gets one, on which channel, in which words (`engine.core.sending.Drafter`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from engine.core.authority import Office
from engine.core.definition import Text
from engine.core.machine import Area, Definition
from engine.core.sending import BAD_CONTACT, HAS_LEFT, NO_CONTACT, Draft, Matter, Unreached
from engine.core.values import Value
from notifications.corrections import write_correction
from notifications.plan import Addressee, channels, left, named, recipients
from notifications.render import Templates
from notifications.unreached import write_report


class Drafts:
    """Writes notices from the templates of a definition.

    `link_base` is the address of the pages, '' when there are none.
    """

    def __init__(
        self, compile_: Callable[[Mapping[str, str]], Templates], *, lang: str = "vi", link_base: str = ""
    ) -> None:
        self._compile, self._lang, self._link_base = compile_, lang, link_base.rstrip("/")
        self._compiled: dict[int, tuple[Mapping[str, str], Templates]] = {}

    def _templates(self, texts: Mapping[str, str]) -> Templates:
        """Compiles a set of templates once; it is the same object as long as nothing was loaded anew."""
        kept = self._compiled.get(id(texts))
        if kept is None or kept[0] is not texts:
            kept = self._compiled[id(texts)] = (texts, self._compile(texts))
        return kept[1]

    def drafts(self, matter: Matter, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for every recipient and channel of today. Raises RenderError when a template fails."""
        templates = self._templates(matter.templates)
        name = matter.told.spec.template or matter.told.rule
        group = self._text(matter.told.spec.label)
        found: list[Draft] = []
        about = (area, matter.told, matter.unit, office, matter.facts, matter.people)
        for addressee in recipients(*about):
            officer = office.officers[addressee.officer]
            context = self._context(matter, area, office, officer.name, addressee)
            item = templates.render(name, self._lang, context)
            draft = Draft(
                recipient=officer.id,
                behalf=addressee.behalf,
                channel=None,
                subject_line=item.subject_line,
                body=item.body,
                short=templates.sms(name, self._lang, context),
                group=group,
                why=BAD_CONTACT if officer.bad else NO_CONTACT,
            )
            reached = channels(area, officer, urgent=matter.told.spec.urgent)
            found += [replace(draft, channel=c, why="") for c in reached] or [draft]
        return [
            *found,
            *(_gone(officer, group) for officer in left(*about)),
        ]

    def report(self, unreached: Unreached, area: Area, office: Office) -> Sequence[Draft]:
        """Returns a draft for each of those who are told that notices do not reach an officer."""
        officer = office.officers.get(unreached.officer)
        if officer is None:
            return []
        unit = office.tree.by_id.get(officer.org)
        item, short = write_report(officer.name, unit.name if unit else officer.org, unreached.why, self._lang)
        found: list[Draft] = []
        for addressee in named(area, area.file.unreached, officer.org, office, but=officer.id):
            draft = Draft(
                recipient=addressee.officer,
                behalf=addressee.behalf,
                channel=None,
                subject_line=item.subject_line,
                body=item.body,
                short=short,
                group=item.note,
            )
            told = office.officers[addressee.officer]
            found += [replace(draft, channel=c) for c in channels(area, told, urgent=False)]
        return found

    def correction(self, text: Mapping[str, str], sent: date, reason: str) -> Draft:
        """Returns the words that take back a notice that was sent on a day."""
        item, short = write_correction(text, sent, reason, self._lang)
        return Draft(
            recipient="",
            behalf=None,
            channel=None,
            subject_line=item.subject_line,
            body=item.body,
            short=short,
            group=item.note,
        )

    def _context(
        self, matter: Matter, area: Area, office: Office, recipient: str, addressee: Addressee
    ) -> dict[str, object]:
        definition, facts = matter.definition, matter.facts
        unit = office.tree.by_id.get(matter.unit)
        above = office.tree.above(matter.unit, area.above)
        person = facts.get(definition.file.title_fact or "")
        due = matter.due
        here = office.tree.by_id.get(addressee.place)
        return {
            **{name: self._shown(definition, name, facts.get(name), office) for name in definition.types},
            "rule_label": self._text(matter.told.spec.label),
            "workflow_title": self._text(definition.file.title),
            "state_label": self._text(definition.file.states[matter.state].label),
            "unit": unit.name if unit is not None else matter.unit,
            "above": above.name if above is not None else None,
            "person": person if isinstance(person, str) else "",
            "subject_id": matter.subject,
            "due": due,
            "days_left": (due - matter.today).days if due is not None else None,
            "working_days_left": matter.working_days_left,
            "waiting_days": (matter.today - matter.entered_on).days,
            "today": matter.today,
            "source": matter.told.spec.source or "",
            "reason": matter.reason,
            "late": matter.planned_on < matter.today,
            "planned_on": matter.planned_on,
            "link": f"{self._link_base}/subjects/{matter.subject}" if self._link_base else "",
            "recipient": recipient,
            "here": here.name if here is not None else "",
            "people": "; ".join(person.title or person.subject for person in addressee.people),
            "people_count": len(addressee.people),
        }

    def _text(self, text: Text) -> str:
        return text.of(self._lang)

    def _shown(self, definition: Definition, name: str, value: Value | None, office: Office) -> object:
        """Gives a choice its label, and an organisation its name; other values stand as they are."""
        spec = definition.file.facts[name]
        if value is None or spec.sensitive:
            return None
        if spec.type == "choice" and spec.of and isinstance(value, str):
            return self._text(definition.area.file.lists[spec.of[0]][value].label)
        if spec.type == "org" and isinstance(value, str) and value in office.tree.by_id:
            return office.tree.by_id[value].name
        return value


def _gone(officer: str, group: str) -> Draft:
    """Returns what stands in the outbox for an officer who has left, in whose place there is nobody."""
    return Draft(
        recipient=officer, behalf=None, channel=None, subject_line=group, body="", short="", group=group, why=HAS_LEFT
    )
