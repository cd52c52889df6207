"""
Obligations that change what runs: `mask` and `limit_rows`, carried out on the author's own text.

The text is spliced, never generated anew, and what comes out is parsed and compared with what was meant. Pure.
"""

from enforcers.rewriting.refusal import Refusal
from enforcers.rewriting.rewrite import Rewritten, rewrite_sql

__all__ = ["Refusal", "Rewritten", "rewrite_sql"]
