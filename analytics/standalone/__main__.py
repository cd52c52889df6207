"""`python -m analytics.standalone > verify_archive.py`: the verifier as one file."""

from __future__ import annotations

from analytics.standalone import bundled_verifier

if __name__ == "__main__":
    print(bundled_verifier(), end="")
