"""Files that are shipped beside the packages: policies and contexts."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]

PRODUCTION_POLICY = _ROOT / "policies" / "production.yaml"
"""The policy that holds where the settings name none."""
CASES_CONTEXT = _ROOT / "examples" / "contexts" / "cases.yaml"
"""The context of labelled cases, where the command names none."""
