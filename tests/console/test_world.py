"""A published policy is checked where it is judged with, as a file would be, and brings all that it extends."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.world import load_publication
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.errors import PolicyError
from enforcers.policy.cases import run_case
from enforcers.policy.loading import files_of, load_policy
from tests.enforcers.administration.office import publication

OWN = """\
apiVersion: sluicegate.io/v1
name: payments
default: deny
extends: [./reads.yaml]
rules: []
tests: []
"""
READS = """\
apiVersion: sluicegate.io/v1
name: reads
default: deny
rules:
  - id: reads
    effect: allow
    match: {kind: [sql]}
    where: effect.verb == "read"
    message: reading is allowed
tests:
  - {name: a read, kind: sql, text: SELECT id FROM orders, expect: {decision: allow, rules: [reads]}}
  - {name: a write, kind: sql, text: DELETE FROM orders WHERE id = 3, expect: {decision: deny, not_rules: [reads]}}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "reads.yaml").write_text(READS)
    path = tmp_path / "payments.yaml"
    path.write_text(OWN)
    return path


def published(path: Path, name: str = "", old: str = "", new: str = "") -> Publication:
    """The file and all that it extends, one of the files changed."""
    files = (
        (one, data.decode().replace(old, new) if name in one and old else data.decode())
        for one, data in files_of(path)
    )
    return publication(files=tuple(PolicyFile(name=one, text=text) for one, text in files))


def test_a_published_policy_is_the_one_in_the_file(own: Path) -> None:
    one = published(own)
    expected = load_policy(own, run_case).hash
    for path in own.parent.iterdir():
        path.unlink()
    assert load_publication(one).hash == expected


@pytest.mark.parametrize("name", ["payments", "reads"])
def test_a_published_policy_with_another_file_has_another_hash(own: Path, name: str) -> None:
    changed = published(own, name, "default: deny", "default: deny # changed on its way")
    assert load_publication(changed).hash != load_policy(own, run_case).hash


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("payments", "rules: []", "rules: ["),
        ("payments", "name:", "nom:"),
        ("payments", "./reads.yaml", "./gone.yaml"),
        ("payments", "./reads.yaml", "../../../etc/passwd"),
        ("reads", "effect.verb", "effect.verbs"),
        ("reads", "effect: allow", "effect: deny"),
        ("reads", ", rules: [reads]", ", rules: [writes]"),
        ("reads", READS, ""),
        ("reads", READS, "\x00"),
    ],
)
def test_a_published_policy_that_does_not_load_is_refused(
    own: Path, name: str, old: str, new: str
) -> None:
    with pytest.raises(PolicyError):
        load_publication(published(own, name, old, new))
