"""An explanation as lines for people, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from enforcers.contract.verdict import Obligation, Reason
from enforcers.intent.model import Effect, Flow, Resource
from enforcers.policy.diff import obligation_in_short
from enforcers.policy.examining import ConditionSeen, Held, RuleSeen
from enforcers.policy.explain import Explanation

Line = tuple[str, str]
MAX_VALUES = 10
"""Most values of one attribute, and most effects, that are shown to people; JSON has them all."""
_HELD = {True: "true", False: "false", None: "no answer"}


def explained_lines(found: Explanation) -> Iterator[Line]:
    """What is said to people, each line with what it is about."""
    who = found.facts.principal
    yield "who", f"{who.id} ({who.kind}), permissions {', '.join(who.permissions) or 'none'}"
    where = found.facts.target
    yield "where", f"{where.system} ({where.environment}){' ' * bool(where.dialect)}{where.dialect}"
    yield from _intent_lines(found)
    for seen in found.examination.rules:
        if seen.admitted:
            yield from _rule_lines(seen)
    others = [one.rule.id for one in found.examination.rules if not one.admitted]
    if others:
        yield "not matched", ", ".join(others)
    if found.examination.halted:
        yield "halted", found.examination.halted
    yield from _decision_lines(found)


def _intent_lines(found: Explanation) -> Iterator[Line]:
    view = found.examination.view
    yield "intent", " ".join(sorted(view.kinds))
    effects = [f"{index}: {_effect(effect)}" for index, effect in enumerate(view.effects)]
    flows = [f"{_resource(one.source)} -> {_resource(one.sink)}" for one in found.intent.flows]
    for what, lines in (("effect", effects), ("flow", flows)):
        for line in _shortened(lines):
            yield what, line
    for what, findings in (("opaque", view.opaque), ("inadmissible", view.inadmissible)):
        for finding in findings:
            yield what, f"{finding.code}: {finding.message}"


def _rule_lines(seen: RuleSeen) -> Iterator[Line]:
    mode = "" if seen.rule.mode.value == "enforce" else f", {seen.rule.mode.value}"
    yield "rule", f"{seen.rule.id} ({seen.rule.effect.value}{mode}): {_state(seen)}"
    for one in seen.conditions:
        held = ", ".join(_shortened([_HELD[value] for value in one.held])) or "no effect"
        yield "", f"  {one.part} {one.text}  is  {held}"
        for path, value in one.values:
            yield "", f"      {path} = {_value(value)}"


def _state(seen: RuleSeen) -> str:
    if seen.error:
        return f"gives no answer: {seen.error}"
    if seen.applies is None:
        return "not evaluated"
    if not seen.applies:
        return "does not apply"
    named = ", ".join(_shortened([str(index) for index in _indexes(seen.named)]))
    return f"applies, to effects {named}" if named else "applies"


def _decision_lines(found: Explanation) -> Iterator[Line]:
    decision = found.decision
    warned = " (would_deny)" if decision.would_deny else ""
    yield "decision", f"{decision.decision.value}{warned}, policy {decision.policy_hash[:12]}"
    for reason in decision.reasons:
        yield "because", f"{reason.rule or reason.code}: {reason.message}"
    for obligation in decision.obligations:
        yield "provided", obligation_in_short(obligation)
    if found.rewrite:
        yield "runs", found.rewrite.text
    for remedy in found.remedies:
        yield "remedy", remedy
    if found.nearest:
        yield "nearest", f"it would pass if {found.nearest.text}"
    elif found.remedies:
        yield "nearest", "no single change of circumstances lets it pass"


def _effect(effect: Effect) -> str:
    return f"{effect.verb.value} {_resource(effect.resource)}, extent {effect.extent.value}"


def _resource(resource: Resource) -> str:
    name = f"{resource.namespace}.{resource.name}" if resource.namespace else resource.name
    tags = "".join(f" #{tag}" for tag in resource.tags)
    unnamed = "".join(f" (#{tag})" for tag in resource.unnamed_tags)
    return f"{resource.type.value} {name}{tags}{unnamed}"


def _value(value: Any) -> str:
    if not isinstance(value, list):
        return repr(value) if isinstance(value, str) else str(value).lower()
    return f"[{', '.join(_shortened(list(map(_value, value))))}]"


def _shortened(texts: list[str]) -> list[str]:
    rest = len(texts) - MAX_VALUES
    return [*texts[:MAX_VALUES], f"and {rest} more"] if rest > 0 else texts


def _indexes(named: Iterable[Held]) -> list[int]:
    return [index for index, one in enumerate(named) if one]


def explained_json(found: Explanation) -> dict[str, Any]:
    """Everything, for programs."""
    decision, who, where = found.decision, found.facts.principal, found.facts.target
    return {
        "policy": decision.policy_hash,
        "principal": {"id": who.id, "kind": who.kind, "permissions": who.permissions},
        "target": {
            "system": where.system,
            "environment": where.environment,
            "catalog": where.catalog,
            "dialect": where.dialect,
        },
        "intent": _intent_json(found),
        "rules": [_rule_json(one) for one in found.examination.rules],
        "halted": found.examination.halted or None,
        "decision": decision.decision.value,
        "would_deny": decision.would_deny,
        "reasons": [_reason_json(one) for one in decision.reasons],
        "obligations": [_obligation_json(one) for one in decision.obligations],
        "asks": [one.model_dump(mode="json") for one in decision.asks],
        "rewrite": found.rewrite.text if found.rewrite else None,
        "remedies": found.remedies,
        "nearest": _nearest_json(found),
    }


def _nearest_json(found: Explanation) -> dict[str, Any] | None:
    near = found.nearest
    return {"kind": near.kind, "text": near.text, "asks": near.asks} if near else None


def _intent_json(found: Explanation) -> dict[str, Any]:
    view = found.examination.view
    return {
        "kinds": sorted(view.kinds),
        "effects": [_effect_json(one) for one in view.effects],
        "flows": [_flow_json(one) for one in found.intent.flows],
        "opaque": [{"code": one.code, "message": one.message} for one in view.opaque],
        "inadmissible": [{"code": one.code, "message": one.message} for one in view.inadmissible],
    }


def _effect_json(effect: Effect) -> dict[str, Any]:
    resource = _resource_json(effect.resource)
    return {"verb": effect.verb.value, "resource": resource, "extent": effect.extent.value}


def _flow_json(flow: Flow) -> dict[str, Any]:
    return {"source": _resource_json(flow.source), "sink": _resource_json(flow.sink)}


def _resource_json(resource: Resource) -> dict[str, Any]:
    return {
        "type": resource.type.value,
        "name": resource.name,
        "namespace": resource.namespace,
        "tags": resource.tags,
        "unnamed_tags": resource.unnamed_tags,
    }


def _rule_json(seen: RuleSeen) -> dict[str, Any]:
    return {
        "id": seen.rule.id,
        "effect": seen.rule.effect.value,
        "mode": seen.rule.mode.value,
        "matched": seen.admitted,
        "applies": seen.applies,
        "effects": _indexes(seen.named),
        "conditions": [_condition_json(one) for one in seen.conditions],
        "error": seen.error or None,
    }


def _condition_json(one: ConditionSeen) -> dict[str, Any]:
    held: Any = one.held if one.part == "where" else one.held[0]
    return {"part": one.part, "text": one.text, "held": held, "values": dict(one.values)}


def _reason_json(reason: Reason) -> dict[str, Any]:
    return reason.model_dump(mode="json", exclude_none=True)


def _obligation_json(obligation: Obligation) -> dict[str, Any]:
    return obligation.model_dump(mode="json", exclude_defaults=True)
