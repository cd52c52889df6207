"""What we rely on in cel-expr-python. A release that changes one of these must not be installed."""

from __future__ import annotations

import pytest
from cel_expr_python import cel

from enforcers.errors import PolicyError
from enforcers.policy.compiling import check_condition
from enforcers.policy.vocabulary import environment, new_message


def _evaluate(text: str) -> cel.Value:
    intent = new_message("Intent", kind="sql", effects=[new_message("Effect", verb="read")])
    return environment().compile(text).eval(data={"intent": intent})


@pytest.mark.parametrize("text", ["1 / 0 == 1", "intent.verbs[3] == 'x'", "int(intent.kind) == 1"])
def test_failures_are_values_not_exceptions(text: str) -> None:
    assert _evaluate(text).type() == cel.Type.ERROR


def test_one_failure_spoils_a_whole_list() -> None:
    assert _evaluate("[true, 1 / 0 == 1]").type() == cel.Type.ERROR


@pytest.mark.parametrize("text", ["true || 1 / 0 == 1", "1 / 0 == 1 || true"])
def test_or_absorbs_failures(text: str) -> None:
    assert _evaluate(text).plain_value() is True


def test_absent_fields_have_their_types_zero_value() -> None:
    assert _evaluate("intent.sql.statement == '' && !intent.opaque").plain_value() is True


def test_endless_loops_are_cut_off() -> None:
    effects = [new_message("Effect", verb="read")] * 1_100
    expression = environment().compile("intent.effects.all(a, intent.effects.all(b, a == b))")
    with pytest.raises(RuntimeError, match="budget"):
        expression.eval(data={"intent": new_message("Intent", effects=effects)})


@pytest.mark.parametrize(
    "text",
    [
        "intent.kind == 'sql'",
        "intent.effects.exists(e, e.verb in ['drop', 'alter'])",
        "intent.flows.all(f, f.sink_type != 'host')",
        "principal.id.matches('^agent-[0-9]+$')",
        "intent.sql.row_limit > -1",
        "!has(intent.sql)",
        "size(intent.shell.words) < 3 ? intent.opaque : target.production",
        "intent.shell.commands.exists(c, c.path == '/bin/' + c.program)",
        "intent.effects.map(e, e.verb) == ['read']",
        "intent.kind == 'sql' // a comment",
    ],
)
def test_total_conditions_are_admitted(text: str) -> None:
    check_condition(text, with_effect=False)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("intent.knd == 'sql'", "did you mean `kind`"),
        ("intnt.kind == 'sql'", "did you mean `intent`"),
        ("intent.kind == 3", "no matching overload"),
        ("intent.kind", "gives string, not bool"),
        ("effect.verb == 'read'", "undeclared reference to `effect.verb`"),
        ("intent.kind ==", "Syntax error"),
        ("size(intent.verbs) / 0 == 1", "`_/_` can fail"),
        ("size(intent.verbs) % 2 == 1", "`_%_` can fail"),
        ("intent.sql.row_limit + 1 > 0", "`_+_` can fail"),
        ("intent.sql.row_limit - 1 > 0", "`_-_` can fail"),
        ("-intent.sql.row_limit > 0", "`-_` can fail"),
        ("intent.verbs[0] == 'read'", "use `exists` or `in`"),
        ("int(intent.kind) == 1", "`int` can fail"),
        ("timestamp(intent.kind) < timestamp('2030-01-01T00:00:00Z')", "can fail"),
        ("intent.kind.matches(principal.id)", "literal pattern"),
        ("intent.kind.matches('[')", "literal pattern"),
        ("dyn(intent).zz == 1", "`dyn` can fail"),
        ("[1, 'a'].exists(x, x < 2 && intent.opaque)", "unknown type"),
        ("{'a': intent.kind}['b'] == 'x'", "`_[_]` can fail"),
        ("{'a': intent.kind}.a == 'x'", "a map or message"),
        ("intent.verbs.exists_one(v, v == 'read')", "`_+_` can fail"),
        ("intent.opaque || size(intent.verbs) / 0 == 1", "can fail"),
        ("true", "constant"),
        ("1 == 1", "constant"),
        ("intent.opaque || true", "constant"),
        ("intent.opaque && 1 == 1", "constant"),
        ("intent.effects.exists(e, true)", "constant"),
        ("(" * 100 + "intent.opaque" + ")" * 100, "recursion limit"),
    ],
)
def test_other_conditions_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(PolicyError) as refused:
        check_condition(text, with_effect=False)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)
