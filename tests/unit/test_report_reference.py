"""Every key of a report's file is explained."""

from __future__ import annotations

from reports.reference import ORDER


def test_every_key_of_a_report_file_is_explained():
    """A key without a word of explanation is a key nobody can use."""
    silent = [f"{m.__name__}.{n}" for m in ORDER for n, f in m.model_fields.items() if not f.description]
    assert silent == []
