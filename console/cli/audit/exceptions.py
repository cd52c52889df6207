"""`sluicegate audit exceptions`: what was out of the ordinary in a period."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.audit.archive_option import Archive
from console.cli.audit.asking import Force, From, Page, To, asked, period
from console.cli.audit.story import show_lines
from console.cli.context import AsJson, print_json
from console.reads.recording import count_rows

Csv = Annotated[Path | None, typer.Option("--csv", help="also write them to a file")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("exceptions")(exceptions)


def exceptions(
    context: typer.Context,
    since: From = "",
    until: To = "",
    limit: Annotated[int, typer.Option(min=1, help="cases of one kind at most")] = 1_000,
    csv: Csv = None,
    force: Force = False,
    archive: Archive = None,
    page: Page = None,
    as_json: AsJson = False,
) -> None:
    """
    What was out of the ordinary: self-approval, broken glass, forged records, what ran without leave …

    Each code is explained where it is told. Verdict none: none counts. Outcome none: nobody reported one; unknown:
    its executor does not know.
    """
    from analytics.audit import exceptional
    from analytics.audit.elsewhere import elsewhere
    from console.auditing.bodies import exceptions_body
    from console.auditing.lines import told_elsewhere, told_exceptions
    from console.pages.writing import refuse_to_replace

    wanted = period(since, until)
    if csv is not None:
        refuse_to_replace(csv, force)
    with asked(context, archive) as at:
        found = exceptional.exceptions(at.connection, at.prefix, wanted, at.trust, at.now, limit)
        outside = elsewhere(at.connection, wanted)
    count_rows(context, len(found.cases))
    if page is not None:
        from console.pages.figures import page_of_exceptions
        from console.pages.writing import write_page

        write_page(page, page_of_exceptions(found))
    if csv is not None:
        from console.auditing.csvs import EXCEPTIONS, csv_lines, exception_rows
        from console.pages.writing import write_lines

        write_lines(csv, csv_lines(EXCEPTIONS, exception_rows(found)))
    if as_json:
        print_json({**exceptions_body(found), "elsewhere": outside})
    else:
        show_lines([*told_exceptions(found), *told_elsewhere(outside)])
