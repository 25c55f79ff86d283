"""Who may do what, where: the tree of organisations, roles and their reach, substitutes, separation of duties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.core.errors import Denied, NotFound
from engine.core.values import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """From the first to the last day, both included; None is without end."""

    from_: date | None = None
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Tells whether a day lies in the period."""
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day <= self.until)

    def ended(self, day: date) -> bool:
        """Tells whether the period lies before a day."""
        return self.until is not None and self.until < day


ALWAYS = Period()


@dataclass(frozen=True, kw_only=True, slots=True)
class Org:
    """An organisation as it stands on the tree's day. `period` is when it exists, `marks` what it carries and when."""

    id: str
    kind: str
    name: str
    parent: str | None
    period: Period = ALWAYS
    merged_into: str | None = None
    marks: Mapping[str, Period] = field(default_factory=dict)
    created_at: str = ""


class Tree:
    """The organisations on one day. An id that is not in it has no ancestors."""

    def __init__(self, orgs: Iterable[Org]) -> None:
        self.by_id: dict[str, Org] = {o.id: o for o in orgs}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._children: dict[str, list[Org]] = {}
        for org in self.by_id.values():
            if org.parent is not None:
                self._children.setdefault(org.parent, []).append(org)

    def path(self, org: str) -> tuple[str, ...]:
        """Returns the organisation and all above it, nearest first."""
        path = self._paths.get(org)
        if path is None:
            found: list[str] = []
            at: str | None = org
            while at is not None and at in self.by_id and at not in found:
                found.append(at)
                at = self.by_id[at].parent
            path = self._paths[org] = tuple(found)
        return path

    def children(self, org: str) -> Sequence[Org]:
        """Returns the organisations directly below."""
        return self._children.get(org, ())

    def below(self, org: str) -> list[str]:
        """Returns the organisation and all below it."""
        found = [org]
        for at in found:
            found.extend(c.id for c in self.children(at))
        return found

    def successor(self, org: str, on: date) -> str:
        """Returns the unit that stands for `org` on a day: itself, or the one it was merged into, however often.

        A unit that was closed without a follower is returned as it is.
        """
        at, seen = org, set[str]()
        while at in self.by_id and at not in seen:
            seen.add(at)
            found = self.by_id[at]
            if found.merged_into is None or not found.period.ended(on):
                return at
            at = found.merged_into
        return org

    def above(self, org: str, kinds: frozenset[str]) -> Org | None:
        """Returns the nearest organisation above of one of these kinds."""
        for at in self.path(org)[1:]:
            if self.by_id[at].kind in kinds:
                return self.by_id[at]
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """A role in an organisation during a period."""

    role: str
    org: str
    period: Period = ALWAYS


@dataclass(frozen=True, kw_only=True, slots=True)
class Officer:
    """A person who acts. `holdings` are the roles, each for its organisation."""

    id: str
    name: str
    org: str
    holdings: tuple[Holding, ...] = ()
    email: str | None = None
    phone: str | None = None
    webhook: str | None = None
    channels: tuple[str, ...] = ()  # those the officer wants first, in their order
    period: Period = ALWAYS
    disabled: bool = False
    bad: frozenset[str] = frozenset()  # addresses and numbers that were refused

    def contact(self, channel: str) -> str | None:
        """Returns where a message of a channel would go, refused or not."""
        return {"email": self.email, "sms": self.phone, "webhook": self.webhook}.get(channel)

    def address(self, channel: str) -> str | None:
        """Returns where a message of a channel goes; None without one, or once it was refused."""
        found = self.contact(channel)
        return None if found in self.bad else found

    def order(self, usual: Sequence[str]) -> list[str]:
        """Returns the channels in the order in which the officer is tried: their own, then the office's `usual`."""
        return list(dict.fromkeys((*self.channels, *usual)))

    def present(self, day: date) -> bool:
        """Tells whether the officer holds office on a day."""
        return not self.disabled and self.period.holds(day)


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitution:
    """`stand_in` may act for `officer` during the period."""

    officer: str
    stand_in: str
    period: Period


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One of these roles in an organisation of one of these kinds. See `definition.Grant`."""

    roles: frozenset[str]
    kinds: frozenset[str]
    over: str | None = None
    kind_is: str | None = None
    mark: str | None = None
    above: bool = False
    like: bool = False


class Office:
    """Organisations, officers and substitutes as they stand on one day, with the reach of each kind.

    `day` is the clock's day: it decides who holds which role and who stands in for whom.
    """

    def __init__(
        self,
        *,
        day: date,
        tree: Tree,
        officers: Iterable[Officer],
        substitutions: Iterable[Substitution] = (),
        parent_reach: frozenset[str] = frozenset(),
    ) -> None:
        self.day, self.tree = day, tree
        self.officers = {o.id: o for o in officers}
        self._parent_reach = parent_reach
        self._members: dict[str, list[Officer]] = {}
        for officer in self.officers.values():
            for org in dict.fromkeys(h.org for h in officer.holdings):
                self._members.setdefault(org, []).append(officer)
        self._absent: dict[str, list[str]] = {}
        self._stand_ins: dict[str, list[str]] = {}
        for s in substitutions:
            if s.period.holds(day):
                self._absent.setdefault(s.stand_in, []).append(s.officer)
                self._stand_ins.setdefault(s.officer, []).append(s.stand_in)

    def members(self, org: str) -> Sequence[Officer]:
        """Returns the officers with a role in an organisation, of today or of another day."""
        return self._members.get(org, ())

    def absent_for(self, officer: str) -> Sequence[str]:
        """Returns the officers for whom this one stands in today."""
        return self._absent.get(officer, ())

    def stand_ins(self, officer: str) -> Sequence[str]:
        """Returns those who stand in for this officer today."""
        return self._stand_ins.get(officer, ())

    def holdings(self, officer: Officer) -> Iterable[tuple[Holding, Org]]:
        """Yields the officer's roles of today with their organisations, closed organisations left out."""
        if not officer.present(self.day):
            return
        for holding in officer.holdings:
            org = self.tree.by_id.get(holding.org)
            if org is not None and holding.period.holds(self.day) and org.period.holds(self.day):
                yield holding, org

    def root(self, org: Org) -> str:
        """Returns the top of the tree over which a role in `org` reaches."""
        if org.kind in self._parent_reach and org.parent is not None:
            return org.parent
        return org.id

    def allows(
        self, officer: Officer, grants: Iterable[Grant], unit: str, facts: Mapping[str, Value], on: date
    ) -> str | None:
        """Returns None when a grant lets the officer act on `unit`, else why not: `role` or `scope`."""
        why = "role"
        for grant in grants:
            over = unit if grant.over is None else facts.get(grant.over)
            path = self.tree.path(over) if isinstance(over, str) else ()
            for holding, org in self.holdings(officer):
                if holding.role not in grant.roles or org.kind not in grant.kinds:
                    continue
                if grant.kind_is is not None and facts.get(grant.kind_is) != org.kind:
                    continue
                if grant.mark is not None and not _marked(org, grant.mark, on):
                    continue
                if path and self._reaches(org, grant, path):
                    return None
                why = "scope"
        return why

    def _reaches(self, org: Org, grant: Grant, path: Sequence[str]) -> bool:
        """Tells whether a grant held in `org` reaches the first organisation of a path upwards."""
        unit = path[0]
        if grant.above and unit == org.id:
            return False
        if grant.like:
            return self.tree.by_id[unit].kind == org.kind and (unit == org.id or org.parent in path)
        return self.root(org) in path

    def reads(self, officer: Officer, roles: frozenset[str], units: Iterable[str]) -> bool:
        """Tells whether one of these roles of the officer reaches one of the units."""
        paths = [self.tree.path(u) for u in units]
        return any(
            self.root(org) in path for holding, org in self.holdings(officer) if holding.role in roles for path in paths
        )


def _marked(org: Org, mark: str, on: date) -> bool:
    period = org.marks.get(mark)
    return period is not None and period.holds(on)


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """Who acts, and for whom."""

    officer: str
    behalf: str | None = None

    @property
    def persons(self) -> tuple[str, ...]:
        """Both persons, for separation of duties."""
        return (self.officer,) if self.behalf is None else (self.officer, self.behalf)


def authorise(
    office: Office,
    officer_id: str,
    grants: Sequence[Grant],
    unit: str,
    *,
    facts: Mapping[str, Value],
    on: date,
    doers: Mapping[str, Sequence[str]] | None = None,
    never: Sequence[str] = (),
    behalf: str | None = None,
) -> Acting:
    """Returns who acts. The officer's own authority is tried first, then that of each officer they stand in for today.

    With a `behalf` chosen beforehand only that officer's authority counts.
    `doers` says who did which trigger on the subject; whoever did one of `never`, or for whom it was done, is denied.
    Raises NotFound for somebody who is no officer, Denied with why `role`, `scope` or `separation_of_duties`.
    """
    officer = office.officers.get(officer_id)
    if officer is None:
        raise NotFound("{officer} is not an officer here", officer=officer_id)
    barred = {person for trigger in never for person in (doers or {}).get(trigger, ())}
    why = "role"
    absent = office.absent_for(officer_id)
    for other in (None, *absent) if behalf is None else [a for a in absent if a == behalf]:
        if other is not None and not officer.present(office.day):
            break
        holder = officer if other is None else office.officers.get(other)
        if holder is None:
            continue
        refused = office.allows(holder, grants, unit, facts, on)
        if refused is None:
            acting = Acting(officer=officer_id, behalf=other)
            if not barred.intersection(acting.persons):
                return acting
            refused = "separation_of_duties"
        why = max(why, refused, key=("role", "scope", "separation_of_duties").index)
    over = ", ".join(dict.fromkeys(_asked(office.tree, grants, unit, facts))) or unit
    raise Denied(_MESSAGES[why], why=why, officer=officer_id, unit=over, triggers=", ".join(never))


def _asked(tree: Tree, grants: Sequence[Grant], unit: str, facts: Mapping[str, Value]) -> Iterable[str]:
    """Yields the names of the units over which one would have to be: where only those above may, the unit above."""
    for grant in grants:
        over = unit if grant.over is None else facts.get(grant.over, unit)
        org = tree.by_id.get(over) if isinstance(over, str) else None
        if org is not None and grant.above and org.parent in tree.by_id:
            org = tree.by_id[org.parent]
        if org is not None:
            yield org.name


_MESSAGES = {
    "role": "{officer} holds no role that may do this ({why})",
    "scope": "{officer} holds the role, but not over {unit} ({why})",
    "separation_of_duties": "{officer} did one of {triggers} on this subject and so may not do this ({why})",
}
