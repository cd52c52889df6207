"""`sluicegate policy`: check, test, explain and compare policies, and hand one to every judge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import (
    AsJson,
    administrators_desk,
    print_lines,
    settings_of,
    tell,
    visitors_desk,
)
from console.cli.exits import FAILED
from console.cli.judge import CatalogFile, ContextFile, PolicyFile
from console.cli.options import Key, Reason, Several
from console.cli.tables import show_report
from console.files import here, write_line
from console.plain import one_line
from console.settings import Settings
from enforcers.contract.action import Capability

if TYPE_CHECKING:
    from console.explaining import Place
    from enforcers.contract.action import Payload
    from enforcers.policy.complaints import Complaint

NOT_LOADABLE = 2
PUBLISHED = ("version", "bundle", "digest", "by", "at", "reason")
LIMIT = 10_000
_ONE_ACTION = "give one of --sql, --shell and --json-payload"

Bundle = Annotated[Path, typer.Argument(metavar="FILE", help="the bundle")]
Junit = Annotated[Path | None, typer.Option(help="write JUnit XML to this file as well")]

policy_app = typer.Typer(help="Check, test, explain, compare, publish.", no_args_is_help=True)

# Modules are imported inside the commands, for a command waits for nothing that only another one needs.


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(policy_app, name="policy")


@policy_app.command("lint")
def lint(
    file: Bundle,
    sarif: Annotated[Path | None, typer.Option(help="write SARIF to this file as well")] = None,
    as_json: AsJson = False,
) -> None:
    """Everything that has to be corrected before a judge takes the bundle."""
    from console.bundles import complaints_of
    from console.reports.sarif import sarif as written

    found = complaints_of(file)
    if sarif:
        write_line(sarif, written(found))
    tell({"loads": not found, "complaints": list(found)}, _corrections(found), as_json)
    raise typer.Exit(NOT_LOADABLE if found else 0)


def _corrections(found: Sequence[Complaint]) -> Iterator[str]:
    yield from (one_line(f"{one} [{one.code}]") for one in found)
    if not found:
        yield "nothing to correct"


@contextlib.contextmanager
def _one_a_line(file: Path) -> Iterator[None]:
    """A bundle that does not load ends the command with its complaints, each as `lint` prints it."""
    from console.bundles import placed
    from enforcers.policy.complaints import BundleError

    try:
        yield
    except BundleError as error:
        found = placed(error.complaints, file)
        print_lines((f"error: {one}" for one in _corrections(found)), err=True)
        raise typer.Exit(NOT_LOADABLE) from error


@policy_app.command("test")
def run_tests(file: Bundle, junit: Junit = None, as_json: AsJson = False) -> None:
    """Run the tests of the bundle and of all that it extends."""
    from console.bundles import open_policy
    from console.reports.junit import junit as written
    from console.reports.tested import FAILURES, failed_rows, tested_cases, tested_json
    from enforcers.policy.cases import run_case
    from enforcers.policy.trial import try_tests

    with _one_a_line(file):
        opened = open_policy(file)
    trials = try_tests(opened.tests, run_case)
    failed = sum(not one.passed for one in trials)
    if junit:
        write_line(junit, written(opened.policy.bundle.name, tested_cases(trials)))
    body, summary = tested_json(trials, opened.policy.hash), f"{len(trials)} tests, {failed} failed"
    show_report(body, FAILURES, failed_rows(trials), (summary,), as_json)
    raise typer.Exit(FAILED if failed else 0)


@policy_app.command("coverage")
def coverage(
    file: Bundle,
    require: Annotated[float, typer.Option(min=0, max=100, help="least percentage")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """What the tests look at: each rule true and false, each conjunct decisive."""
    from console.bundles import open_policy
    from console.reports.tested import COVERED, covered_json, covered_rows
    from enforcers.policy.cases import run_case
    from enforcers.policy.coverage import cover

    with _one_a_line(file):
        opened = open_policy(file)
    found = cover(opened.policy, opened.tests, run_case)
    unread = f", {len(found.unread)} could not be run" if found.unread else ""
    few = f"; {require:g} % are required" if found.percent < require else ""
    summary = f"{found.percent} % of {found.points} points, {found.tests} tests{unread}{few}"
    body = covered_json(found, opened.policy.hash)
    show_report(body, COVERED, covered_rows(found), (summary,), as_json)
    raise typer.Exit(FAILED if found.percent < require else 0)


@policy_app.command("explain")
def explain(
    context: typer.Context,
    sql: Annotated[str, typer.Option(help="a statement")] = "",
    shell: Annotated[str, typer.Option(help="a command line")] = "",
    json_payload: Annotated[str, typer.Option(help="a payload, or a tool call, as JSON")] = "",
    policy: PolicyFile = None,
    target: Annotated[str, typer.Option(help="a declared target, for --sql")] = "",
    environment: Annotated[str, typer.Option(help="environment of a target without a name")] = "",
    dialect: Annotated[str, typer.Option(help="SQL dialect of a target without a name")] = "",
    catalog: Annotated[Path | None, typer.Option(help="catalog file")] = None,
    permission: Annotated[
        Several, typer.Option(help="what the principal may do; several times")
    ] = None,
    capability: Annotated[
        list[Capability] | None, typer.Option(help="what the executor carries out; several times")
    ] = None,
    reason: Annotated[str, typer.Option(help="why it is proposed")] = "",
    ticket: Annotated[str, typer.Option(help="its ticket")] = "",
    as_json: AsJson = False,
) -> None:
    """Why the policy decides as it does on one action, and what would pass; nothing is executed."""
    from console.bundles import open_policy
    from console.explaining import Proposed, configured_principal, explain_it
    from console.reports.explained import explained_json, explained_lines

    payload = _payload(sql, shell, json_payload)
    settings = settings_of(context)
    place = _place(settings, payload.kind, target, environment, dialect)
    found = explain_it(
        open_policy(policy or settings.policy).policy,
        place.changed(catalog, capability),
        configured_principal(settings, permission),
        Proposed(payload, reason, ticket),
    )
    lines = (f"{what:<14}{line}".replace("\n", " ") for what, line in explained_lines(found))
    tell(explained_json(found), lines, as_json)


def _payload(sql: str, shell: str, json_payload: str) -> Payload:
    from console.explaining import payload_of, shell_of, sql_of

    if sum(map(bool, (sql, shell, json_payload))) != 1:
        raise typer.BadParameter(_ONE_ACTION, param_hint="--sql, --shell, --json-payload")
    if sql:
        return sql_of(sql)
    return shell_of(shell, str(here()), str(here())) if shell else payload_of(json_payload)


def _place(settings: Settings, kind: str, target: str, environment: str, dialect: str) -> Place:
    from console.explaining import declared_place, made_up_place

    if not target:
        return made_up_place(kind, environment or settings.environment, dialect)
    if environment or dialect:
        raise typer.BadParameter(
            "it has an environment and a dialect; leave these out", param_hint="--target"
        )
    return declared_place(settings, target)


@policy_app.command("diff")
def diff(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="the bundle that holds")],
    new: Annotated[Path, typer.Argument(help="the bundle that is to take its place")],
    archive: Annotated[Path | None, typer.Option(help="archive, instead of the configured")] = None,
    cases: Annotated[
        list[Path] | None, typer.Option(help="cases instead of archived actions; several times")
    ] = None,
    catalog: CatalogFile = None,
    circumstances: ContextFile = None,
    limit: Annotated[int, typer.Option(min=1, help="most actions that are compared")] = LIMIT,
    junit: Junit = None,
    as_json: AsJson = False,
) -> None:
    """What would change: 0 nothing, 1 something, 3 something passes that did not or with less in its way."""
    from console.archived import replay
    from console.comparing import candidates_of, case_judge_of, compare_cases
    from console.reports import compared as report
    from console.reports.junit import junit as written

    if archive and cases:
        raise typer.BadParameter("give one of --archive and --cases", param_hint="--cases")
    settings = settings_of(context, archive=archive)
    candidates = candidates_of(old, new)
    if cases:
        judge = case_judge_of(candidates.old, catalog, circumstances)
        found = compare_cases(judge, candidates.new, cases, limit)
    else:
        found = replay(settings, candidates.old, candidates.new, limit)
    if junit:
        write_line(junit, written("policy diff", report.compared_cases(found)))
    body = report.compared_json(found, candidates.old.hash, candidates.new.hash)
    lines = (one_line(report.summary(found)), report.NO_PAST)
    show_report(body, report.COLUMNS, report.compared_rows(found), lines, as_json)
    raise typer.Exit(report.exit_code_of(found))


@policy_app.command("schema")
def schema() -> None:
    """The JSON Schema of bundles, for editors."""
    from enforcers.policy.schema import schema_text

    typer.echo(schema_text(), nl=False)


@policy_app.command("push")
def push(
    context: typer.Context,
    file: Bundle,
    reason: Reason,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Sign a bundle as an administrator, for every judge; one that does not load here is refused."""
    from console import publishing

    with _one_a_line(file):
        draft = publishing.draft_of(file)
    with administrators_desk(context, key) as desk:
        last = desk.state.publications[-1:]
        publishing.refuse_again(last, draft)
        changes = publishing.changes_since(last[0] if last else None, draft)
        publication = publishing.publication_of(draft, desk, reason)
        if not as_json:
            print_lines(map(one_line, publishing.told(changes, bool(last))))
        desk.publish(publication)
    done = f"published {publication.digest[:12]} as version {publication.issue.version}"
    tell({**publishing.entry(publication), "changes": changes}, (done,), as_json)


@policy_app.command("show")
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """The policies that were published: which, by whom, when and why; the newest first."""
    from console.publishing import entry

    with visitors_desk(context) as desk:
        found = [entry(one) for one in reversed(desk.state.publications)]
    if found:
        note = "the first is the newest; judges use it if they can load it"
    else:
        note = "nothing was published; each judge uses the policy of its settings"
    show_report({"publications": found}, PUBLISHED, map(_published, found), (note,), as_json)


def _published(one: Mapping[str, object]) -> Sequence[str]:
    from console.durations import moment_of, shown

    cells = {**one, "at": shown(moment_of(str(one["at"])))}
    return [one_line(str(cells[name])) for name in PUBLISHED]
