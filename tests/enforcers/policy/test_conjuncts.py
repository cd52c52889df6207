"""How a condition falls into conjuncts, and what each of them is said to read."""

from __future__ import annotations

import pytest

from enforcers.policy.compiling import compile_expression
from enforcers.policy.conjuncts import conjuncts_of, reading, split

SPLITS = [
    ("intent.opaque", ["intent.opaque"]),
    ("intent.opaque && intent.nested", ["intent.opaque", "intent.nested"]),
    ("(intent.opaque && (intent.nested))", ["intent.opaque", "intent.nested"]),
    ("intent.opaque && intent.nested || target.production", ["intent.opaque && intent.nested || target.production"]),
    ("(intent.opaque || intent.nested) && target.production", ["intent.opaque || intent.nested", "target.production"]),
    ("(intent.opaque) && (intent.nested)", ["intent.opaque", "intent.nested"]),
    ("intent.opaque ? intent.nested && target.production : target.production", ["intent.opaque ? intent.nested && target.production : target.production"]),
    ("!(intent.opaque && intent.nested)", ["!(intent.opaque && intent.nested)"]),
    ('action.reason == "a && b" && intent.opaque', ['action.reason == "a && b"', "intent.opaque"]),
    ("action.reason == 'it\\'s && (' && intent.opaque", ["action.reason == 'it\\'s && ('", "intent.opaque"]),
    ("intent.opaque // && intent.nested\n && target.production", ["intent.opaque", "target.production"]),
    ("intent.effects.exists(e, e.verb == 'read' && e.name == 'x')", ["intent.effects.exists(e, e.verb == 'read' && e.name == 'x')"]),
    ("[intent.opaque && intent.nested] == [true] && target.production", ["[intent.opaque && intent.nested] == [true]", "target.production"]),
    ("((((intent.opaque))))", ["intent.opaque"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), SPLITS, ids=[text for text, _ in SPLITS])
def test_a_condition_falls_into_its_conjuncts(text: str, parts: list[str]) -> None:
    assert [" ".join(part.split()) for part in split(text)] == parts
    assert [one.text for one in conjuncts_of(text, False)] == parts


READS = [
    ("target.production", ["target.production"]),
    ("'a' in principal.permissions", ["principal.permissions"]),
    ("principal.permissions.exists(p, p in ['a', 'b'])", ["principal.permissions"]),
    ("['mask'].all(one, one in action.capabilities)", ["action.capabilities"]),
    ("intent.effects.exists(e, e.verb == 'read' && 'pii' in e.tags)", ["intent.effects[].verb", "intent.effects[].tags"]),
    ("intent.effects.exists(e, e.tags.exists(t, t == 'pii'))", ["intent.effects[].tags"]),
    ("size(intent.effects) == 0", ["intent.effects"]),
    ("intent.shell.commands.exists(c, c.arguments.exists(a, a == '-f'))", ["intent.shell.commands[].arguments"]),
    ("effect.verb == 'read' || intent.sql.row_limit > 5", ["effect.verb", "intent.sql.row_limit"]),
    # Another name for the same word hides nothing.
    ("principal.permissions.exists(target, target == 'a') && target.production", ["principal.permissions"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "paths"), READS, ids=[text for text, _ in READS])
def test_a_conjunct_names_what_it_reads(text: str, paths: list[str]) -> None:
    first, *_ = conjuncts_of(text, True)
    assert list(first.paths) == paths


@pytest.mark.parametrize("path", sorted({path for _, paths in READS for path in paths}))
def test_every_path_that_is_named_can_be_read(path: str) -> None:
    how = reading(path)
    assert how is not None
    compile_expression(how, with_effect=True)


@pytest.mark.parametrize("path", ["intent.sql", "effect", "nothing.here"])
def test_what_has_no_plain_value_is_not_read(path: str) -> None:
    assert reading(path) is None


def test_constants_are_those_that_are_compared() -> None:
    (one,) = conjuncts_of("principal.permissions.exists(p, p in ['write', 'admin'])", False)
    assert one.constants == ("write", "admin")
