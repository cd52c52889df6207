"""JUnit XML, as CI servers read it: one suite, a case for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from console.plain import harmless


@dataclass(frozen=True, slots=True)
class Looked:
    """One case: what was looked at, and what was wrong; empty where nothing was."""

    name: str
    problem: str = ""
    detail: str = ""
    could_not_run: bool = False


def junit(suite: str, cases: Iterable[Looked]) -> str:
    """The whole document."""
    found = list(cases)
    root = Xml.Element("testsuites", _counts(found))
    inner = Xml.SubElement(root, "testsuite", {"name": _text(suite), **_counts(found)})
    for one in found:
        _add(inner, suite, one)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _counts(cases: Sequence[Looked]) -> dict[str, str]:
    errors = sum(one.could_not_run for one in cases)
    failures = sum(bool(one.problem) for one in cases) - errors
    return {"tests": str(len(cases)), "failures": str(failures), "errors": str(errors)}


def _add(suite: Xml.Element, name: str, one: Looked) -> None:
    case = Xml.SubElement(
        suite, "testcase", {"classname": _text(name), "name": _text(one.name), "time": "0"}
    )
    if one.problem:
        kind = "error" if one.could_not_run else "failure"
        Xml.SubElement(case, kind, {"message": _text(one.problem)}).text = _text(one.detail)


def _text(text: str) -> str:
    # XML has no form for control characters, and what proposes an action may write any.
    return harmless(text)
