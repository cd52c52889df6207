"""
Witnesses: others who look at each signed head, and cosign it only where it continues what they cosigned before.

    log/checkpoint ──▶ submitting ──proof, note──▶ client ──▶ witness elsewhere (C2SP `tlog-witness`)
    log/witnessed/ ◀── cosigned note ◀─────────────┘          `python -m streams.witnessing.serving`: one to try
"""

from streams.witnessing.client import Witness
from streams.witnessing.submitting import Submitter, submitting

__all__ = ["Submitter", "Witness", "submitting"]
