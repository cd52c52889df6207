"""Pages of the audit commands: whole, quiet, and nothing that strangers wrote is markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import Result

from console.pages.markup import Markup, element, together
from console.pages.sheet import POLICY, STYLE, sheet
from enforcers.contract.base import uuid7
from enforcers.contract.verdict import Decision, Reason
from tests.console.cli.archived import Scene, touching

Sluicegate = Callable[..., Result]

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><svg onload=alert(1)>",
    "<!--", "]]>", "&lt;b&gt;", "' onmouseover='alert(1)", "javascript:alert(1)",
    "\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe", "\x00", "{{7*7}}", "</desc><a href='x'>",
)  # fmt: skip
EVERYTHING = "\n".join(ATTACKS)
# Ids are printable ASCII without spaces.
NAMES = "<script>alert(1)</script>\"'><svg/onload=alert(1)>"


class Looked(HTMLParser):
    """Which elements and attributes a page has, and its text; what is not closed in its order is noted."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.torn: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.torn += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.torn.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.torn.append(f"comment {data}")


OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "section",
        "footer",
        "h1",
        "h2",
        "h3",
        "p",
    ),
    *("dl", "dt", "dd", "article", "table", "thead", "tbody", "tr", "th", "td", "a"),
    *("svg", "desc", "text", "line", "circle", "rect", "polygon"),
}
HARMLESS = {
    *("charset", "http-equiv", "content", "name", "lang", "id", "class", "scope", "href", "role"),
    *(
        "aria-labelledby",
        "viewbox",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "width",
        "height",
        "cx",
        "cy",
    ),
    *("r", "points", "text-anchor"),
}


def assert_harmless(page: str) -> Looked:
    seen = Looked(page)
    assert seen.torn == []
    assert seen.elements <= OURS
    for tag, name, value in seen.attributes:
        assert name in HARMLESS, (tag, name)
        if name == "href":
            assert re.fullmatch(r"#[a-z0-9-]+|[A-Za-z0-9][A-Za-z0-9._-]*", value or ""), value
    assert page.count("<style>") == 1
    assert f'content="{POLICY}"'.replace("'", "&#x27;") in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", page)
    assert "http://" not in page
    assert "https://" not in page
    return seen


@pytest.fixture
def attacked(sluicegate: Sluicegate) -> UUID:
    """An archive in which everything that anybody may write is an attack; the action's id."""
    scene, name = Scene(), uuid7()
    asked = scene.action(
        EVERYTHING, reason=EVERYTHING[:2_000], ticket=NAMES,
        principal={"id": NAMES, "session": NAMES, "on_behalf_of": NAMES},
        target={"system": NAMES, "environment": NAMES, "catalog": NAMES},
    )  # fmt: skip
    scene.request(asked, name)
    scene.vote(name, reason=EVERYTHING, break_glass=True, requester=NAMES)
    scene.vote(name, version=2, reason="FORGED " + EVERYTHING, signer="executor-1", requester=NAMES)
    reasons = (Reason(code=NAMES, message=EVERYTHING, rule=NAMES, remedy=EVERYTHING),)
    intent = (touching("drop", EVERYTHING[:200], namespace=EVERYTHING[:200], type=NAMES),)
    scene.verdict(asked, Decision.ALLOW, reasons=reasons, intent=intent, approval=name)
    scene.outcome(asked, error=EVERYTHING)
    scene.publish(reason=EVERYTHING)
    scene.store()
    return asked.id


def pages(action: UUID) -> dict[str, tuple[str, ...]]:
    return {
        "action": ("action", str(action)),
        "session": ("session", NAMES),
        "who-changed": ("who-changed", "*" + EVERYTHING[:100]),
        "population": ("population",),
        "exceptions": ("exceptions",),
        "policy-as-of": ("policy-as-of", "2999-01-01"),
    }


def test_nothing_that_strangers_wrote_is_markup_or_steers_a_terminal(
    attacked: UUID, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    for name, arguments in pages(attacked).items():
        file = tmp_path / f"{name}.html"
        result = sluicegate("audit", *arguments, "--html", str(file))
        if name == "who-changed":
            continue
        assert result.exit_code == 0, (name, result.stderr)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", result.stdout), name
        seen = assert_harmless(file.read_text("utf-8"))
        assert file.stat().st_mode & 0o777 == 0o600
        if name in ("action", "session"):
            assert "<script>alert(1)</script>" in seen.text
            assert "\\x1b[2J" in seen.text
            assert "BREAKING THE GLASS" in seen.text
            assert "FORGED" not in seen.text
    assert {one.name for one in tmp_path.glob("*.html")} >= {"action.html", "session.html"}


def test_who_changed_what_an_attacker_named_is_told_harmlessly(
    attacked: UUID, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    result = sluicegate("audit", "who-changed", "<script>*", "--html", str(file))
    assert result.exit_code == 0, result.stderr
    assert str(attacked) in assert_harmless(file.read_text("utf-8")).text


def test_the_picture_has_words_for_those_who_do_not_see_it(
    attacked: UUID, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    sluicegate("audit", "action", str(attacked), "--html", str(file))
    (svg,) = re.findall(r"<svg.*?</svg>", file.read_text("utf-8"), re.S)
    assert 'role="img"' in svg
    (labels,) = re.findall(r'aria-labelledby="([^"]*)"', svg)
    assert all(f'id="{one}"' in svg for one in labels.split())
    (words,) = re.findall(r"<desc[^>]*>(.*?)</desc>", svg)
    assert re.fullmatch(
        r".* proposed; .* approve by administrator-1; .* allow; .* succeeded", words
    )


def test_the_policy_names_the_style_sheet_and_lets_nothing_else_in() -> None:
    page = sheet("t", element("p", "x"))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert POLICY.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "prefers-color-scheme: dark" in STYLE


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("script", {}),
    ("p onclick=x", {}),
    ("p", {"onclick": "x"}),
    ("p", {"style": "color: red"}),
    ("p", {"src": "x"}),
    ("a", {"href": "javascript:alert(1)"}),
    ("a", {"href": "//elsewhere"}),
    ("a", {"href": "../up"}),
    ("a", {"href": "/etc/passwd"}),
    ("a", {"href": "#A b"}),
]


@pytest.mark.parametrize(("name", "attributes"), REFUSED)
def test_an_element_that_could_act_is_refused(name: str, attributes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="nothing that a page of ours holds"):
        element(name, **attributes)


def test_text_is_escaped_wherever_it_stands() -> None:
    assert element("p", "<b>", class_='"') == '<p class="&quot;">&lt;b&gt;</p>'
    assert element("p", together((Markup("<i></i>"),)), "\ud800") == "<p><i></i>\\ud800</p>"
    assert element("p", ["<", None, 7]) == "<p>&lt;7</p>"


def test_a_page_takes_the_place_of_a_link_and_does_not_follow_it(
    attacked: UUID, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    target, link = tmp_path / "target", tmp_path / "page.html"
    target.write_text("kept")
    link.symlink_to(target)
    assert sluicegate("audit", "population", "--html", str(link)).exit_code == 0
    assert (target.read_text(), link.is_symlink()) == ("kept", False)
    nowhere = sluicegate("audit", "population", "--html", str(tmp_path / "no" / "page.html"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)


def test_very_long_texts_end_somewhere(sluicegate: Sluicegate, tmp_path: Path) -> None:
    scene = Scene()
    long = scene.action("SELECT '" + "x" * 200_000 + "'")
    scene.verdict(long, reasons=(Reason(code="c", message="y" * 2_000),) * 40)
    scene.store()
    file = tmp_path / "page.html"
    result = sluicegate("audit", "action", str(long.id), "--html", str(file))
    assert result.exit_code == 0
    assert len(result.stdout) < 120_000
    assert file.stat().st_size < 200_000
