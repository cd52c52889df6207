"""
What auditors ask of the archive, in words and in values: lines for a terminal, bodies for JSON, cells for CSV.

    analytics (values) ──▶ here ──▶ console/cli/audit (terminal) · console/pages (HTML) · console/pack (a directory)

Also what needs both the archive and the policy: what held at a moment (`as_of`). Nothing here writes or prints.
"""
