"""The check of what a layout says of the one subject that its report may be about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from engine.core.definition import Text
from engine.core.findings import Findings, Path, check_names
from engine.core.machine import Definition
from engine.core.values import Type
from reports.layouts import LayoutFile, Listing, Section

SUBJECT = "subject"  # the word of a title that is the subject's


class SubjectCheck:
    """Checks the key `subject` of a layout and all that rests on it. `needed` are the subject's facts asked for."""

    def __init__(
        self, file: LayoutFile, found: Findings, definitions: Mapping[str, Definition], title_words: Iterable[str]
    ) -> None:
        self.file, self.found, self.title_words = file, found, title_words
        self.definition = definitions.get(file.subject.workflow) if file.subject is not None else None
        self._known = definitions
        self.needed: set[str] = set()

    def check(self) -> None:
        """Notes what is wrong with the key itself, and sections that are of a subject where there is none."""
        spec = self.file.subject
        marked = [i for i, section in enumerate(self.file.sections) if section.of_subject]
        if spec is None:
            for i in marked:
                self.found.add(("sections", i, "of_subject"), "no-subject", "the report is made of no subject")
            return
        if self.definition is None:
            self.found.unknown((SUBJECT, "workflow"), "workflow", spec.workflow, self._known)
            return
        if not marked:
            self.found.add((SUBJECT,), "no-part", "no section is marked of_subject")
        for lang in ("vi", "en"):
            for word in re.findall(r"\{(.*?)\}", spec.title.of(lang)):
                if word not in (SUBJECT, *self.title_words):
                    self.found.unknown((SUBJECT, "title", lang), "word", word, (SUBJECT, *self.title_words))
        title = self.definition.file.title_fact
        self.needed |= {title} if title is not None else set()

    def words(self, section: Section) -> frozenset[str]:
        """Returns the facts of the subject that the section's paragraph may name."""
        if self.definition is None or not section.of_subject or section.text is None:
            return frozenset()
        types = self.definition.types
        both = section.text.of("vi") + section.text.of("en")
        self.needed |= {w for w in re.findall(r"\{(.*?)\}", both) if w in types}
        return frozenset(types)

    def named(self, path: Path, spec: Listing) -> None:
        """Notes what is wrong with whom a list is narrowed to. `path` ends at the list."""
        if spec.named_by is None:
            if spec.named_as:
                self.found.add(
                    (*path, "named_as"), "source-key", "{key} belongs to {of}", key="named_as", of="named_by"
                )
            return
        found = self.entry((*path, "named_by"), spec.named_by)
        if found is not None and found[0].options:
            check_names(self.found, (*path, "named_as"), "value", spec.named_as, found[0].options)

    def entry(self, path: Path, fact: str) -> tuple[Type, Text] | None:
        """Returns the type and label of what a map fact of the subject holds by subject; notes why there is none."""
        section = self.file.sections[path[1]] if isinstance(path[1], int) else None
        if self.definition is None or section is None or not section.of_subject:
            self.found.add(path, "no-subject", "this needs a report of one subject, and a section marked of_subject")
            return None
        spec, type_ = self.definition.file.facts.get(fact), self.definition.types.get(fact)
        if spec is None or type_ is None or type_.of is None or spec.keys != "subjects":
            maps = [n for n, f in self.definition.file.facts.items() if f.keys == "subjects"]
            self.found.unknown(path, "map fact", fact, maps)
            return None
        self.needed.add(fact)
        return type_.of, spec.label
