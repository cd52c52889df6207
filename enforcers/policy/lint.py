"""
What is wrong with a bundle although it compiles.

INVARIANT: a bundle with a complaint does not load. Complaints are facts about the text; whether the
rules decide rightly is for the bundle's tests to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from enforcers.errors import CatalogError, PolicyError
from enforcers.policy import fragments
from enforcers.policy.bundle import PRODUCTION, Bundle, Mode, Rule, RuleEffect, suggest
from enforcers.policy.cases import catalog_of
from enforcers.policy.compiling import CompiledRule
from enforcers.policy.complaints import Path, Remark
from enforcers.policy.form import closest
from enforcers.policy.granting import check_scope
from enforcers.policy.lint_conditions import lint_conditions
from enforcers.policy.lint_shadows import lint_shadows
from enforcers.rewriting.masks import parse_mask

Lint = Callable[[Bundle], Iterator[Remark]]


def lint(bundle: Bundle, compiled: Sequence[CompiledRule] = ()) -> tuple[Remark, ...]:
    """Return every complaint about a bundle, in the order of `LINTS`; at last those about conditions."""
    found = [remark for check in LINTS for remark in check(bundle)]
    return (*found, *lint_shadows(bundle, compiled), *lint_conditions(bundle, compiled))


def unique_names(bundle: Bundle) -> Iterator[Remark]:
    """Two rules with one id, or two tests with one name."""
    for key, what, names in (
        ("rules", "rule", [rule.id for rule in bundle.rules]),
        ("tests", "test", [case.name for case in bundle.tests]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                last = len(names) - 1 - names[::-1].index(name)
                message = f"{what} `{name}` is written {count} times; rename all but one"
                yield Remark((key, last), "duplicate", message)


def known_environments(bundle: Bundle) -> Iterator[Remark]:
    """An environment that the bundle does not declare: most often a misspelling."""
    known = (PRODUCTION, *bundle.non_production)
    if PRODUCTION in bundle.non_production:
        message = "`production` is listed in `non_production`; remove it there"
        yield Remark(("non_production",), "environment", message)
    for path, rule in _rules(bundle):
        for index, environment in enumerate(rule.match.environment):
            if environment not in known:
                hint = closest(environment, known) or "; declare it in `non_production`"
                yield Remark(
                    (*path, "match", "environment", index),
                    "environment",
                    f"rule `{rule.id}` matches unknown environment `{environment}`{hint}",
                )
    for number, case in enumerate(bundle.tests):
        environment = case.context.environment
        hint = closest(environment, known)
        if environment not in known and hint:
            yield Remark(
                ("tests", number, "with", "environment"),
                "environment",
                f"test `{case.name}` is in unknown environment `{environment}`{hint}",
            )


def bounded_allows(bundle: Bundle) -> Iterator[Remark]:
    """An allow rule that holds everywhere and for everything."""
    for path, rule in _rules(bundle):
        match = rule.match
        if rule.effect is RuleEffect.ALLOW and not (match.environment or match.kind or match.verb):
            message = f"allow rule `{rule.id}` is boundless; match `environment`, `kind` or `verb`"
            yield Remark(path, "boundless", message)


def meaningful_rules(bundle: Bundle) -> Iterator[Remark]:
    """A rule without any condition, or with a mode or obligation that says nothing."""
    for path, rule in _rules(bundle):
        if rule.when is None and rule.where is None and not rule.match.model_fields_set:
            message = f"rule `{rule.id}` has no condition; give it `match`, `when` or `where`"
            yield Remark(path, "no-condition", message)
        if rule.mode is Mode.WARN and rule.effect in (RuleEffect.ALLOW, RuleEffect.CONSTRAIN):
            message = f"rule `{rule.id}` cannot warn: it denies nothing; use `enforce` or `shadow`"
            yield Remark((*path, "mode"), "mode", message)
        if rule.effect in (RuleEffect.DENY, RuleEffect.REQUIRE_APPROVAL) and not rule.remedy:
            message = f"rule `{rule.id}` has no remedy; say what would pass"
            yield Remark((*path, "remedy"), "no-remedy", message)


def meaningful_matches(bundle: Bundle) -> Iterator[Remark]:
    """A key of `match` without values, which would match everything, or with a value twice."""
    for path, rule in _rules(bundle):
        for key in sorted(rule.match.model_fields_set):
            values = getattr(rule.match, key)
            place: Path = (*path, "match", key)
            if not values:
                message = f"rule `{rule.id}`: an empty `{key}` matches every value; remove it"
                yield Remark(place, "match", message)
            yield from _twice(place, f"rule `{rule.id}`: `{key}`", values)


def sound_terms(bundle: Bundle) -> Iterator[Remark]:
    """Terms of an approval or a quarantine that nothing reads, or that say nothing."""
    for path, rule in _rules(bundle):
        if rule.approval is not None and rule.effect is not RuleEffect.REQUIRE_APPROVAL:
            message = f"rule `{rule.id}`: `approval` belongs to `require_approval`; remove it"
            yield Remark((*path, "approval"), "approval", message)
        if rule.quarantine_minutes is not None and rule.effect is not RuleEffect.DENY:
            message = f"rule `{rule.id}`: `quarantine_minutes` belongs to `deny`; remove it"
            yield Remark((*path, "quarantine_minutes"), "quarantine", message)
        if rule.quarantine_minutes is not None and rule.mode is not Mode.ENFORCE:
            message = (
                f"rule `{rule.id}` stops nobody in mode `{rule.mode}`; remove `quarantine_minutes`"
            )
            yield Remark((*path, "quarantine_minutes"), "quarantine", message)
        groups = rule.terms.groups
        if rule.terms.all_groups and not groups:
            message = f"rule `{rule.id}`: `all_groups` needs `groups`; write them"
            yield Remark((*path, "approval", "all_groups"), "approval", message)
        yield from _twice((*path, "approval", "groups"), f"rule `{rule.id}`: `groups`", groups)
    if bundle.break_glass is not None:
        yield from _twice(("break_glass", "groups"), "`break_glass`", bundle.break_glass.groups)


def sound_obligations(bundle: Bundle) -> Iterator[Remark]:
    """Obligations on the wrong rule, or without what they need."""
    for path, rule in _rules(bundle):
        place: Path = (*path, "obligations")
        if bool(rule.obligations) != (rule.effect is RuleEffect.CONSTRAIN):
            message = f"rule `{rule.id}`: obligations belong to `constrain` rules, which need some; move or write them"
            yield Remark(place, "obligation", message)
        yield from _obligations_of(rule, place)


def _obligations_of(rule: Rule, path: Path) -> Iterator[Remark]:
    for index, one in enumerate(rule.obligations):
        place: Path = (*path, index)
        if one.kind in ("limit_rows", "max_rows_affected") and one.value is None:
            message = f"rule `{rule.id}`: obligation `{one.kind}` needs a `value`; write one"
            yield Remark(place, "obligation", message)
        if one.kind == "mask" and not one.columns:
            message = f"rule `{rule.id}`: obligation `mask` needs `columns`; write them"
            yield Remark(place, "obligation", message)
        if one.kind == "mask":
            yield from _unreadable_masks(rule, one.columns, (*place, "columns"))


def _unreadable_masks(rule: Rule, columns: Iterable[str], path: Path) -> Iterator[Remark]:
    for index, entry in enumerate(columns):
        if parse_mask(entry) is None:
            yield Remark(
                (*path, index),
                "obligation",
                f"rule `{rule.id}`: `{entry[:80]}` is no mask; write `column`, `table.column` or"
                " `tag:name`, and a constant as `='***'` behind it",
            )


def used_variables(bundle: Bundle) -> Iterator[Remark]:
    """A variable that nothing reads."""
    texts = [text for rule in bundle.rules for text in (rule.when, rule.where) if text]
    used = {
        name for text in (*texts, *bundle.variables.values()) for name in fragments.names_in(text)
    }
    for name in bundle.variables:
        if name not in used:
            message = f"variable `{name}` is never read; remove it"
            yield Remark(("variables", name), "unused", message)


def tested_rules(bundle: Bundle) -> Iterator[Remark]:
    """A rule without a test that it must hit and one that it must not."""
    hit = {name for case in bundle.tests for name in case.expect.rules}
    missed = {name for case in bundle.tests for name in case.expect.not_rules}
    for path, rule in _rules(bundle):
        if rule.id not in hit:
            message = f"rule `{rule.id}` has no test that it must hit; add one with it in `rules`"
            yield Remark(path, "untested", message)
        if rule.id not in missed:
            message = (
                f"rule `{rule.id}` has no test that it must not hit; add one with it in `not_rules`"
            )
            yield Remark(path, "untested", message)


def sound_tests(bundle: Bundle) -> Iterator[Remark]:
    """A test that names a rule that is not there, wants what cannot be, or has a grant that is none."""
    try:
        catalog_of(bundle)
    except CatalogError as error:
        yield Remark(("test_catalog",), "catalog", f"`test_catalog`: {error}")
    known = {rule.id for rule in bundle.rules}
    for number, case in enumerate(bundle.tests):
        path: Path = ("tests", number)
        for key in ("rules", "not_rules"):
            for index, name in enumerate(getattr(case.expect, key)):
                if name not in known:
                    hint = suggest(name, sorted(known))
                    message = f"test `{case.name}` names unknown rule `{name}`{hint}"
                    yield Remark((*path, "expect", key, index), "unknown-rule", message)
        for name in sorted(set(case.expect.rules) & set(case.expect.not_rules)):
            message = f"test `{case.name}` wants `{name}` to apply and not to; remove it from one"
            yield Remark((*path, "expect", "not_rules"), "contradiction", message)
        for index, grant in enumerate(case.context.grants):
            try:
                check_scope(grant.scope)
            except PolicyError as error:
                message = f"test `{case.name}`, grant `{grant.name}`: {error}"
                yield Remark((*path, "with", "grants", index), "grant", message)


def _rules(bundle: Bundle) -> Iterator[tuple[Path, Rule]]:
    for index, rule in enumerate(bundle.rules):
        yield ("rules", index), rule


def _twice(path: Path, what: str, values: Sequence[str]) -> Iterator[Remark]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Remark(path, "duplicate", f"{what} holds `{value}` {count} times; keep one")


LINTS: tuple[Lint, ...] = (
    unique_names,
    known_environments,
    bounded_allows,
    meaningful_rules,
    meaningful_matches,
    sound_terms,
    sound_obligations,
    used_variables,
    tested_rules,
    sound_tests,
)
"""Every check of what is written, in the order in which its complaints are shown."""
