"""Every event keeps to the schema that others published, whatever strangers wrote; and the checks notice if not."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from analytics.exports import install
from analytics.reader import connect
from enforcers.contract.wire import TYPES
from tests.analytics.exports.filled import ENDS, PAYLOADS, VALUES, filled
from tests.analytics.exports.published import cloudevents_faults, ecs_faults, ocsf_faults
from tests.analytics.records import rows

Check = Callable[[dict[str, Any]], list[str]]
CHECKS: dict[str, Check] = {
    "ocsf": ocsf_faults,
    "ecs": ecs_faults,
    "cloudevents": cloudevents_faults,
}


Told = dict[str, list[dict[str, Any]]]
"""The events of every view, in the archive's order."""
ACTIONS = ("ocsf_datastore_activity", "ocsf_api_activity", "ocsf_process_activity")
VIEWS = {
    **dict.fromkeys((*ACTIONS, "ocsf_actions", "ocsf_detection_finding"), "ocsf"),
    "ecs_events": "ecs",
    "cloudevents": "cloudevents",
}
"""Every view with events, and the shape that they have."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    directory = tmp_path_factory.mktemp("archive")
    filled(directory)
    with connect(directory) as connection:
        install(connection)
        return {
            view: [
                json.loads(one)
                for (one,) in rows(connection, f"SELECT event FROM {view} ORDER BY seq")
            ]
            for view in VIEWS
        }


@pytest.mark.parametrize("view", VIEWS)
def test_every_event_keeps_to_the_published_schema(view: str, told: Told) -> None:
    found = told[view]
    assert len(found) >= 5
    faults = Counter(fault for one in found for fault in CHECKS[VIEWS[view]](one))
    assert faults == {}


def test_every_action_is_one_event_of_its_class(told: Told) -> None:
    kinds = Counter(one.kind for one in PAYLOADS)
    counts = {view: len(told[view]) for view in ACTIONS}
    sql, shell = kinds["sql"] * len(ENDS), kinds["shell"] * len(ENDS)
    assert counts["ocsf_datastore_activity"] == sql
    # One more is a stranger's.
    assert counts["ocsf_process_activity"] == shell + 1
    assert counts["ocsf_api_activity"] == len(PAYLOADS) * len(ENDS) - sql - shell
    assert len(told["ocsf_actions"]) == sum(counts.values())
    assert len(told["ecs_events"]) == sum(counts.values()) + len(told["ocsf_detection_finding"])


@pytest.mark.parametrize(
    ("decision", "outcome", "action", "disposition", "status"),
    [
        ("allow", "succeeded", {"Allowed", "Modified"}, {"Allowed", "Approved", "Corrected"}, "Success"),
        ("allow", "failed", {"Allowed", "Modified"}, {"Allowed", "Approved", "Corrected"}, "Failure"),
        ("deny", None, {"Denied"}, {"Blocked"}, "Failure"),
        ("require_approval", None, {"Denied"}, {"Delayed"}, "Failure"),
        (None, None, {"Unknown"}, {"Unknown"}, "Unknown"),
        (None, "no_verdict", {"Unknown"}, {"Unknown"}, "Failure"),
    ],
)  # fmt: skip
def test_the_security_control_profile_says_what_was_decided(
    decision: str | None,
    outcome: str | None,
    action: set[str],
    disposition: set[str],
    status: str,
    told: Told,
) -> None:
    found = [
        one
        for one in told["ocsf_datastore_activity"]
        if (one["unmapped"].get("decision"), one["unmapped"].get("outcome")) == (decision, outcome)
    ]
    assert found
    assert {one["action"] for one in found} <= action
    assert {one["disposition"] for one in found} <= disposition
    assert {one["status"] for one in found} == {status}


def test_an_agent_is_told_by_the_ai_operation_profile(told: Told) -> None:
    for one in told["ocsf_datastore_activity"]:
        assert one["metadata"]["profiles"] == ["security_control", "ai_operation"]
        assert one["message_context"]["ai_role"] == "Agent"
        assert one["message_context"]["name"] == one["actor"]["user"]["uid"] == "agent-7"


def test_the_text_of_an_action_arrives_letter_by_letter(
    told: Told,
) -> None:
    texts = {one["query_info"]["query_string"] for one in told["ocsf_datastore_activity"]}
    assert texts == {one.statement for one in PAYLOADS if one.kind == "sql"}


def test_a_record_is_a_cloudevent_whose_data_are_its_value(
    told: Told,
) -> None:
    found = [one for one in told["cloudevents"] if one["source"].endswith("/dead-letters")]
    as_json = {json.dumps(one["data"]) for one in found if "data" in one}
    assert as_json == {"{}", '{"a": [1, null]}', '"NaN is a text"', '{"inf\\"": "-inf"}', '{"a": 1}', "Infinity", "-1"}  # fmt: skip
    assert sum("data_base64" in one for one in found) == len(VALUES) - len(as_json) - 1
    assert found[0].keys() & {"data", "data_base64", "datacontenttype"} == set()
    every = told["cloudevents"]
    assert len({(one["source"], one["id"]) for one in every}) == len(every)
    assert {one["type"] for one in every} <= {*TYPES.values(), "io.sluicegate.record.unread.v1"}
    assert {one["source"].split("/")[2] for one in every} == {"cluster%201%2F%C3%A4"}


# ---- The checks can fail --------------------------------------------------------------------------------

Spoil = Callable[[dict[str, Any]], object]
SPOILT: list[tuple[str, str, Spoil, str]] = [
    ("ocsf", "ocsf_datastore_activity", lambda one: one.pop("actor"), "actor: missing"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one.update(surprise=1), "surprise: unknown"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one["actor"].update(extra=1), "actor.extra: unknown"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one.update(activity_id=98), "activity_id: 98 is not in the enum"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one.update(time="now"), "time: no long_t"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one.update(action="Blocked!"), "action_id: action is not"),
    ("ocsf", "ocsf_datastore_activity", lambda one: [one.pop(name, 0) for name in ("database", "table")], "at_least_one"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one["metadata"].update(profiles=[]), "action_id: unknown"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one["metadata"].update(profiles=["trace"]), "metadata.profiles: trace"),
    ("ocsf", "ocsf_datastore_activity", lambda one: one.update(type_uid=600599), "type_uid"),
    ("ocsf", "ocsf_process_activity", lambda one: one["process"].pop("uid"), "process.at_least_one"),
    ("ocsf", "ocsf_detection_finding", lambda one: one["finding_info"].update(types="x"), "finding_info.types: no array"),
    ("ocsf", "ocsf_detection_finding", lambda one: one["finding_info"].update(types=[None]), "finding_info.types[0]: no string_t"),
    ("ocsf", "ocsf_api_activity", lambda one: one["dst_endpoint"].update(ip="x"), "dst_endpoint.ip: no ip_t"),
    ("ecs", "ecs_events", lambda one: one["event"].update(kind="x"), "event.kind: x is not allowed"),
    ("ecs", "ecs_events", lambda one: one["event"].update(type=["user"]), "event.type: user"),
    ("ecs", "ecs_events", lambda one: one["event"].update(category="database"), "event.category: no array"),
    ("ecs", "ecs_events", lambda one: one.update(statement="x"), "statement: unknown"),
    ("ecs", "ecs_events", lambda one: one.update({"@timestamp": "yesterday"}), "@timestamp: no date"),
    ("ecs", "ecs_events", lambda one: one["user"].update(id=None), "user.id: no text"),
    ("cloudevents", "cloudevents", lambda one: one.pop("id"), "id: missing"),
    ("cloudevents", "cloudevents", lambda one: one.update(id=""), "id: too short"),
    ("cloudevents", "cloudevents", lambda one: one.update(source="a b"), "source: no uri-reference"),
    ("cloudevents", "cloudevents", lambda one: one.update(time="now"), "time: no date-time"),
    ("cloudevents", "cloudevents", lambda one: one.update(Own_Name="x"), "Own_Name: no extension"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "view", "spoil", "fault"), SPOILT, ids=[one[3] for one in SPOILT]
)
def test_what_does_not_keep_to_it_is_noticed(
    shape: str, view: str, spoil: Spoil, fault: str, told: Told
) -> None:
    spoilt = copy.deepcopy(told[view][0])
    spoil(spoilt)
    assert any(fault in one for one in CHECKS[shape](spoilt)), CHECKS[shape](spoilt)
