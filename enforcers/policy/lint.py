"""
What is wrong with a bundle although it compiles.

INVARIANT: a bundle with a complaint does not load. Complaints are facts about the text; whether the
rules decide rightly is for the bundle's tests to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from enforcers.policy import fragments
from enforcers.policy.bundle import PRODUCTION, Bundle, Mode, Rule, RuleEffect, suggest
from enforcers.rewriting.masks import parse_mask

Lint = Callable[[Bundle], Iterator[str]]


def lint(bundle: Bundle) -> tuple[str, ...]:
    """Return every complaint about a bundle, in the order of `LINTS`."""
    return tuple(complaint for check in LINTS for complaint in check(bundle))


def unique_names(bundle: Bundle) -> Iterator[str]:
    """Two rules with one id, or two tests with one name."""
    for what, names in (
        ("rule", [rule.id for rule in bundle.rules]),
        ("test", [case.name for case in bundle.tests]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{what} `{name}` is written {count} times; rename all but one"


def known_environments(bundle: Bundle) -> Iterator[str]:
    """An environment that the bundle does not declare: most often a misspelling."""
    known = (PRODUCTION, *bundle.non_production)
    if PRODUCTION in bundle.non_production:
        yield "`production` is listed in `non_production`; remove it there"
    for rule in bundle.rules:
        for environment in rule.match.environment:
            if environment not in known:
                hint = suggest(environment, known).removesuffix("; remove it")
                yield (
                    f"rule `{rule.id}` matches unknown environment `{environment}`"
                    f"{hint or '; declare it in `non_production`'}"
                )


def bounded_allows(bundle: Bundle) -> Iterator[str]:
    """An allow rule that holds everywhere and for everything."""
    for rule in bundle.rules:
        match = rule.match
        if rule.effect is RuleEffect.ALLOW and not (match.environment or match.kind or match.verb):
            yield f"allow rule `{rule.id}` is boundless; match `environment`, `kind` or `verb`"


def meaningful_rules(bundle: Bundle) -> Iterator[str]:
    """A rule without any condition, or with a mode or obligation that says nothing."""
    for rule in bundle.rules:
        if rule.when is None and rule.where is None and not rule.match.model_fields_set:
            yield f"rule `{rule.id}` has no condition; give it `match`, `when` or `where`"
        if rule.mode is Mode.WARN and rule.effect in (RuleEffect.ALLOW, RuleEffect.CONSTRAIN):
            yield f"rule `{rule.id}` cannot warn: it denies nothing; use `enforce` or `shadow`"
        if rule.effect in (RuleEffect.DENY, RuleEffect.REQUIRE_APPROVAL) and not rule.remedy:
            yield f"rule `{rule.id}` has no remedy; say what would pass"


def sound_obligations(bundle: Bundle) -> Iterator[str]:
    """Obligations on the wrong rule, or without what they need."""
    for rule in bundle.rules:
        if bool(rule.obligations) != (rule.effect is RuleEffect.CONSTRAIN):
            yield f"rule `{rule.id}`: obligations belong to `constrain` rules, which need some"
        yield from _obligations_of(rule)


def _obligations_of(rule: Rule) -> Iterator[str]:
    for one in rule.obligations:
        if one.kind in ("limit_rows", "max_rows_affected") and one.value is None:
            yield f"rule `{rule.id}`: obligation `{one.kind}` needs a `value`"
        if one.kind == "mask" and not one.columns:
            yield f"rule `{rule.id}`: obligation `mask` needs `columns`"
        if one.kind == "mask":
            yield from _unreadable_masks(rule, one.columns)


def _unreadable_masks(rule: Rule, columns: Iterable[str]) -> Iterator[str]:
    for entry in columns:
        if parse_mask(entry) is None:
            yield (
                f"rule `{rule.id}`: `{entry[:80]}` is no mask; write `column`, `table.column` or"
                " `tag:name`, and a constant as `='***'` behind it"
            )


def used_variables(bundle: Bundle) -> Iterator[str]:
    """A variable that nothing reads."""
    texts = [text for rule in bundle.rules for text in (rule.when, rule.where) if text]
    used = {
        name for text in (*texts, *bundle.variables.values()) for name in fragments.names_in(text)
    }
    for name in bundle.variables:
        if name not in used:
            yield f"variable `{name}` is never read; remove it"


def tested_rules(bundle: Bundle) -> Iterator[str]:
    """A rule without a test that it must hit and one that it must not."""
    hit = {name for case in bundle.tests for name in case.expect.rules}
    missed = {name for case in bundle.tests for name in case.expect.not_rules}
    known = {rule.id for rule in bundle.rules}
    for name in sorted((hit | missed) - known):
        yield f"a test names unknown rule `{name}`{suggest(name, known)}"
    for name in sorted(known - hit):
        yield f"rule `{name}` has no test that it must hit; add one with it in `rules`"
    for name in sorted(known - missed):
        yield f"rule `{name}` has no test that it must not hit; add one with it in `not_rules`"


LINTS: tuple[Lint, ...] = (
    unique_names,
    known_environments,
    bounded_allows,
    meaningful_rules,
    sound_obligations,
    used_variables,
    tested_rules,
)
"""Every check, in the order in which its complaints are shown."""
