"""`index.html` of a pack: scope, figures, sample, exceptions, access, gaps and integrity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any

from analytics.audit.checkpoints import HeadSeen
from analytics.audit.gaps import OffsetGaps
from analytics.audit.pipeline import Traffic
from console.auditing.actions import place
from console.auditing.csvs import cell
from console.auditing.lines import NOT_ARCHIVED, gaps_told, period_told, told_proofs
from console.durations import shown
from console.pack.access import ENROLMENTS, GRANTS
from console.pack.gathering import Gathered
from console.pack.requirements import COLUMNS, REQUIREMENTS
from console.pages.figures import exceptions_part, population_part
from console.pages.markup import Markup, element, together
from console.pages.parts import lines_of, story_of, table
from console.pages.sheet import sheet

FILES = (
    ("population.csv", "every change of the period, one row each"),
    ("exceptions.csv", "every unusual case"),
    (
        "enrolments.csv",
        "who might propose what: every word about it in the period, and what held before",
    ),
    (
        "grants.csv",
        "rights for a limited time: every word about one in the period, and what held before",
    ),
    ("everything.json", "all of this page for programs"),
    ("README.txt", "how to check the pack without us"),
)


def index_page(found: Gathered, made: datetime) -> str:
    """The page as a file holds it."""
    parts = [
        _part("Scope", _scope(found)),
        _part("Population", population_part(found.population)),
        _part("Integrity", _integrity(found)),
        _part("Gaps and downtime", _pipeline(found)),
        _part("Exceptions", exceptions_part(found.exceptions)),
        _part("Access", _access(found)),
        _part("Who read the archive", _readings(found)),
        _part("Requirements", _requirements()),
        _part("Sample", _sample(found)),
    ]
    return sheet("Auditor pack", together((element("h1", "Auditor pack"), *parts)), made)


def _part(title: str, body: Markup) -> Markup:
    name = title.lower().replace(" ", "-")
    return element("section", element("h2", title), body, id=name)


def _scope(found: Gathered) -> Markup:
    scope, counted = found.scope, found.population
    lines = [
        ("period", period_told(scope.period)),
        ("zone", scope.zone or "the one without a name"),
        ("sample", f"{len(found.sample)} of {counted.counted}, drawn with the seed {scope.seed}"),
        (
            "how drawn",
            "the smallest SHA-256 of SEED:ACTION ID:DIGEST over every row of population.csv",
        ),
        ("signed", _signed(found)),
    ]
    files = ((element("a", name, href=name), what) for name, what in FILES)
    say = (
        "This pack shows what the pipeline recorded. What went round the gates is not in it: hold the"
        " population against the audit logs of the systems themselves."
    )
    return together((element("p", say), lines_of(lines), table(("file", "what"), files)))


def _signed(found: Gathered) -> str:
    if not found.population.checked:
        return "signatures were NOT checked: no trust file was at hand"
    return f"every signature was checked; {len(found.population.doubted)} records do not count"


def _integrity(found: Gathered) -> Markup:
    seen = found.integrity
    heads = (("at the start", seen.start), ("at the end", seen.end))
    rows = [_head(found, what, head) for what, head in heads]
    proofs = found.behind
    valid = sum(one.valid for one in proofs)
    sizes = sorted({one.archive_size for one in proofs if one.valid and one.archive_size})
    newest = f", by the archive's newest checkpoint, of size {sizes[-1]}" if sizes else ""
    lines = [
        ("history", _HISTORY[seen.consistent]),
        ("sample", f"{valid} of {len(proofs)} records behind the sample are proved{newest}"),
        ("", "each record counts once, also where several actions rest on it, such as a policy"),
        ("relative to", _RELATIVE),
    ]
    return together((table(("checkpoint", "where", "root", "result"), rows), lines_of(lines)))


_HISTORY = {
    True: "The head at the end continues the one at the start: both are roots of the heads that the"
    " archive holds.",
    False: "The two heads are NOT of one history, or the archive was changed.",
    None: "Whether the two heads are of one history cannot be said: one of them is not there.",
}
_RELATIVE = (
    "Whoever has the archiver's key could have written the whole log anew. Only a checkpoint that you"
    " kept yourself, from before, shows that this did not happen: see README.txt."
)


def _head(found: Gathered, what: str, head: HeadSeen | None) -> tuple[str, ...]:
    if head is None:
        return (what, "no checkpoint of a trusted archiver lies before it", "", "")
    agrees = found.integrity.agrees.get(head.size)
    result = {True: "the archive gives this root", False: "the archive gives ANOTHER root"}
    told = "older than what is kept" if agrees is None else result[agrees]
    return (what, f"size {head.size}, {place(head.evidence)}", head.root, told)


def _pipeline(found: Gathered) -> Markup:
    heard = found.pipeline
    begins = shown(heard.begins_at) if heard.begins_at else "never"
    covers = "which covers the period" if heard.covers else "so the period is NOT covered whole"
    lines = [
        ("begins", f"the archive begins at sequence {heard.begins}, {begins}, {covers}"),
        ("sequences", gaps_told(found.population.gaps)),
        ("dropped", _dropped(found)),
    ]
    silences = ((shown(one.since), shown(one.until), str(one.seq)) for one in heard.silences)
    late = (
        (
            shown(one.archived_at),
            f"{one.first} to {one.last}",
            str(one.records),
            f"{one.behind_s} s",
        )
        for one in heard.late
    )
    return together(
        (
            lines_of(lines),
            _table(
                "Records by topic",
                ("topic", "records", "unreadable", "first", "last"),
                list(map(_cells, heard.traffic)),
            ),
            _table("Nothing was archived", ("from", "to", "next sequence"), list(silences)),
            _table("Archived late", ("at", "sequences", "records", "behind"), list(late)),
            _missing(found.population.offsets),
        )
    )


def _missing(found: OffsetGaps) -> Markup:
    """Offsets that were expected: told as what they are, a loss until somebody explains it."""
    title = element("h3", "Offsets that are missing")
    if not found.gaps:
        return together((title, element("p", "none: every partition is there without a gap")))
    told = f"{found.missing} records MISSING in {found.gaps} gaps. {NOT_ARCHIVED}"
    columns = ("topic", "partition", "expected", "up to", "missing", "next sequence", "stored at")
    rows = (
        (
            *(one.topic, str(one.partition), str(one.first), str(one.last), str(one.missing)),
            *(str(one.seq), shown(one.until) if one.until else ""),
        )
        for one in found.longest
    )
    return together((title, element("p", told, class_="loud"), table(columns, rows)))


def _cells(one: Traffic) -> tuple[str, ...]:
    return tuple(str(value) for value in astuple(one))


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Markup:
    body = table(columns, rows) if rows else element("p", "none")
    return together((element("h3", title), body))


def _dropped(found: Gathered) -> str:
    if not found.holes:
        return "nothing was ever dropped"
    told = (
        f"sequences {one.first} to {one.last} at {shown(one.at)}: {one.reason}"
        for one in found.holes
    )
    return "\n".join(told)


def _access(found: Gathered) -> Markup:
    said = found.access
    return together(
        (
            _rights("Who might propose: enrolments", ENROLMENTS, said.enrolments),
            _rights("Rights for a limited time: grants", GRANTS, said.grants),
            element("h3", "Who may speak: keys of the trust file"),
            _keys(found),
        )
    )


def _rights(title: str, columns: Sequence[str], found: Sequence[Mapping[str, Any]]) -> Markup:
    """Words about rights; columns that nobody filled are left out."""
    filled = [name for name in columns if any(one[name] not in _NOTHING for one in found)]
    rows = [tuple(cell(one[name]) for name in filled) for one in found]
    return _table(title, tuple(name.replace("_", " ") for name in filled), rows)


_NOTHING: tuple[Any, ...] = (None, "", (), [])


def _keys(found: Gathered) -> Markup:
    if not found.keys:
        return element("p", "no trust file was at hand", class_="loud")
    rows = (
        (
            one.role.value,
            one.id,
            one.person or "",
            ", ".join(one.groups),
            one.kid,
            shown(one.not_before) if one.not_before else "",
            shown(one.not_after) if one.not_after else "",
        )
        for one in found.keys
    )
    columns = ("role", "id", "person", "groups", "key", "not before", "not after")
    say = "Keys of the trust file as it is now; it has no history of its own."
    return together((element("p", say), table(columns, rows)))


def _readings(found: Gathered) -> Markup:
    rows = [(shown(one.model.at), one.model.about, one.model.message) for one in found.readings]
    say = (
        "Readings with our commands that reached Kafka in the period. Whoever may read the archive's files"
        " can read them without a command."
    )
    return together((element("p", say), _table("Readings", ("when", "who", "what"), rows)))


def _requirements() -> Markup:
    say = "Our reading of these texts; no opinion of an auditor, and no certificate."
    return together((element("p", say), table(COLUMNS, REQUIREMENTS)))


def _sample(found: Gathered) -> Markup:
    return together(_stories(found))


def _stories(found: Gathered) -> Iterator[Markup]:
    if not found.sample:
        yield element("p", "nothing was drawn")
    for one in found.sample:
        yield story_of(one, list(told_proofs(found.proofs[one.evidence.seq])))
