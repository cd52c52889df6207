"""`sluicegate policy lint|test|coverage|schema`, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from tests.console.cli.bundles import bundle
from tests.console.conftest import Sluicegate

MISSPELT = ("target.production", "target.prodution")
WRONG_TEST = (
    "expect: {decision: deny, rules: [deny-pii]}",
    "expect: {decision: allow, rules: [deny-pii]}",
)


def printed(sluicegate: Sluicegate, *arguments: Any, code: int = 0) -> Any:
    result = sluicegate("policy", *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


# ---- lint -----------------------------------------------------------------------------------------------


def test_a_sound_bundle_has_no_complaint(tmp_path: Path, sluicegate: Sluicegate) -> None:
    path = bundle(tmp_path)
    assert sluicegate("policy", "lint", path).stdout == "nothing to correct\n"
    assert printed(sluicegate, "lint", path) == {"loads": True, "complaints": []}


def test_a_complaint_names_its_place(tmp_path: Path, sluicegate: Sluicegate) -> None:
    path = bundle(tmp_path, MISSPELT)
    result = sluicegate("policy", "lint", path)
    assert result.exit_code == 2
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"{path}:16:")
    assert "did you mean `production`" in line
    (found,) = printed(sluicegate, "lint", path, code=2)["complaints"]
    assert (found["file"], found["line"]) == (str(path), 16)
    assert {"column", "code", "message"} < found.keys()


def test_a_failed_test_is_a_complaint_too(tmp_path: Path, sluicegate: Sluicegate) -> None:
    result = sluicegate("policy", "lint", bundle(tmp_path, WRONG_TEST))
    assert (result.exit_code, "personal data" in result.stdout) == (2, True)


def test_a_complaint_cannot_move_the_cursor(tmp_path: Path, sluicegate: Sluicegate) -> None:
    path = bundle(tmp_path, ("when: may_read", 'when: "may_read\\e[2J\\u202e"'))
    result = sluicegate("policy", "lint", path)
    assert result.exit_code == 2
    assert not {"\x1b", "\u202e"} & set(result.output)


def test_sarif_has_what_the_standard_wants(tmp_path: Path, sluicegate: Sluicegate) -> None:
    path, out = bundle(tmp_path, MISSPELT), tmp_path / "lint.sarif"
    assert sluicegate("policy", "lint", path, "--sarif", out).exit_code == 2
    written = json.loads(out.read_text())
    assert (written["version"], written["$schema"].endswith("sarif-2.1.0.json")) == ("2.1.0", True)
    (run,) = written["runs"]
    assert run["tool"]["driver"]["name"]
    (result,) = run["results"]
    assert result["ruleId"] in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert (result["level"], bool(result["message"]["text"])) == ("error", True)
    (place,) = result["locations"]
    physical = place["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == str(path)
    assert physical["region"]["startLine"] == 16
    assert physical["region"]["startColumn"] >= 1


def test_sarif_of_a_sound_bundle_has_no_result(tmp_path: Path, sluicegate: Sluicegate) -> None:
    out = tmp_path / "lint.sarif"
    assert sluicegate("policy", "lint", bundle(tmp_path), "--sarif", out).exit_code == 0
    assert json.loads(out.read_text())["runs"][0]["results"] == []


@pytest.mark.parametrize("command", ["lint", "test", "coverage"])
def test_a_file_that_is_not_there_is_said(
    command: str, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("policy", command, tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "cannot be read" in result.output


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path, sluicegate: Sluicegate) -> None:
    result = sluicegate("policy", "lint", bundle(tmp_path), "--sarif", tmp_path / "no" / "folder")
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)


# ---- test -----------------------------------------------------------------------------------------------


def test_tests_that_pass(tmp_path: Path, sluicegate: Sluicegate) -> None:
    result = sluicegate("policy", "test", bundle(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "3 tests, 0 failed\n")


def test_a_failure_shows_what_was_expected_what_came_and_which_rules_applied(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = bundle(tmp_path, WRONG_TEST)
    result = sluicegate("policy", "test", path)
    assert result.exit_code == 1
    for part in (
        "personal data",
        "expects allow, got deny",
        "deny (deny-pii)",
        "allow-read, deny-pii",
        "1 failed",
    ):
        assert part in result.stdout
    found = printed(sluicegate, "test", path, code=1)
    assert (found["tests"], found["failed"]) == (3, 1)
    (failed,) = [one for one in found["results"] if not one["passed"]]
    assert (failed["expected"], failed["came"]) == ("allow", "deny")
    assert failed["rules"] == ["allow-read", "deny-pii"]


def test_a_bundle_that_does_not_compile_is_not_tested(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("policy", "test", bundle(tmp_path, MISSPELT))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean `production`" in result.stderr


@pytest.mark.parametrize("command", ["test", "coverage"])
def test_each_complaint_of_a_bundle_has_a_line_and_its_path(
    command: str, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("version: 1\nnaem: x\n")
    linted = sluicegate("policy", "lint", path).stdout.splitlines()
    result = sluicegate("policy", command, path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [f"error: {one}" for one in linted]
    assert len(linted) > 1
    assert all(one.startswith(f"{path}:") for one in linted)


def test_packs_are_tested_with_what_extends_them(tmp_path: Path, sluicegate: Sluicegate) -> None:
    bundle(tmp_path, WRONG_TEST, name="pack.yaml")
    own = bundle(
        tmp_path,
        ("name: small", "name: own\nextends: [./pack.yaml]"),
        ('may_read: \'"read"', 'reads: \'"read"'),
        ("when: may_read", "when: reads"),
        ("id: allow-read", "id: own-read"),
        ("rules: [allow-read]", "rules: [own-read]"),
        ("not_rules: [allow-read]", "not_rules: [own-read]"),
        ("id: deny-pii", "id: own-pii"),
        ("tag: [pii]", "tag: [secret]"),
        ("tags: [pii]", "tags: [secret]"),
        ("not_rules: [deny-pii]", "not_rules: [own-pii]"),
        ("rules: [deny-pii]", "rules: [own-pii]"),
    )
    found = printed(sluicegate, "test", own, code=1)
    assert [one["bundle"] for one in found["results"]] == ["small"] * 3 + ["own"] * 3
    assert [one["bundle"] for one in found["results"] if not one["passed"]] == ["small"]


def test_junit_has_a_case_for_every_test(tmp_path: Path, sluicegate: Sluicegate) -> None:
    out = tmp_path / "tests.xml"
    assert sluicegate("policy", "test", bundle(tmp_path, WRONG_TEST), "--junit", out).exit_code == 1
    root = Xml.parse(out).getroot()
    (suite,) = root
    assert (root.tag, suite.tag, suite.get("name")) == ("testsuites", "testsuite", "small")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    assert all(one.get("classname") and one.get("name") for one in suite)
    (failed,) = [one for one in suite if len(one)]
    (failure,) = failed
    assert (failure.tag, failure.get("message")) == ("failure", "expects allow, got deny")
    assert "deny-pii" in (failure.text or "")


def test_junit_can_be_read_whatever_a_test_is_called(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    out = tmp_path / "tests.xml"
    path = bundle(tmp_path, ("name: a plain read", 'name: "a\\u0001<b>&\\u202e]]>"'))
    assert sluicegate("policy", "test", path, "--junit", out).exit_code == 0
    (suite,) = Xml.parse(out).getroot()
    assert suite[0].get("name") == "small: a\\x01<b>&\\u202e]]>"


# ---- coverage -------------------------------------------------------------------------------------------


def test_coverage_names_the_conjunct_that_no_test_looked_at(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = bundle(tmp_path)
    found = printed(sluicegate, "coverage", path)
    assert found["percent"] == 83.3
    (rule,) = [one for one in found["rules"] if one["id"] == "deny-pii"]
    assert (rule["true"], rule["false"]) == (
        ["personal data"],
        ["a plain read", "nobody in particular"],
    )
    assert rule["conjuncts"] == [{"part": "when", "text": "target.production", "decisive": []}]
    table = sluicegate("policy", "coverage", path).stdout
    assert "when target.production" in table
    assert "83.3 % of 6 points, 3 tests" in table


@pytest.mark.parametrize(
    ("least", "code"), [("0", 0), ("83.3", 0), ("83.4", 1), ("100", 1), ("101", 2)]
)
def test_coverage_below_what_is_required_fails(
    least: str, code: int, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("policy", "coverage", bundle(tmp_path), "--require", least)
    assert result.exit_code == code


# ---- schema ---------------------------------------------------------------------------------------------


def paths_of(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        yield from found
        for one in found.values():
            yield from paths_of(one)


def test_the_schema_names_what_a_bundle_holds(sluicegate: Sluicegate) -> None:
    result = sluicegate("policy", "schema")
    assert result.exit_code == 0
    assert {"apiVersion", "rules", "when", "where", "obligations", "tests"} <= {
        *paths_of(json.loads(result.stdout))
    }
