"""A whole page: its head, its one style sheet, and a policy that lets a browser load and run nothing."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from console.durations import shown
from console.pages.markup import Markup, element, text

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #57606a; --line: #d0d7de;
  --allow: #1a7f37; --deny: #cf222e; --ask: #9a6700; --none: #57606a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1;
  --line: #3d444d; --allow: #3fb950; --deny: #f85149; --ask: #d29922; --none: #9198a1; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 0 auto; max-width: 75rem; padding: 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid var(--line); white-space: pre-wrap; }
dl { display: grid; grid-template-columns: minmax(6rem, 9rem) 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; white-space: pre-wrap; }
article { border: 1px solid var(--line); border-radius: 6px; padding: .25rem 1rem 1rem; margin: 1rem 0; }
.soft, footer { color: var(--soft); }
.loud { border-left: 4px solid var(--deny); padding-left: .75rem; }
svg { width: 100%; height: auto; margin: .5rem 0; font: 11px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--soft); } svg .axis { stroke: var(--line); }
.allow { fill: var(--allow); } .deny { fill: var(--deny); } .require_approval { fill: var(--ask); }
.none { fill: var(--none); }
@media print { body { max-width: none; padding: 0; } article { break-inside: avoid; } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
"""Content Security Policy: this one style sheet and nothing else, wherever the page is opened."""


def sheet(title: str, body: Markup, made: datetime | None = None) -> str:
    """The page as a file holds it; `made` is shown at its end."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">'),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} - Sluicegate"),
        Markup(f"<style>{STYLE}</style>"),
    )
    when = f"Made by Sluicegate, {shown(made)}." if made else "Made by Sluicegate."
    clock = " Times are UTC and the broker's, unless a line says whose clock it is."
    foot = element("footer", element("p", when, clock))
    page = element("html", head, element("body", element("main", body), foot), lang="en")
    return f"<!doctype html>\n{page}\n"
