"""By which words and marks subjects are found, how many are read from where, and indexes for what grows with people."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PAGE = 5_000
_SQLITE = sa.text("instr(body, X'226272656163686573223A5B') > 0")  # "breaches":[
_POSTGRES = sa.text("position('\\x226272656163686573223a5b'::bytea IN body) > 0")

_OLD = ("listings_place", "listings_due", "listings_oldest")
_PLACE = ["place", "home", "state", "sort", "subject", "due", "entered_on", "marks", "words"]
_INDEXES = {
    "listings_place": ("listings", _PLACE),
    "listings_due": ("listings", ["workflow", "rank", "due", "subject", "state", "place"]),
    "listings_oldest": ("listings", ["workflow", "rank", "state", "entered_on", "subject", "place"]),
    "terms_subject": ("terms", ["subject"]),
    "subjects_state": ("subjects", ["workflow", "state", "id"]),
    "events_workflow": ("events", ["workflow", "seq"]),
}


def upgrade() -> None:
    """Makes both tables of the listings that stand, and the indexes anew."""
    for name in _OLD:
        op.drop_index(name, "listings")
    op.drop_table("stands")
    op.create_table(
        "stands",
        *(sa.Column(n, _text, primary_key=True) for n in ("workflow", "place", "home", "state")),
        sa.Column("count", _number, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO stands (workflow, place, home, state, count) "
        "SELECT workflow, place, home, state, count(*) FROM listings GROUP BY workflow, place, home, state"
    )
    op.create_table(
        "terms",
        *(sa.Column(n, _text, primary_key=True) for n in ("workflow", "term", "subject")),
        sa.Column("words", _text, nullable=False),
        sqlite_with_rowid=False,
    )
    _fill()
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)
    op.create_index("events_breached", "events", ["seq"], sqlite_where=_SQLITE, postgresql_where=_POSTGRES)


def _fill() -> None:
    db = op.get_bind()
    page = sa.text(
        "SELECT workflow, subject, words, marks FROM listings "
        "WHERE rank = 0 AND subject > :after ORDER BY subject LIMIT :limit"
    )
    put = sa.text("INSERT INTO terms (workflow, term, subject, words) VALUES (:workflow, :term, :subject, :words)")
    after = ""
    while rows := db.execute(page, {"after": after, "limit": _PAGE}).all():
        after = rows[-1].subject
        made = [
            {"workflow": r.workflow, "term": term, "subject": r.subject, "words": words}
            for r in rows
            for term, words in _terms(r.words, r.marks)
        ]
        if made:
            db.execute(put, made)


def _terms(words: str, marks: str) -> Iterator[tuple[str, str]]:
    yield from ((word, words) for word in dict.fromkeys(words.split()))
    yield from ((f"={mark}", "") for mark in dict.fromkeys(marks.split()))
