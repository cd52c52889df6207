"""Small bundles for the tests of `sluicegate policy`."""

from __future__ import annotations

from pathlib import Path

SMALL = """\
apiVersion: sluicegate.io/v1
name: small
default: deny
non_production: [staging]
variables:
  may_read: '"read" in principal.permissions'
rules:
- id: allow-read
  effect: allow
  match: {kind: [sql], verb: [read]}
  when: may_read
  message: reads pass
- id: deny-pii
  effect: deny
  match: {verb: [read], tag: [pii]}
  when: target.production
  message: no personal data
  remedy: leave it out
tests:
- name: a plain read
  kind: sql
  dialect: duckdb
  text: SELECT id FROM orders
  expect: {decision: allow, rules: [allow-read], not_rules: [deny-pii]}
- name: personal data
  kind: sql
  dialect: duckdb
  text: SELECT email FROM customers
  expect: {decision: deny, rules: [deny-pii]}
- name: nobody in particular
  kind: sql
  dialect: duckdb
  text: SELECT id FROM orders
  with: {permissions: []}
  expect: {decision: deny, not_rules: [allow-read]}
test_catalog:
  tables: {customers: {columns: {email: {tags: [pii]}}}}
"""
CATALOG = "tables: {customers: {columns: {email: {type: text, tags: [pii]}}}}\n"


def bundle(folder: Path, *changes: tuple[str, str], name: str = "small.yaml") -> Path:
    """The small bundle in a file, with texts replaced."""
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / name
    path.write_text(text)
    return path
