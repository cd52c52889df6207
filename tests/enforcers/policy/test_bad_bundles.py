"""Every kind of mistake in `tests/cases/policy/bad_bundles.yaml` is refused, at its place and with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from enforcers.errors import PolicyError
from enforcers.policy.cases import run_case
from enforcers.policy.loading import check_policy, check_policy_files, load_policy

CASES = Path(__file__).parents[2] / "cases/policy"
GOOD = (CASES / "good_bundle.yaml").read_text()
MISTAKES = yaml.safe_load((CASES / "bad_bundles.yaml").read_text())
REMEDIES = ("; ", "did you mean", "should be", "expects", "unknown key")
"""What a remedy is recognised by: words behind the complaint, or the values that would do."""


def _complaints(text: str) -> tuple[str, ...]:
    policy, complaints = check_policy_files([("small.yaml", text.encode())], run_case)
    assert (policy is None) == bool(complaints)
    assert list(complaints) == sorted(complaints)
    return tuple(map(str, complaints))


def test_the_bundle_without_a_mistake_loads() -> None:
    assert _complaints(GOOD) == ()


def test_there_are_many_kinds_of_mistake() -> None:
    assert len({one["mistake"] for one in MISTAKES}) == len(MISTAKES) >= 100


@pytest.mark.parametrize("mistake", MISTAKES, ids=[one["mistake"] for one in MISTAKES])
def test_a_mistake_is_refused_at_its_place(mistake: dict[str, Any]) -> None:
    assert mistake["old"] in GOOD
    found = _complaints(GOOD.replace(mistake["old"], mistake["new"], 1))
    assert list(found) == [f"small.yaml:{one}" for one in mistake["complaints"]]
    assert all("\n" not in one and any(word in one for word in REMEDIES) for one in found)


def test_a_refusal_names_every_complaint_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("limit: 1000", "limit: 0").replace("effect: deny", "effect: dny"))
    with pytest.raises(PolicyError) as refused:
        load_policy(path, run_case)
    text = str(refused.value)
    assert text.index("bad.yaml:12:45: ") < text.index("bad.yaml:21:11: ")
    assert "\n" not in text


def test_a_complaint_cannot_write_to_the_terminal() -> None:
    (found,) = _complaints(GOOD.replace("id: few-rows", 'id: "\\e[2Jfew\\nrows"'))
    assert found.isprintable()


def test_a_policy_that_cannot_be_read_is_a_complaint(tmp_path: Path) -> None:
    policy, (complaint,) = check_policy(tmp_path / "nowhere.yaml", run_case)
    assert policy is None
    assert (complaint.file, complaint.code) == ("nowhere.yaml", "unreadable")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "\n".join(["a: &l0 [x]", *(f"b{n}: &l{n + 1} [{', '.join([f'*l{n}'] * 9)}]" for n in range(9))]),
        "x: " * 3_000,
        "{" * 4_000,
        "- " * 4_000,
        "\x00",
        "a: \x1b",
        "? [a, b]\n: 1",
        "? {a: 1}\n: 1",
        "<<: 1",
        "3: x",
        "on: x",
        "~: x",
        "rules: {1: {}}",
        "2026-01-01: x",
        "!!binary x: 1",
        "&a a: *b",
        "a: 1\n--- \nb: 2",
        "",
        "3",
        "[]",
    ],
)  # fmt: skip
def test_other_texts_are_refused_in_one_line(text: str) -> None:
    found = _complaints(text)
    assert found
    assert all(one.startswith("small.yaml:") and "\n" not in one for one in found)
