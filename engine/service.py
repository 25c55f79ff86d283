"""The one door: every change of state goes through here, each in one transaction with its event, timers and notices."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime

from engine import (
    correcting,
    entering,
    likeness,
    listing,
    officework,
    organising,
    outbox,
    permits,
    reading,
    steps,
    ticking,
    undoing,
)
from engine.asking import Prospect, prospects
from engine.core import events
from engine.core.commands import Move, SetFacts, Start, Undo
from engine.core.errors import BadInput, Denied
from engine.core.events import Entry, Standing, stamp, unstamp
from engine.core.machine import Definition
from engine.core.sending import Drafter
from engine.core.subject import Subject
from engine.core.values import Value
from engine.core.views import facts_of, read_facts
from engine.doors.access import Access
from engine.doors.accounts import Accounts
from engine.doors.backups import Backups
from engine.doors.catalogue import Catalogue
from engine.doors.desk import Desk
from engine.doors.history import History
from engine.doors.keeping import Keeping
from engine.doors.likeness import Likeness
from engine.doors.lists import Lists
from engine.doors.mail import Mail
from engine.doors.notices import Feeds, Outbox
from engine.doors.organisations import Organisations
from engine.doors.oversight import Oversight
from engine.doors.owing import Owing
from engine.doors.persons import Persons
from engine.doors.reading import Reading
from engine.doors.scores import Scores
from engine.doors.sheets import Sheets
from engine.doors.starting import Starting
from engine.doors.supposing import Supposing
from engine.doors.tokens import Tokens
from engine.doors.trail import Trail
from engine.doors.tries import Tries
from engine.kit import Kit
from engine.ledger import Via
from engine.library import Source, compile_all, rows_of
from engine.officework import Counts, OfficerChange, OrgChange
from engine.repeating import answer_again, digest
from engine.steps import Answer, By
from engine.trail import SANDBOX, is_sandbox
from engine.work import Case, Work, begin

TICK_LIMIT = 500  # timers done in one transaction, so that officers' steps come in between


class Service:
    """What may be done with one database. Threads and processes may each have one. Areas have doors of their own."""

    def __init__(self, kit: Kit, drafter: Drafter, via: Via) -> None:
        self.kit, self._drafter, self._via = kit, drafter, via
        self.outbox = Outbox(self.work, drafter)
        self.feeds = Feeds(self.work)
        self.past = History(self.work)
        self.access = Access(self.work, via)
        self.reading = Reading(self.work, self.access)
        self.oversight = Oversight(self.work, self.access)
        self.mail = Mail(self.work, self.access, drafter)
        self.scores = Scores(self.work)
        self.sheets = Sheets(self.work, self.access)
        self.owing = Owing(self.work, drafter)
        self.starting = Starting(self.work, self.access)
        self.likeness = Likeness(self.work)
        self.persons = Persons(self.work, self.access, kit.store)
        self.organisations = Organisations(self.work, kit)
        self.keeping = Keeping(self.work, kit)
        self.accounts = Accounts(self.work, kit)
        self.tries = Tries(self.work)
        self.supposing = Supposing(self.work, kit)
        self.lists = Lists(self.work, kit, self.access)
        self.tokens = Tokens(self.work, kit)
        self.desk = Desk(self.work, self.access)
        self.catalogue = Catalogue(self.work, self.access)
        self.trail = Trail(self.work, kit.store.seal)
        self.backups = Backups(self.work, via, kit.store)

    def speaking_for(self, via: Via) -> Service:
        """Returns the same door for commands that come in another way."""
        return Service(self.kit, self._drafter, via)

    def beside(self) -> Service:
        """Returns a door to the same store for another thread: what is kept between transactions is its own."""
        return Service(replace(self.kit, unwrapped={}, known=None, office=None), self._drafter, self._via)

    @contextmanager
    def work(self, *, write: bool = False, via: Via | None = None) -> Iterator[Work]:
        """Opens a unit of work, for reading unless said otherwise."""
        with begin(self.kit, via or self._via, write=write) as work:
            yield work

    # -- setting up

    def load(self, sources: Sequence[Source], *, by: By = By(officer=None), sandbox: bool | None = None) -> list[str]:
        """Loads definitions, each file kept by its hash; returns the workflows that are new or changed.

        Raises FindingsError when one is not valid, then nothing is loaded.
        """
        definitions = compile_all(sources, self.kit.compiled)
        with self.work(write=True) as work:
            newest = {r.workflow: r.id for r in work.tx.definitions()}
            changed = [s for s in sources if newest.get(s.workflow) != s.id]
            work.tx.put_definitions(rows_of(changed, definitions, work.now))
            for source in changed:
                work.ledger.append(
                    events.DEFINITION,
                    workflow=source.workflow,
                    definition=source.id,
                    actor=by.officer,
                    behalf=by.behalf,
                )
            if work.tx.setting(SANDBOX) is None:
                work.tx.put_setting(SANDBOX, "true" if sandbox else "false")
                work.tx.put_setting(ticking.THROUGH, stamp(work.now))
            if changed:
                work.office_changed()
                work.replan(work.tx.pending_subjects())
                for workflow in {s.workflow for s in changed if s.workflow in newest}:
                    likeness.learn(work, workflow)
                    ended = work.library.newest(workflow).final
                    work.replan(r.id for r in work.tx.find_subjects(workflow=workflow) if r.state not in ended)
                    listing.learn(work, workflow, ended)
            if listing.is_old(work):
                listing.rebuild(work)
        return [s.workflow for s in changed]

    def is_sandbox(self) -> bool:
        """Tells whether this database is a sandbox, whose clock may be set."""
        with self.work() as work:
            return is_sandbox(work.tx)

    # -- subjects

    def start(self, command: Start, by: By) -> Answer:
        """Begins a subject. Raises BadInput and Denied."""
        return self._run(lambda work, by: steps.start(work, command, by), command, by, None, "start")

    def start_many(self, commands: Sequence[Start], by: By) -> list[Answer]:
        """Begins many subjects in one transaction, all or none."""
        with self.work(write=True) as work:
            return [steps.start(work, c, replace(by, command=None)) for c in commands]

    def move(self, command: Move, by: By) -> Answer:
        """Takes a step. A refusal by rules is an answer whose `to` is None; the attempt is in the trail.

        Raises BadInput, Denied (the attempt is in the trail) and Conflict.
        """

        def run(work: Work, by: By) -> Answer:
            answer = entering.enter(work, command, by)
            return self._corrected(work, answer, command.correct, command.reason, by)

        return self._run(run, command, by, command.subject, command.trigger)

    def move_many(self, commands: Sequence[Move], by: By) -> list[Answer]:
        """Takes many steps in one transaction; where one is refused, nothing at all is changed."""
        with self.work(write=True) as work:
            work.fetch(c.subject for c in commands)
            answers = [steps.move(work, c, replace(by, command=None)) for c in commands]
            if not all(a.allowed for a in answers):
                work.discard()
            return answers

    def set_facts(self, command: SetFacts, by: By) -> Answer:
        """Writes facts without a step. Raises BadInput, Denied and Conflict."""
        return self._run(lambda work, by: steps.set_facts(work, command, by), command, by, command.subject, "set")

    def undo(self, command: Undo, by: By) -> Answer:
        """Undoes the subject's last step. Raises BadInput, Denied and Conflict."""

        def run(work: Work, by: By) -> Answer:
            return self._corrected(work, undoing.undo(work, command, by), command.correct, command.reason, by)

        return self._run(run, command, by, command.subject, "undo")

    def _corrected(self, work: Work, answer: Answer, wanted: bool, reason: str | None, by: By) -> Answer:
        """Tells those who were told wrongly, where that is wanted."""
        if not (wanted and answer.allowed and answer.sent):
            return answer
        queued = correcting.queue(work, self._drafter, answer.sent, reason or "", by)
        return replace(answer, corrections=queued)

    def _run(
        self,
        run: Callable[[Work, By], Answer],
        command: Start | Move | SetFacts | Undo,
        by: By,
        subject: str | None,
        trigger: str,
    ) -> Answer:
        """Runs a command once: a command whose id stands in the trail is answered from it."""
        if by.command is not None:
            by = replace(by, asked=digest(command, by.officer))
        denied: Denied | None = None
        answer: Answer | None = None
        with self.work(write=True) as work:
            if by.command is not None and (row := work.tx.event_of_command(by.command)) is not None:
                return answer_again(work, row.id, row.subject or "", by)
            try:
                answer = run(work, by)
            except Denied as error:
                if subject is None:
                    raise  # nothing to note it at: all is taken back
                work.discard()
                denied = error
                steps.refused_event(work, subject, trigger, by, None, error.why)
            else:
                if not answer.allowed and subject is not None:
                    steps.refused_event(work, subject, trigger, by, answer, None)
        if denied is not None:
            raise denied
        assert answer is not None
        return answer

    # -- asking

    def why(
        self,
        subject: str,
        trigger: str | None = None,
        *,
        officer: str | None = None,
        on: date | None = None,
        by: By | None = None,
    ) -> tuple[Subject, Sequence[Prospect]]:
        """Returns what may be done with a subject now and what stands in the way; changes nothing.

        `officer`: may they do it? `by`: who asks. That it was opened is noted, here and in all that shows a subject.
        """
        self.access.opened(subject, "why", by)
        with self.work() as work:
            case = work.case(subject)
            return case.subject, prospects(work, case, officer=officer, on=on, trigger=trigger)

    def show(self, subject: str, by: By | None = None, purpose: str | None = None) -> tuple[Case, Mapping[str, Value]]:
        """Returns a subject and all its facts now. Raises NotFound."""
        self.access.opened(subject, "show", by, purpose)
        with self.work() as work:
            case = work.case(subject)
            return case, facts_of(case.definition, case.subject, work.moment())

    def show_as_of(
        self, subject: str, at: datetime, on: date | None = None, by: By | None = None
    ) -> tuple[Definition, Standing]:
        """Returns what was known of a subject at a time; `on`: how it had been on a day, as was known then.

        Raises NotFound when nothing was.
        """
        self.access.opened(subject, "show", by)
        with self.work() as work:
            return reading.stood(work, subject, at, on)

    def history(self, subject: str, by: By | None = None, *, openings: bool = False) -> list[Entry]:
        """Returns the events of a subject, oldest first; who looked at it only when asked for. Raises NotFound."""
        self.access.opened(subject, "history", by)
        with self.work() as work:
            return reading.history(work, subject, openings=openings)

    def find(self, workflow: str, org: str | None, facts: Mapping[str, object]) -> list[str]:
        """Returns the ids of the subjects of a workflow with this unit and these facts.

        Raises BadInput and NotFound.
        """
        with self.work() as work:
            definition = work.library.newest(workflow)
            for name in facts:
                if name not in definition.types:
                    raise BadInput("{fact} is not a fact of {workflow}", fact=name, workflow=workflow)
            wanted = read_facts(definition, facts, work.calendar)
            rows = work.tx.find_subjects(workflow=workflow, orgs=None if org is None else [org])
            return [
                c.subject.id
                for c in work.adopt(r for r in rows if r.state != events.VOID)
                if all(c.subject.facts.get(n) == v for n, v in wanted.items())
            ]

    # -- the office

    def put_officers(self, changes: Iterable[OfficerChange], by: By) -> Counts:
        """Adds or changes officers. Raises BadInput and Denied."""
        changes = list(changes)
        with self.work(write=True) as work:
            by = permits.permit_officers(work, "officers", by, changes)
            return officework.put_officers(work, changes, by)

    def add_substitute(self, officer: str, stand_in: str, first: date, last: date, by: By) -> str:
        """Lets one officer act for another in a period. Officers may name their own. Raises BadInput and Denied."""
        with self.work(write=True) as work:
            away = work.office.officers.get(officer)
            if by.officer != officer:
                by = permits.permit(work, "substitutes", by, away.org if away is not None else None)
            return officework.add_substitute(work, officer, stand_in, first, last, by)

    def put_days(self, days: Iterable[tuple[date, bool]], by: By) -> int:
        """Declares days off (True) or working days (False). Raises Denied."""
        with self.work(write=True) as work:
            by = permits.permit(work, "calendar", by)
            return officework.put_days(work, days, by)

    def set_up(self) -> OfficeHand:
        """Returns the hand that sets up an office without asking who: for scenarios and the demo's sandbox."""
        return OfficeHand(self)

    # -- the clock

    def next_due(self) -> datetime | None:
        """Returns when there is next something to do: a recurrence, a timer, or a notice to be sent."""
        with self.work() as work:
            if not work.library.workflows:
                return None
            times = [unstamp(t) for t in (work.tx.next_due(), work.tx.next_try()) if t is not None]
            opening = ticking.next_opening(work)
            handover = organising.next_handover(work)
            times += [] if handover is None else [work.calendar.start_of(handover)]
            return min([*times, opening] if opening is not None else times, default=None)

    def tick(self) -> int:
        """Does what is due by the clock: recurrences, steps of timers, notices into the outbox. Returns how much it
        did.

        Safe to call late, twice or from several processes at once.
        """
        via = Via(channel="clock", account=self._via.account)
        with self.work(write=True, via=via) as work:
            if not work.library.workflows:
                return 0
            done = organising.hand_over_due(work, By(officer=None)) + ticking.open_due(work)
        for step in (self._fire, self._expand):
            while True:
                with self.work(write=True, via=via) as work:
                    n = step(work)
                done += n
                if n < TICK_LIMIT:
                    break
        return done

    def _fire(self, work: Work) -> int:
        return ticking.fire_due(work, TICK_LIMIT)

    def _expand(self, work: Work) -> int:
        return outbox.expand_due(work, self._drafter, TICK_LIMIT)


class OfficeHand:
    """Sets up an office without asking who: for scenarios and a sandbox's demo."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def orgs(self, changes: Iterable[OrgChange]) -> Counts:
        """Founds or changes organisations."""
        with self._service.work(write=True) as work:
            return organising.put_orgs(work, changes, _NOBODY)

    def officers(self, changes: Iterable[OfficerChange]) -> Counts:
        """Adds or changes officers."""
        with self._service.work(write=True) as work:
            return officework.put_officers(work, changes, _NOBODY)

    def substitute(self, officer: str, stand_in: str, first: date, last: date) -> str:
        """Lets one officer act for another."""
        with self._service.work(write=True) as work:
            return officework.add_substitute(work, officer, stand_in, first, last, _NOBODY)

    def days(self, days: Iterable[tuple[date, bool]]) -> int:
        """Declares days off or working days."""
        with self._service.work(write=True) as work:
            return officework.put_days(work, days, _NOBODY)


_NOBODY = By(officer=None)


def command_id() -> str:
    """Returns a new id for a command."""
    return secrets.token_hex(16)
