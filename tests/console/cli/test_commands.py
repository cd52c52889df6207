"""The command line: help, exit codes, one-line errors, and JSON where data is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner, Result

from console.cli.app import app
from console.cli.exits import EXIT_CODES, Commands, exit_code
from console.plain import one_line
from enforcers import errors
from enforcers.errors import SluicegateError
from enforcers.intent.model import Finding, Intent

Sluicegate = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("shipped_policy_read_once")


def _paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from _paths(child, (*path, name))


@pytest.mark.parametrize("path", list(_paths(get_command(app))), ids=lambda path: "-".join(path))
def test_every_command_explains_itself(path: tuple[str, ...], sluicegate: Sluicegate) -> None:
    result = sluicegate(*path, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


CODES = [
    (errors.SettingsError, 2),
    (errors.PolicyError, 2),
    (errors.CatalogError, 2),
    (errors.TrustError, 2),
    (errors.ContractError, 2),
    (errors.OversizedError, 2),
    (errors.ActionDeniedError, 3),
    (errors.ApprovalNeededError, 4),
    (errors.NoVerdictError, 5),
    (errors.BrokerError, 5),
    (errors.ExecutionError, 1),
    (errors.ArchiveError, 1),
    (errors.PermitError, 1),
]


@pytest.mark.parametrize(
    ("kind", "code"), CODES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_an_error_becomes_one_line_and_its_code(kind: type[SluicegateError], code: int) -> None:
    small = typer.Typer(cls=Commands)

    @small.command()
    def fail() -> None:
        raise kind("no\nway \x1b[31m; do this")

    @small.command()
    def other() -> None:
        """Makes it a group."""

    result = CliRunner().invoke(small, ["fail"])
    assert result.exit_code == code == exit_code(kind("x"))
    assert result.stderr == "error: no way \\x1b[31m; do this\n"
    assert result.stdout == ""


def test_every_kind_of_error_has_a_known_code() -> None:
    assert set(EXIT_CODES) <= {kind for kind, _ in CODES}


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["nothing"], ""),
        (["judge"], " judge"),
        (["eval"], " eval"),
        (["keys", "show", "--what"], " keys show"),
        (["policy", "explain"], " policy explain"),
        (["run"], " run"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(
    arguments: list[str], command: str, sluicegate: Sluicegate
) -> None:
    result = sluicegate(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.endswith(f"; see `sluicegate{command} --help`\n")
    assert result.stderr.count("\n") == 1


def test_an_id_with_a_space_is_refused_in_plain_words(sluicegate: Sluicegate) -> None:
    sluicegate("keys", "init")
    result = sluicegate("keys", "approver", "a b")
    said = "error: id refused: it must be printable ASCII without spaces; correct it\n"
    assert (result.exit_code, result.stderr) == (2, said)


def test_version(sluicegate: Sluicegate) -> None:
    result = sluicegate("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("sluicegate ")


def test_exit_codes_of_a_command_are_passed_on() -> None:
    small = typer.Typer(cls=Commands)

    @small.command()
    def seven() -> None:
        raise typer.Exit(7)

    @small.command()
    def other() -> None:
        """Makes it a group."""

    assert CliRunner().invoke(small, ["seven"]).exit_code == 7
    assert CliRunner().invoke(small, ["other"]).exit_code == 0


def test_keys_init_and_show(home: Path, sluicegate: Sluicegate) -> None:
    made = json.loads(sluicegate("keys", "init", "--json").stdout)["made"]
    assert len(made) == 6
    again = sluicegate("keys", "init")
    assert again.exit_code == 0
    assert "nothing was changed" in again.stdout
    assert "does not protect" in again.stderr.replace("\n", " ")
    keys = json.loads(sluicegate("keys", "show", "--json").stdout)["keys"]
    assert [key["role"] for key in keys] == ["judge", "executor", "archiver", "administrator"]
    assert all(key["valid_now"] for key in keys)
    private = {path.read_text().strip() for path in (home / "keys").iterdir()}
    assert not any(secret in sluicegate("keys", "show", "--json").stdout for secret in private)


def test_keys_show_says_for_whom_and_what_a_key_is(sluicegate: Sluicegate) -> None:
    sluicegate("keys", "init")
    person = ("--group", "dba", "--group", "oncall", "--person", "human:ada")
    sluicegate("keys", "approver", "ada", *person, "--trust")
    shown = sluicegate("keys", "show").stdout
    for text in ("person human:ada", "groups dba oncall", "carries out mask limit_rows"):
        assert text in shown


def test_home_is_a_flag_too(tmp_path: Path, sluicegate: Sluicegate) -> None:
    assert sluicegate("--home", str(tmp_path / "flag"), "keys", "init").exit_code == 0
    assert (tmp_path / "flag/trust.json").exists()


def test_a_half_made_home_is_refused(home: Path, sluicegate: Sluicegate) -> None:
    sluicegate("keys", "init")
    (home / "trust.json").unlink()
    result = sluicegate("keys", "init")
    assert result.exit_code == 2
    assert "--force-missing" in result.stderr
    assert sluicegate("keys", "init", "--force-missing").exit_code == 0


def test_judge_answers_standard_input(sluicegate: Sluicegate) -> None:
    lines = b'{"id": 1, "kind": "shell", "text": "ls"}\n\xff\n{"id": 3, "kind": "x", "text": ""}\n'
    result = sluicegate("judge", "--batch", stdin=lines)
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, None, 3]


def test_judge_takes_another_policy_catalog_and_context(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    context = tmp_path / "context.yaml"
    context.write_text("defaults: {permissions: [read], environment: development}\n")
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text("tables: {users: {keys: [[id]]}}\n")
    line = b'{"id": 1, "kind": "sql", "text": "UPDATE users SET a = 1 WHERE id = 2"}\n'
    given = ("--context", str(context), "--catalog", str(catalog))
    answer = json.loads(sluicegate("judge", "--batch", *given, stdin=line).stdout)
    assert answer["decision"] == "deny"
    policy = tmp_path / "policy.yaml"
    policy.write_text("name: x\n")
    result = sluicegate("judge", "--batch", "--policy", str(policy), stdin=line)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: policy.yaml:1:1: ")


@pytest.mark.parametrize("text", ["defaults: {user: [1]}", "kinds: 1", "surplus: 1", "a: [", "- 1"])
def test_a_bad_context_is_refused(text: str, tmp_path: Path, sluicegate: Sluicegate) -> None:
    path = tmp_path / "context.yaml"
    path.write_text(text)
    result = sluicegate("judge", "--batch", "--context", str(path), stdin=b"")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: context `{path}`")


CASES = (
    '{"id": "m", "kind": "shell", "text": "ls", "label": "block", "corpus": "c"}\n'
    '{"id": "s", "kind": "sql", "text": "DROP TABLE t", "label": "allow", "corpus": "c"}\n'
)


def test_eval_reports_figures_and_rows(tmp_path: Path, sluicegate: Sluicegate) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(CASES)
    result = sluicegate("eval", str(path), "--json", "--show", "stopped")
    assert result.exit_code == 0
    body = json.loads(result.stdout)
    assert (body["total"]["missed"], body["total"]["stopped"]) == (1, 1)
    assert [(one["file"], one["corpus"]) for one in body["groups"]] == [("cases.jsonl", "c")]
    assert body["shown"] == [
        {"file": "cases.jsonl", "id": "s", "decision": "deny", "code": "deny-schema-change"}
    ]
    people = sluicegate("eval", str(path), "--show", "missed")
    assert "cases.jsonl m allow" in people.stdout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a-host-name\n", "line is no JSON"),
        ('{"kind": "shell", "text": "ls", "label": "attack"}', "label `attack` is none of block"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_eval_refuses_what_it_cannot_read_behind_the_figures(
    text: str, why: str, options: list[str], tmp_path: Path, sluicegate: Sluicegate
) -> None:
    path = tmp_path / "cases"
    path.write_text(CASES + text)
    result = sluicegate("eval", str(path), *options)
    assert result.exit_code == 2
    assert "allow" in result.stdout
    said = f"error: 1 of 3 rows could not be read; correct them, the first is `cases` row 3: {why}"
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_a_batch_does_not_look_at_labels(sluicegate: Sluicegate) -> None:
    line = b'{"id": 1, "kind": "shell", "text": "ls", "label": "attack"}\n'
    assert json.loads(sluicegate("judge", "--batch", stdin=line).stdout)["decision"] == "allow"


def test_eval_of_a_missing_file_is_a_usage_error(tmp_path: Path, sluicegate: Sluicegate) -> None:
    assert sluicegate("eval", str(tmp_path / "none.jsonl")).exit_code == 2


def test_doctor_names_origins_and_problems(home: Path, sluicegate: Sluicegate) -> None:
    before = sluicegate("doctor", "--json")
    assert before.exit_code == 1
    body = json.loads(before.stdout)
    settings = {one["name"]: one for one in body["settings"]}
    assert settings["home"] == {
        "name": "home", "value": str(home), "origin": "environment SLUICEGATE_HOME"
    }  # fmt: skip
    problems = {one["check"]: one for one in body["checks"] if not one["ok"]}
    assert {"home", "keys", "trust", "principals file"} <= problems.keys()
    assert problems["keys"]["remedy"] == "run `sluicegate keys init`"


def test_doctor_is_content_after_keys_init(
    home: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    sluicegate("keys", "init")
    checks = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    # Jars are fetched by whoever starts a broker first.
    assert {one["check"] for one in checks if not one["ok"]} <= {"kafka jars", "java"}
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr("console.checks.PATIENCE_S", 0.2)
    checks = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    (problem,) = [one for one in checks if not one["ok"]]
    assert problem["check"] == "broker"
    assert problem["remedy"] == (
        "start it, or correct the setting `bootstrap` (SLUICEGATE_BOOTSTRAP)"
    )


@pytest.mark.parametrize("which", ["home", "archive"])
def test_doctor_finds_a_directory_that_is_open_to_others(
    which: str, home: Path, sluicegate: Sluicegate
) -> None:
    sluicegate("keys", "init")
    directory = {"home": home, "archive": home / "archive"}[which]
    directory.mkdir(exist_ok=True)
    directory.chmod(0o710)
    (found,) = [one for one in _checks(sluicegate) if one["check"] == which]
    assert found["detail"] == f"`{directory}` is open to other users"
    assert found["remedy"] == f"run `chmod 700 {directory}`"


def test_doctor_says_whether_postgres_is_read_a_second_time(
    sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pgparse", None)
    (found,) = [one for one in _checks(sluicegate) if one["check"] == "postgres reader"]
    assert found["ok"], "it is an extra"
    assert found["detail"].startswith("not installed: sqlglot alone reads postgres")
    monkeypatch.setitem(sys.modules, "pgparse", ModuleType("pgparse"))
    monkeypatch.setattr("console.checks.version", lambda _: "1.0.3")
    (found,) = [one for one in _checks(sluicegate) if one["check"] == "postgres reader"]
    assert found["detail"] == "pgparse 1.0.3 reads postgres a second time"


def test_doctor_finds_a_note_of_a_broker_that_is_gone(home: Path, sluicegate: Sluicegate) -> None:
    sluicegate("keys", "init")
    (home / "bootstrap").write_text("127.0.0.1:99999\n")
    (found,) = [one for one in _checks(sluicegate) if one["check"] == "broker"]
    assert found["detail"] == "no kafka answers on 127.0.0.1:99999, where one was started"
    assert found["remedy"] == "run `sluicegate up` again"


def _checks(sluicegate: Sluicegate) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    return checks


def test_doctor_finds_a_parser_that_reads_nothing(
    sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with sqlglot's compiled extra: everything is denied, and nobody knows why."""
    unread = Intent("sql", opaque=(Finding("unparsable", "typeerror"),))
    monkeypatch.setattr("console.checks.read_sql", lambda *_: unread)
    checks = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    (reader,) = [one for one in checks if one["check"] == "sql reader"]
    assert not reader["ok"]
    assert "requirements/runtime.txt" in reader["remedy"]


def test_doctor_prints_no_secret(home: Path, sluicegate: Sluicegate) -> None:
    sluicegate("keys", "init")
    shown = sluicegate("doctor", "--json").stdout + sluicegate("doctor").stdout
    assert not any(path.read_text().strip() in shown for path in (home / "keys").iterdir())


def test_messages_are_harmless_to_a_terminal() -> None:
    assert one_line("a\n b\t\x07 \x9b") == "a b \\x07 \\x9b"
