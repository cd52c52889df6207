"""Remembers: the archive of every record, and what can be read from it."""
