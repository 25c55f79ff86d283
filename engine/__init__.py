"""Ketnap's engine: declared state machines, guards with sources, deadlines and a trail that can be verified."""
