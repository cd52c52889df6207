"""
What administrators, voters and judges laid down for every judge, as far as their signed records say.

    record ──authentic──▶ the book of its topic ──▶ principals, grants, votes, quarantines, publications

INVARIANT: pure. No clock, no network; a record that changes nothing becomes a finding.
"""

from __future__ import annotations

from enforcers.administration.administration import Administration
from enforcers.administration.record import ControlRecord

__all__ = ["Administration", "ControlRecord"]
