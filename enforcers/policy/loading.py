"""
From files to a policy that may judge.

    bytes ─▶ Family of files ─▶ each, after what it extends: merge ─▶ compile ─▶ lint ─▶ its own tests ─▶ Policy

INVARIANT: a bundle with any complaint gives no policy; the caller keeps its last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enforcers.errors import PolicyError
from enforcers.policy.compiling import Compiled, CompiledRule, compile_file
from enforcers.policy.complaints import BundleError, Complaint, Remark
from enforcers.policy.extending import Family, gather
from enforcers.policy.lint import lint
from enforcers.policy.merging import Merged, merge
from enforcers.policy.packs import OWN, SHIPPED, Beside, Files, Sent
from enforcers.policy.policy import Policy
from enforcers.policy.trial import OwnTest, RunCase, try_tests

NamedFiles = Sequence[tuple[str, bytes]]
"""A bundle's own file first, then those that it extends, by the name under which it extends them."""
Checked = tuple[Policy | None, tuple[Complaint, ...]]
"""A policy, or why there is none."""


def load_policy(path: Path, run_case: RunCase, packs: Files = SHIPPED) -> Policy:
    """Load a bundle from a file. Raises BundleError with everything that has to be corrected."""
    return _given(check_policy(path, run_case, packs))


def load_policy_files(files: NamedFiles, run_case: RunCase, packs: Files = SHIPPED) -> Policy:
    """Load a bundle from files as `files_of` gives them. Raises BundleError."""
    return _given(check_policy_files(files, run_case, packs))


def load_policy_bytes(data: bytes, run_case: RunCase) -> Policy:
    """Load a bundle from the bytes of its one file. Raises BundleError."""
    return load_policy_files([("policy.yaml", data)], run_case)


def check_policy(path: Path, run_case: RunCase, packs: Files = SHIPPED) -> Checked:
    """The policy in a file, or everything that has to be corrected."""
    return _checked(lambda: _family(path, packs), run_case)


def check_policy_files(files: NamedFiles, run_case: RunCase, packs: Files = SHIPPED) -> Checked:
    """The policy in files as `files_of` gives them, or everything that has to be corrected."""
    (label, data), *others = files
    return _checked(lambda: gather(label, data, Sent(dict(others), packs)), run_case)


def files_of(path: Path, packs: Files = SHIPPED) -> tuple[tuple[str, bytes], ...]:
    """A bundle's own file and all that it extends, packs too. Raises BundleError."""
    family = _family(path, packs)
    own, *others = family.line(OWN)
    # Names travel as printable ASCII; that of the bundle's own file means nothing.
    named = [(re.sub(r"[^!-~]", "_", path.name)[:200], family.sheets[own].data)]
    return (*named, *((name, family.sheets[name].data) for name in sorted(others)))


def _family(path: Path, packs: Files) -> Family:
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"policy `{path}` cannot be read; check the path"
        raise BundleError([Complaint(path.name, 1, 1, "unreadable", message)]) from error
    return gather(path.name, data, Beside(path.parent, packs))


def _given(checked: Checked) -> Policy:
    policy, complaints = checked
    if policy is None:
        raise BundleError(complaints)
    return policy


def _checked(gathered: Callable[[], Family], run_case: RunCase) -> Checked:
    try:
        checking = _Checking(gathered(), run_case)
    except BundleError as error:
        return None, tuple(error.complaints)
    for name in checking.family.upwards(OWN):
        checking.check(name)
    return checking.policy, tuple(sorted(set(checking.complaints)))


@dataclass
class _Checking:
    """Checks every file of a bundle, each after what it extends."""

    family: Family
    run_case: RunCase
    complaints: list[Complaint] = field(default_factory=list)
    policy: Policy | None = None
    """That of the file that was checked last."""
    compiled: dict[str, Compiled] = field(default_factory=dict)

    def check(self, name: str) -> None:
        """Check one file. Its tests run against itself and what it extends."""
        merged = merge(self.family, name)
        own = self.family.sheets[name].bundle
        self.compiled[name] = compile_file(own, merged.bundle.variables)
        rules = self._rules(merged)
        remarks = [*merged.remarks, *lint(merged.bundle, rules)]
        found = [merged.own(one) for one in remarks]
        found += map(merged.sheet.complaint, self.compiled[name].remarks)
        self.complaints += [one for one in found if one is not None]
        self.policy = None
        if not self.complaints:
            self._build(merged, rules)

    def _build(self, merged: Merged, rules: tuple[CompiledRule, ...]) -> None:
        try:
            policy = Policy(merged.bundle, self.family.digest(merged.name), rules)
        except PolicyError as error:
            self.complaints.append(merged.sheet.complaint(Remark((), "policy", str(error))))
            return
        self.complaints += map(merged.sheet.complaint, failed_tests(policy, self.run_case))
        self.policy = None if self.complaints else policy

    def _rules(self, merged: Merged) -> tuple[CompiledRule, ...]:
        """Every rule of the merged bundle that compiles, with the variables of its own file."""
        found = []
        for rule, origin in zip(merged.bundle.rules, merged.origins, strict=True):
            compiled = self.compiled[origin.name].rules.get(rule.id)
            if compiled is not None:
                found.append(CompiledRule(rule, compiled.when, compiled.where, compiled.reads))
        return tuple(found)


def failed_tests(policy: Policy, run_case: RunCase) -> tuple[Remark, ...]:
    """Return one remark for each of the bundle's tests that fails."""
    trials = try_tests((OwnTest(policy, one) for one in policy.bundle.tests), run_case)
    return tuple(
        Remark(("tests", index), "failed-test", one.complaint)
        for index, one in enumerate(trials)
        if not one.passed
    )
