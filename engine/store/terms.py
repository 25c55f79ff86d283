"""By which words and marks subjects in lists are found: rows that follow from the listings, kept with them."""

from __future__ import annotations

from collections.abc import Iterable

from engine.store.rows import ListingRow, TermRow

MARK = "="  # before a mark among the terms


def terms_of(rows: Iterable[ListingRow]) -> list[TermRow]:
    """Returns by which words and marks listed subjects are found."""
    found = []
    for row in rows:
        if row.rank == 0:
            for term in dict.fromkeys(row.words.split()):
                found.append(TermRow(workflow=row.workflow, term=term, subject=row.subject, words=row.words))
            for mark in dict.fromkeys(row.marks.split()):
                found.append(TermRow(workflow=row.workflow, term=MARK + mark, subject=row.subject, words=""))
    return found
