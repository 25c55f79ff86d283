"""Tables in and out: lists that offices keep, read and written."""
