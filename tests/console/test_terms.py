"""What a person's machine knows of the policy that judges have: as much as is published, and never more."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.publishing import draft_of
from console.terms import UNKNOWN, Terms, terms_of
from enforcers.contract.base import uuid7
from enforcers.contract.issue import Issue
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.policy.engine import Emergency
from tests.console.asked import NOW

APPROVING = Path(__file__).parent / "approving.yaml"
ELSE = "cd" * 32
NOWHERE = Path("/nowhere/policy.yaml")


@pytest.fixture
def emergency(tmp_path: Path) -> Path:
    """The same policy with a glass."""
    glass = "break_glass: {groups: [oncall], minutes: 15}\ndefault: deny\n"
    path = tmp_path / "emergency.yaml"
    path.write_text(APPROVING.read_text().replace("default: deny\n", glass))
    return path


def published(path: Path, version: int = 1, **changes: str) -> Publication:
    draft = draft_of(path)
    return Publication(
        id=uuid7(),
        issue=Issue(version=version, by="alice", at=NOW),
        bundle="approving",
        digest=changes.pop("digest", draft.policy.hash),
        files=tuple(PolicyFile(name=name, text=data.decode()) for name, data in draft.files),
    )


def test_where_nothing_is_asked_no_policy_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.terms._own", pytest.fail)
    assert terms_of((), (), NOWHERE) == {}


def test_what_was_published_holds_and_what_it_took_the_place_of_does_not(emergency: Path) -> None:
    old, new = published(APPROVING), published(emergency, 2)
    found = terms_of({old.digest, new.digest}, (old, new), NOWHERE)
    assert found == {
        old.digest: Terms(new.digest),
        new.digest: Terms(new.digest, True, Emergency(("oncall",), 15)),
    }


def test_the_settings_own_policy_holds_no_more_where_another_is_published(emergency: Path) -> None:
    new, own = published(APPROVING), draft_of(emergency).policy.hash
    assert terms_of({own}, (new,), emergency) == {own: Terms(new.digest)}


def test_where_none_is_published_the_settings_own_is_known_and_no_other(emergency: Path) -> None:
    own = draft_of(emergency).policy.hash
    found = terms_of({own, ELSE}, (), emergency)
    assert found == {own: Terms(own, True, Emergency(("oncall",), 15)), ELSE: UNKNOWN}


def test_a_policy_without_a_glass_is_known_to_have_none() -> None:
    own = draft_of(APPROVING).policy.hash
    assert terms_of({own}, (), APPROVING) == {own: Terms(own, True, None)}


def test_what_does_not_load_here_says_nothing_of_what_judges_have(emergency: Path) -> None:
    """Another release may have loaded it: nobody is refused for that."""
    odd = published(APPROVING, digest=ELSE)
    broken = odd.model_copy(update={"files": (PolicyFile(name="policy.yaml", text="rules: ["),)})
    for newest in (odd, broken):
        hashes = {ELSE, published(emergency).digest}
        assert terms_of(hashes, (published(emergency), newest), emergency) == dict.fromkeys(
            hashes, UNKNOWN
        )
    assert terms_of({ELSE}, (), NOWHERE) == {ELSE: UNKNOWN}
