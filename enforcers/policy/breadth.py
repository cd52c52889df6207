"""
Whether a condition of a grant holds for nearly everything, in whatever words it says so.

    condition ──all but what says of `effect` alone what it is counts as held──▶ tried on effects that have nothing
                    in common ──for all of them, or most that can be done to one type of resource──▶ too wide

INVARIANT: what is narrow here is narrow in all circumstances. Who asks, when, what else the action does and what an
effect is not can only take away from what a grant covers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, product
from typing import Any, NamedTuple

from cel_expr_python import cel
from google.protobuf import any_pb2, message_factory

from enforcers.errors import PolicyError
from enforcers.intent.model import Effect, Extent, Intent, Resource, ResourceType, Verb
from enforcers.policy import tree, vocabulary
from enforcers.policy.compared import strings
from enforcers.policy.compiling import compile_expression
from enforcers.policy.messages import view_intent

MOST = len(Verb) // 2
"""More verbs than these, on resources of one type that look alike, are most of what can be done to them."""
_PANGRAM = "the.quick-brown_fox@jumps over:a_lazy_dog_0123456789_ers_ing_table_tion_data"
"""A name with every letter, so that what fits most names by a letter or two fits it."""
_NAMES = (
    ("q9", "zv", "wug", "/k", "vb-7"),
    ("dunequibs", "ost_plimber", "/qorv/a.fenda", "wrelvane", "vb-7.plumcot", "tarn_gellows", "hespwick"),
    ("abendor", "brimfel", "culdane", "frostig", "limpard", "plumcot", "snarvel"),
    ("apple_grot", "corn_bask", "finch_lup", "melk_umber", "path_noll", "rusk_eft", "user_glim"),
    tuple(f"/{_PANGRAM[at:]}{_PANGRAM[:at]}" for at in range(7)),
)  # fmt: skip
"""Short, ordinary, plain and long ones. Nothing is called so: what names real things fits none of them."""
_NAMESPACES = ("gromble", "vint_ash", "qell", "odrax")
_TAGS = (("murk",), ("pleb",), ("vost", "quin"), ("drell",), ("zaff",))
_JOINING = frozenset({"_&&_", "_||_"})
_SAYING = frozenset({"_==_", "@in", "startsWith", "endsWith", "contains", "matches"})
"""What says what something is; `_!=_` does where it is denied."""
_PLAIN = frozenset({"size", "_+_"})
"""What else may stand in that: in all others, such as `(a == b) == false`, a denial could hide."""
Group = tuple[str, int, bool]
"""Type of a resource, and what such resources look like: each look is tried by itself."""

Names = frozenset[str]
"""The effect, and the variables of the loops around."""
Keeps = Callable[[Any, bool, Names], bool]
"""Whether a part bounds the whole, which it would make hold by being so."""


class Probe(NamedTuple):
    """One effect that is tried."""

    verb: str
    activation: cel.Activation


@lru_cache(maxsize=1_024)
def too_wide(condition: str, verbs: tuple[str, ...], types: tuple[str, ...]) -> str:
    """What a condition that compiles covers too much of; empty where it is narrow. Raises PolicyError."""
    if _always(condition):
        return "every effect"
    said = _bound(condition, _says)
    for (kind, _, _), look in _looks().items():
        asked = [one.activation for one in look if not verbs or one.verb in verbs]
        if (not types or kind in types) and _holds_for_most(said, asked):
            return f"most that can be done to a {kind}"
    return ""


def _always(condition: str) -> bool:
    """Whether it holds for every effect, also for those that are called what it names."""
    ever = _bound(condition, _reads_effect)
    tried = chain(chain.from_iterable(_looks().values()), _called(condition))
    return all(_holds(ever, one.activation) for one in tried)


def _holds_for_most(bound: cel.Expression, asked: Sequence[cel.Activation]) -> bool:
    """Whether it holds for more than `MOST`; asked no further than that is open."""
    held, left = 0, len(asked)
    while held <= MOST < held + left:
        held += _holds(bound, asked[-left])
        left -= 1
    return held > MOST


def _holds(bound: cel.Expression, activation: cel.Activation) -> bool:
    try:
        value = bound.eval(activation).plain_value()
    except RuntimeError as error:
        value = str(error).splitlines()[0]
    if not isinstance(value, bool):
        raise PolicyError(
            f"the condition gives no answer ({str(value)[:200]}); write a shorter one"
        )
    return value


# --- the condition, as far as it speaks of the effect alone ------------------------------------------------


def _bound(condition: str, keeps: Keeps) -> cel.Expression:
    packed = any_pb2.Any()
    expression = compile_expression(condition, with_effect=True)
    packed.ParseFromString(expression.serialize())
    whole = tree.checked_tree(expression).root.DESCRIPTOR.file.message_types_by_name["CheckedExpr"]
    checked: Any = message_factory.GetMessageClass(whole)()
    checked.ParseFromString(packed.value)
    _widen(checked.expr, True, frozenset({"effect"}), keeps)
    packed.value = checked.SerializeToString()
    return vocabulary.environment(with_effect=True).deserialize(packed.SerializeToString())


def _widen(node: Any, held: bool, known: Names, keeps: Keeps) -> None:
    """Let each part that bounds nothing be what makes the whole hold most easily."""
    kind = tree.node_kind(node)
    function = node.call_expr.function if kind == "call_expr" else ""
    if kind == "ident_expr" and node.ident_expr.name in known:
        return
    if kind == "comprehension_expr" and _is_plain_loop(node.comprehension_expr, known):
        loop = node.comprehension_expr
        _widen(loop.loop_step, held, known | {loop.iter_var, loop.accu_var}, keeps)
    elif function in _JOINING:
        for part in node.call_expr.args:
            _widen(part, held, known, keeps)
    elif function == "!_":
        _widen(node.call_expr.args[0], not held, known, keeps)
    elif not keeps(node, held, known):
        node.const_expr.bool_value = held


def _reads_effect(node: Any, held: bool, known: Names) -> bool:
    """Whether it reads nothing but the effect."""
    parts = list(tree.nodes(node))
    loops = [one.comprehension_expr for one in parts if tree.node_kind(one) == "comprehension_expr"]
    own = {name for one in loops for name in (one.iter_var, one.accu_var)}
    read = {one.ident_expr.name for one in parts if tree.node_kind(one) == "ident_expr"}
    # What a loop calls like something else that is read as well gives no answer, and is refused for that.
    return read <= known | own


def _says(node: Any, held: bool, known: Names) -> bool:
    """Whether it says what the effect is, and nothing else."""
    function = node.call_expr.function if tree.node_kind(node) == "call_expr" else ""
    return (function in _SAYING if held else function == "_!=_") and _is_plain(node, known)


def _is_plain_loop(loop: Any, known: Names) -> bool:
    """Whether it is an `exists` or `all` over something plain."""
    step = loop.loop_step
    joins = tree.node_kind(step) == "call_expr" and step.call_expr.function in _JOINING
    return joins and _is_plain(loop.iter_range, known)


def _is_plain(node: Any, known: Names) -> bool:
    """Whether it reads nothing but the effect, and nothing in it is true or false."""
    for part in tree.nodes(node):
        kind = tree.node_kind(part)
        if kind == "comprehension_expr":
            return False
        if kind == "ident_expr" and part.ident_expr.name not in known:
            return False
        if kind == "const_expr" and part.const_expr.HasField("bool_value"):
            return False
        if kind == "call_expr" and part is not node and part.call_expr.function not in _PLAIN:
            return False
    return True


# --- effects that have nothing in common -------------------------------------------------------------------


@cache
def _looks() -> dict[Group, list[Probe]]:
    made, found = dict(_made()), defaultdict[Group, list[Probe]](list)
    view = view_intent(Intent("sql", tuple(made)))
    messages: Any = view.message
    environment = vocabulary.environment(with_effect=True)
    for effect, message in zip(view.effects, messages.effects, strict=True):
        activation = environment.Activation({"effect": message})
        found[made[effect]].append(Probe(effect.verb.value, activation))
    return found


def _called(condition: str) -> Iterator[Probe]:
    """Effects for which all free texts are what a condition compares with."""
    checked = tree.checked_tree(compile_expression(condition, with_effect=True))
    environment, verb = vocabulary.environment(with_effect=True), Verb.READ.value
    for text in filter(None, dict.fromkeys(strings(checked.root))):
        names = dict.fromkeys(("name", "base", "namespace"), text)
        message = vocabulary.new_message(
            "Effect",
            verb=verb,
            type="table",
            tags=[text],
            unnamed_tags=[text],
            extent="none",
            **names,
        )
        yield Probe(verb, environment.Activation({"effect": message}))


def _made() -> Iterator[tuple[Effect, Group]]:
    """Every verb on every type, under every sort of name, plainly and with all that can be known of it."""
    extents = tuple(Extent)
    cases = product(ResourceType, range(len(_NAMES)), (False, True), Verb)
    for number, (kind, sort, known, verb) in enumerate(cases):
        name = _NAMES[sort][number % len(_NAMES[sort])]
        tags = _TAGS[number % len(_TAGS)] if known else ()
        namespace = _NAMESPACES[number % len(_NAMESPACES)] if known else ""
        resource = Resource(kind, name, namespace, tags, tags[number % 2 :])
        yield Effect(verb, resource, extents[number % len(extents)]), (kind.value, sort, known)
