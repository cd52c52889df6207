"""
What an auditor runs without us: one file that needs Python and nothing else.

    notes.py ──▶ takes the place of its import in ──▶ verify_archive.py ──▶ bundle, `python -m analytics.standalone`
"""

from __future__ import annotations

import re
from importlib import resources

_IMPORT = re.compile(r"from analytics\.standalone\.notes import (?:\([^)]*\)|[^(\n]*)\n")
_FUTURE = "from __future__ import annotations\n"


def bundled_verifier() -> str:
    """The text of the verifier as one file."""
    files = resources.files("analytics.standalone")
    main, notes = (
        files.joinpath(name).read_text("utf-8") for name in ("verify_archive.py", "notes.py")
    )
    before, after = _IMPORT.split(main)
    return f"{before}{notes.partition(_FUTURE)[2].strip()}\n\n{after}"
