"""Making an area ready: kinds, groups, roles, permissions, and the versions of its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.core import machine as ready
from engine.core.authority import Grant
from engine.core.definition import AreaFile
from engine.core.definition import Grant as GrantSpec
from engine.core.definition import Version as VersionSpec
from engine.core.findings import Findings, Path, check_names
from engine.core.values import Type


def compile_area(file: AreaFile, tree: object, name: str) -> ready.Area:
    """Returns the area ready for use. Raises FindingsError."""
    found = Findings(tree, name)
    groups: dict[str, frozenset[str]] = {}
    for group, members in file.groups.items():
        if group in file.kinds:
            found.add(("groups", group), "name-twice", "{name} is both a kind and a group", name=group)
        check_names(found, ("groups", group), "kind", members, file.kinds)
        groups[group] = frozenset(members)
    known = [*file.kinds, *groups]
    if file.above not in groups:
        found.unknown(("above",), "group", file.above, groups)
    for mark, m in file.marks.items():
        check_names(found, ("marks", mark, "at"), "kind", m.at, known)
    try:
        ZoneInfo(file.calendar.zone)
    except (ZoneInfoNotFoundError, ValueError):
        found.add(("calendar", "zone"), "unknown-zone", "{zone} is not a time zone", zone=file.calendar.zone)
    for series, versions in file.sources.items():
        check_versions(found, ("sources", series), versions, ())
    area = ready.Area(
        file=file,
        groups=groups,
        permissions={},
        undo_above=(),
        parent_reach=frozenset(k for k, v in file.kinds.items() if v.reach == "parent"),
        above=groups.get(file.above, frozenset()),
        reading_roles=frozenset(r for r, v in file.roles.items() if v.sees == "subjects"),
    )
    grants = Grants(found, area)
    for authority, specs in file.authorities.items():
        grants.of(("authorities", authority), specs, None)
    permissions = {
        field: grants.of(("permissions", field), getattr(file.permissions, field), None)
        for field in type(file.permissions).model_fields
    }
    undo = grants.of(("undo", "above"), file.undo.above, None)
    for name, score in file.scores.items():
        check_names(found, ("scores", name, "at"), "kind", score.at, known)
    for field in ("told", "unreached"):
        for i, r in enumerate(getattr(file, field)):
            check_recipient(found, (field, i), r.roles, r.kind, file)
    found.done()
    return ready.Area(
        file=file,
        groups=groups,
        permissions=permissions,
        undo_above=undo,
        parent_reach=area.parent_reach,
        above=area.above,
        reading_roles=area.reading_roles,
        second_factor=frozenset(r for r, v in file.roles.items() if v.second_factor),
    )


def check_recipient(found: Findings, path: Path, roles: Sequence[str], kind: str | None, file: AreaFile) -> None:
    """Notes what a recipient names that there is not."""
    check_names(found, (*path, "roles"), "role", roles, file.roles)
    if kind is not None and kind not in file.kinds:
        found.unknown((*path, "kind"), "kind", kind, file.kinds)


class Grants:
    """Turns authorities, by name or written out, into grants."""

    def __init__(self, found: Findings, area: ready.Area) -> None:
        self.found, self.area = found, area

    def of(self, path: Path, specs: Sequence[str | GrantSpec], facts: Mapping[str, Type] | None) -> tuple[Grant, ...]:
        """Returns the grants that these authorities mean."""
        grants: list[Grant] = []
        named = self.area.file.authorities
        for i, spec in enumerate(specs):
            if isinstance(spec, GrantSpec):
                grants.append(self._one((*path, i), spec, facts))
            elif spec in named:
                grants.extend(self._one((*path, i), g, facts) for g in named[spec])
            else:
                self.found.unknown((*path, i), "authority", spec, named)
        return tuple(grants)

    def _one(self, path: Path, spec: GrantSpec, facts: Mapping[str, Type] | None) -> Grant:
        file = self.area.file
        check_names(self.found, (*path, "roles"), "role", spec.roles, file.roles)
        check_names(self.found, (*path, "of"), "kind", spec.of, [*file.kinds, *file.groups])
        if spec.while_ is not None and spec.while_ not in file.marks:
            self.found.unknown((*path, "while"), "mark", spec.while_, file.marks)
        for key, fact in (("over", spec.over), ("kind_is", spec.kind_is)):
            if fact is not None and facts is not None and fact not in facts:
                self.found.unknown((*path, key), "fact", fact, facts)
        return Grant(
            roles=frozenset(spec.roles),
            kinds=self.area.kinds(spec.of),
            over=spec.over,
            kind_is=spec.kind_is,
            mark=spec.while_,
            above=spec.above,
            like=spec.like,
        )


def check_versions(
    found: Findings, path: Path, versions: Sequence[VersionSpec], gaps: Iterable[tuple[date, date]]
) -> None:
    declared = {(a, b) for a, b in gaps}
    for i, version in enumerate(versions):
        if version.until is not None and version.until < version.from_:
            found.add((*path, i, "until"), "version-backwards", "the last day lies before the first")
        if i == 0:
            continue
        before = versions[i - 1]
        if before.until is None or before.until >= version.from_:
            found.add((*path, i, "from"), "versions-overlap", "this version begins before the one above it ends")
        elif before.until + timedelta(days=1) != version.from_:
            hole = (before.until + timedelta(days=1), version.from_ - timedelta(days=1))
            if hole not in declared:
                found.add(
                    (*path, i, "from"),
                    "versions-gap",
                    "no version from {first} to {last}; if so meant, declare it under gaps",
                    first=hole[0].isoformat(),
                    last=hole[1].isoformat(),
                )
