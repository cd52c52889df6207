"""Holds events against the schemas that others publish; every fault by its place."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[2] / "cases" / "schemas"
OTHER = 99
WHOLE = ("integer_t", "long_t")
"""OCSF's types of whole numbers; types name them as their own type's type."""


@cache
def ocsf() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / "ocsf" / "1.8.0.json").read_text("utf-8"))
    return found


@cache
def ecs() -> dict[str, dict[str, str]]:
    with (SCHEMAS / "ecs" / "fields.csv").open(encoding="utf-8") as file:
        return {row["field"]: row for row in csv.DictReader(file)}


@cache
def cloudevents() -> dict[str, Any]:
    path = SCHEMAS / "cloudevents" / "cloudevents.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


# ---- OCSF -----------------------------------------------------------------------------------------------


def ocsf_faults(event: dict[str, Any]) -> list[str]:
    """What an event of OCSF does not keep to."""
    known = {one["uid"]: one for one in ocsf()["classes"].values()}
    if event.get("class_uid") not in known:
        return [f"class_uid: {event.get('class_uid')}"]
    schema = known[event["class_uid"]]
    profiles = event.get("metadata", {}).get("profiles", [])
    faults = [f"metadata.profiles: {one}" for one in set(profiles) - set(schema["profiles"])]
    if event.get("category_uid") != schema["category_uid"]:
        faults.append("category_uid")
    if event.get("type_uid") != schema["uid"] * 100 + event.get("activity_id", -1):
        faults.append("type_uid")
    if event.get("metadata", {}).get("version") != ocsf()["version"]:
        faults.append("metadata.version")
    return [*faults, *_object("", schema, event, frozenset(profiles))]


def _object(at: str, schema: dict[str, Any], found: Any, profiles: frozenset[str]) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{at}: no object"
        return
    known = {
        name: one
        for name, one in schema["attributes"].items()
        if not one.get("profiles") or profiles & set(one["profiles"])
    }
    for name in found.keys() - known.keys():
        yield f"{at}{name}: unknown"
    for name, one in known.items():
        if name in found:
            yield from _attribute(f"{at}{name}", one, found[name], profiles)
            yield from _sibling(f"{at}{name}", one, found, found[name])
        elif one.get("requirement") == "required":
            yield f"{at}{name}: missing"
    for kind, names in schema["constraints"].items():
        count = len(found.keys() & set(names))
        if count == 0 or (kind == "just_one" and count > 1):
            yield f"{at}{kind}: {names}"


def _attribute(at: str, one: dict[str, Any], found: Any, profiles: frozenset[str]) -> Iterator[str]:
    if one.get("is_array"):
        if not isinstance(found, list) or not found:
            yield f"{at}: no array with something in it"
            return
        for number, item in enumerate(found):
            yield from _attribute(f"{at}[{number}]", {**one, "is_array": False}, item, profiles)
    elif one["type"] == "object_t":
        if one["object_type"] != "object":
            yield from _object(f"{at}.", ocsf()["objects"][one["object_type"]], found, profiles)
        elif not isinstance(found, dict):
            yield f"{at}: no object"
    else:
        yield from _value(at, one, found)


def _value(at: str, one: dict[str, Any], found: Any) -> Iterator[str]:
    kind = ocsf()["types"][one["type"]]
    base = kind.get("type", one["type"])
    if not _is(base, found):
        yield f"{at}: no {base}"
    elif "regex" in kind and not re.search(kind["regex"], found):
        yield f"{at}: no {one['type']}"
    if "enum" in one and str(found) not in one["enum"]:
        yield f"{at}: {found} is not in the enum"


def _is(base: str, found: Any) -> bool:
    if base in WHOLE:
        return isinstance(found, int) and not isinstance(found, bool)
    if base == "boolean_t":
        return isinstance(found, bool)
    return base == "json_t" or (base == "string_t" and isinstance(found, str))


def _sibling(at: str, one: dict[str, Any], parent: dict[str, Any], found: Any) -> Iterator[str]:
    """The text beside a number says what the schema calls it; 99 has words of its own."""
    name = one.get("sibling")
    if not name or name not in parent or "enum" not in one:
        return
    caption = one["enum"].get(str(found))
    if found == OTHER:
        if not parent[name] or parent[name] == caption:
            yield f"{at}: {name} says nothing of its own"
    elif parent[name] != caption:
        yield f"{at}: {name} is not {caption}"


# ---- ECS ------------------------------------------------------------------------------------------------

EXPECTED = {
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user"},
    "database": {"access", "change", "info", "error"},
    "process": {"access", "change", "end", "info", "start"},
    "intrusion_detection": {"allowed", "denied", "info"},
}  # fmt: skip
"""Types that ECS expects with a category."""


def ecs_faults(event: dict[str, Any], own: str = "sluicegate") -> list[str]:
    """What an event of ECS does not keep to; fields under `own` are nobody else's business."""
    flat = dict(_flat("", {key: value for key, value in event.items() if key != own}))
    faults = [f"{name}: unknown" for name in flat.keys() - ecs().keys()]
    for name in flat.keys() & ecs().keys():
        faults += _field(name, ecs()[name], flat[name])
    faults += [f"{name}: missing" for name in ("@timestamp", "ecs.version") if name not in flat]
    expected = set[str]().union(
        *(EXPECTED.get(one, set()) for one in flat.get("event.category", ()))
    )
    faults += [f"event.type: {one}" for one in set(flat.get("event.type", ())) - expected]
    return faults


def _flat(at: str, found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(f"{at}{name}.", value)
        else:
            yield f"{at}{name}", value


def _field(name: str, field: dict[str, str], found: Any) -> Iterator[str]:
    if isinstance(found, list) != bool(field["array"]):
        yield f"{name}: {'no' if field['array'] else 'an'} array"
    for one in found if isinstance(found, list) else [found]:
        if field["type"] == "long":
            if not isinstance(one, int) or isinstance(one, bool):
                yield f"{name}: no long"
        elif not isinstance(one, str):
            yield f"{name}: no text"
        elif field["type"] == "date" and not _is_moment(one):
            yield f"{name}: no date"
        elif field["allowed"] and one not in field["allowed"].split():
            yield f"{name}: {one} is not allowed"


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


# ---- CloudEvents ----------------------------------------------------------------------------------------

JSON_TYPES = {
    "object": dict, "string": str, "number": (int, float), "array": list, "boolean": bool,
    "null": type(None),
}  # fmt: skip
URI_REFERENCE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def cloudevents_faults(event: dict[str, Any]) -> list[str]:
    """What an event of CloudEvents does not keep to: its JSON schema, and the names of its extensions."""
    schema = cloudevents()
    faults = [f"{name}: missing" for name in schema["required"] if name not in event]
    for name, value in event.items():
        if name not in schema["properties"]:
            if not re.fullmatch(r"[a-z0-9]{1,20}", name) or not isinstance(value, str):
                faults.append(f"{name}: no extension")
            continue
        reference = schema["properties"][name]["$ref"].rpartition("/")[2]
        faults += _keeps(name, schema["definitions"][reference], value)
    if "data" in event and "data_base64" in event:
        faults.append("data: twice")
    return faults


def _keeps(name: str, kind: dict[str, Any], value: Any) -> Iterator[str]:
    names = [kind["type"]] if isinstance(kind["type"], str) else kind["type"]
    if not isinstance(value, tuple(JSON_TYPES[one] for one in names)):  # type: ignore[arg-type]
        yield f"{name}: no {' or '.join(names)}"
    elif isinstance(value, str):
        if len(value) < kind.get("minLength", 0):
            yield f"{name}: too short"
        if kind.get("format") == "uri-reference" and not URI_REFERENCE.fullmatch(value):
            yield f"{name}: no uri-reference"
        if kind.get("format") == "date-time" and not _is_moment(value):
            yield f"{name}: no date-time"
