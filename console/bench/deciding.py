"""
How long a decision takes whose intent is ready, beside CEL alone on the same conditions in the same run.

    shipped       by the shipped policy
    two_hundred   by 200 rules, each of which may apply to every statement
    …_cel         cel-expr-python evaluating the conditions of the same rules, all in one list, and nothing else
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cel_expr_python import cel

from console.bench.agent_statements import CATALOG, fresh_statements
from console.bench.judging import NOW, PRINCIPAL, WARM_UP, figures
from console.shipped import PRODUCTION_POLICY
from enforcers.intent.sql import read_sql
from enforcers.policy import vocabulary
from enforcers.policy.bundle import parse_bundle
from enforcers.policy.cases import run_case
from enforcers.policy.compiling import CompiledRule, compile_expression
from enforcers.policy.engine import Facts, PrincipalFacts, TargetFacts, WindowFacts
from enforcers.policy.loading import load_policy
from enforcers.policy.messages import view_intent
from enforcers.policy.policy import Policy, compile_rules

RULES = 200


@dataclass(frozen=True)
class Subject:
    """A policy, and its conditions as one expression."""

    name: str
    policy: Policy
    expression: cel.Expression


def measure(count: int) -> dict[str, Any]:
    """Decide `count` times by each policy, interleaved with CEL alone; figures in microseconds."""
    shipped = load_policy(PRODUCTION_POLICY, run_case)
    many = Policy(*parse_bundle(_two_hundred().encode()))
    subjects = [_subject("shipped", shipped), _subject("two_hundred", many)]
    times: dict[str, list[int]] = defaultdict(list)
    gc.collect()
    for number, facts in zip(range(WARM_UP + count), _facts(), strict=False):
        for subject in subjects:
            taken = _taken(subject, facts, number % 2 == 0)
            if number >= WARM_UP:
                for name, nanoseconds in taken.items():
                    times[name].append(nanoseconds)
    return {f"{name}_us": figures(taken) for name, taken in times.items()}


def _subject(name: str, policy: Policy) -> Subject:
    return Subject(name, policy, compile_expression(_text(compile_rules(policy.bundle)), False))


def _text(rules: Sequence[CompiledRule]) -> str:
    whens = ", ".join(["true", *(f"(\n{one.when}\n)" for one in rules if one.when)])
    wheres = ", ".join(["true", *(f"(\n{one.where}\n)" for one in rules if one.where)])
    return f"[[{whens}]] + intent.effects.map(effect, [{wheres}])"


def _taken(subject: Subject, facts: Facts, ours_first: bool) -> dict[str, int]:
    activation = _activation(facts)

    def ours() -> object:
        return subject.policy.decide(facts)

    def alone() -> object:
        return subject.expression.eval(activation).plain_value()

    calls: list[tuple[str, Callable[[], object]]] = [
        (subject.name, ours),
        (f"{subject.name}_cel", alone),
    ]
    return {name: _nanoseconds(call) for name, call in (calls if ours_first else calls[::-1])}


def _nanoseconds(call: Callable[[], object]) -> int:
    started = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - started


def _facts() -> Iterator[Facts]:
    """An agent's statements, each a little later and with a little more behind it."""
    principal = PrincipalFacts(PRINCIPAL.id, PRINCIPAL.kind.value, True, ("bounded_write",))
    for number, (dialect, text) in enumerate(fresh_statements(seed=9)):
        done = WindowFacts(actions=number, writes=number // 5, tables=number % 30)
        yield Facts(
            principal=principal,
            target=TargetFacts(dialect, "production", "shop", dialect),
            intent=read_sql(text, dialect, CATALOG),
            now=NOW + timedelta(seconds=number),
            history=done,
            session=done,
        )


def _activation(facts: Facts) -> cel.Activation:
    """Every variable with a value, made before the time is taken."""
    values = {
        name: vocabulary.new_message(message)
        for name, message in vocabulary.VARIABLES.items()
        if name not in ("effect", "intent")
    }
    values["intent"] = view_intent(facts.intent).message
    return vocabulary.environment().Activation(values)


def _two_hundred() -> str:
    """A bundle as a large team has it: half its conditions look at an effect, half at the action."""
    rules = [_rule(number) for number in range(RULES - 1)]
    allow = (
        "- {id: allow-read, effect: allow, match: {kind: [sql], verb: [read, write, delete]},"
        " message: m}"
    )
    head = "apiVersion: sluicegate.io/v1\nname: many\ndefault: deny\nrules:\n"
    return head + "\n".join([*rules, allow]) + "\n"


def _rule(number: int) -> str:
    about_effect = f'effect.name.startsWith("t{number}") && effect.extent != "key_bound"'
    about_action = f'principal.id == "agent:{number}" && !intent.tags.exists(t, t == "tag{number}")'
    part, condition = ("where", about_effect) if number % 2 else ("when", about_action)
    return (
        f"- id: rule-{number}\n  effect: deny\n  match: {{verb: [read, write, delete]}}\n"
        f"  {part}: '{condition}'\n  message: m\n  remedy: r"
    )
