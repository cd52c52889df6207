"""The table of topics, and that a cluster that differs from it is refused."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from enforcers.administration import grants, votes
from enforcers.contract.grant import MAX_GRANT_DAYS
from enforcers.errors import BrokerError
from enforcers.policy.bundle import ApprovalTerms
from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topic_settings import fits, needed_of
from streams.topics import (
    ACTIONS,
    ACTIONS_PARTITIONS,
    APPROVALS,
    CONTROL_TOPICS,
    CONTROLS,
    FINDINGS,
    GRANTS,
    HISTORY,
    OUTCOMES,
    POLICIES,
    TOPICS,
    Topic,
    in_zone,
)
from streams.topics_page import topics_page

ROOT = Path(__file__).parents[2]


def test_names_are_unique() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS) == 14


def test_history_is_co_partitioned_with_actions() -> None:
    assert ACTIONS.partitions == HISTORY.partitions == ACTIONS_PARTITIONS == 8


def test_actions_are_stamped_by_the_broker() -> None:
    assert ACTIONS.timestamp_type == "LogAppendTime"


def test_only_what_holds_a_state_is_compacted() -> None:
    compacted = {topic.name for topic in TOPICS if topic.cleanup == "compact"}
    assert compacted == {"history"}


def test_what_administrators_write_is_stamped_by_the_broker_and_never_compacted() -> None:
    """Decision 8: who can write to Kafka could otherwise let compaction remove a revocation."""
    assert {topic.name for topic in CONTROL_TOPICS} == {
        topic.name for topic in TOPICS if "every judge" in topic.readers
    }
    for topic in CONTROL_TOPICS:
        assert (topic.cleanup, topic.timestamp_type) == ("delete", "LogAppendTime")
        assert topic.partitions == 1


def test_what_holds_until_it_is_changed_is_kept_for_ever() -> None:
    kept = {topic.name for topic in CONTROL_TOPICS if topic.retention_ms is None}
    assert kept == {"principals", "controls", "policies"}


def test_judges_look_back_further_than_anything_holds_and_not_further_than_it_is_kept() -> None:
    assert grants.KNOWN_FOR > grants.LONGEST_LIFE == timedelta(days=MAX_GRANT_DAYS)
    for topic, known in ((GRANTS, grants.KNOWN_FOR), (APPROVALS, votes.KNOWN_FOR)):
        assert topic.looks_back_ms is not None
        assert topic.retention_ms is not None
        assert known <= timedelta(milliseconds=topic.looks_back_ms)
        assert topic.looks_back_ms < topic.retention_ms
    # The longest time that a rule may leave people to vote.
    longest = ApprovalTerms.model_fields["minutes"].metadata[1].le
    assert timedelta(minutes=longest) < votes.KNOWN_FOR


def test_a_topic_is_reserved_exactly_where_no_code_names_it() -> None:
    """But the archiver, which names none and copies every one."""
    code = "".join(
        path.read_text("utf-8")
        for package in ("streams", "analytics", "enforcers", "console")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "topics.py"
    )
    imports = " ".join(re.findall(r"^from streams\.topics import (\([^)]*\)|.*)", code, re.M))
    named = {topic.name for topic in TOPICS if constant(topic) in re.findall(r"\w+", imports)}
    assert {topic.name for topic in TOPICS if not topic.reserved} == named
    assert all("archiver" in topic.readers for topic in TOPICS)


def constant(topic: Topic) -> str:
    """The name of a topic in the code."""
    return topic.name.upper().replace("-", "_")


def test_a_zone_prefixes_every_name() -> None:
    assert {topic.name for topic in in_zone("pay")} == {f"pay.{topic.name}" for topic in TOPICS}
    assert in_zone("") == TOPICS


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    assert page == topics_page(), "run `make docs`"


async def test_topics_are_made_once_and_again(broker: EmbeddedBroker) -> None:
    topics = in_zone("twice")
    await create_topics(broker.bootstrap, topics)
    await create_topics(broker.bootstrap, topics)


# --- topics that exist -----------------------------------------------------------------------------------


OLD = (
    (ACTIONS, {"timestamp_type": "CreateTime"}, "message.timestamp.type"),
    (HISTORY, {"timestamp_type": "CreateTime"}, "message.timestamp.type"),
    (OUTCOMES, {"timestamp_type": "CreateTime"}, "message.timestamp.type"),
    (HISTORY, {"cleanup": "delete"}, "cleanup.policy"),
    (CONTROLS, {"cleanup": "compact"}, "cleanup.policy"),
    (POLICIES, {"max_bytes": 100_000}, "max.message.bytes"),
    (CONTROLS, {"retention_ms": 86_400_000}, "retention.ms"),
    (GRANTS, {"retention_ms": (GRANTS.looks_back_ms or 0) - 1}, "retention.ms"),
)
"""What an older build, or an operator, may have made: a topic, how it differs, and the setting that does."""


async def settings_of(bootstrap: str, name: str) -> dict[str, str]:
    """All settings of a topic, as Kafka has them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        ((_, _, _, _, entries),) = answer.resources
        return {entry[0]: entry[1] for entry in entries}
    finally:
        await admin.close()


async def made(bootstrap: str, topic: Topic, settings: dict[str, str]) -> None:
    """A topic with these settings, and no others of ours."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic.name, topic.partitions, 1, None, settings)])
    await admin.close()


async def old(bootstrap: str, topic: Topic, changes: dict[str, Any]) -> tuple[Topic, Topic]:
    """A topic of a name of its own as the table has it, and as it was made."""
    wanted = replace(topic, name=f"{uuid.uuid4().hex[:12]}.{topic.name}")
    found = replace(wanted, **changes)
    await made(bootstrap, found, found.settings())
    return wanted, found


@pytest.mark.parametrize(("topic", "changes", "setting"), OLD)
async def test_a_topic_that_differs_is_refused_and_never_altered_where_the_broker_is_not_ours(
    broker: EmbeddedBroker, topic: Topic, changes: dict[str, Any], setting: str
) -> None:
    wanted, found = await old(broker.bootstrap, topic, changes)
    has, needs = found.settings()[setting], wanted.settings()[setting]
    with pytest.raises(BrokerError) as error:
        await create_topics(broker.bootstrap, [wanted])
    said = str(error.value)
    assert f"topic {wanted.name} exists with {setting} {has}, needed is {needs}: run " in said
    assert f"--entity-name {wanted.name} --add-config {setting}={needs}`, or use" in said
    assert (await settings_of(broker.bootstrap, wanted.name))[setting] == has


@pytest.mark.parametrize(("topic", "changes", "setting"), OLD)
async def test_a_topic_that_differs_is_altered_and_said_where_the_broker_is_ours(
    broker: EmbeddedBroker,
    topic: Topic,
    changes: dict[str, Any],
    setting: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wanted, found = await old(broker.bootstrap, topic, changes)
    await create_topics(broker.bootstrap, [wanted], ours=True)
    assert wanted.settings().items() <= (await settings_of(broker.bootstrap, wanted.name)).items()
    assert f"topic {wanted.name} had {setting} {found.settings()[setting]}, and has" in caplog.text
    caplog.clear()
    await create_topics(broker.bootstrap, [wanted], ours=True)
    assert caplog.text == ""


async def test_all_that_differs_is_said_at_once(broker: EmbeddedBroker) -> None:
    names = [f"{uuid.uuid4().hex[:12]}.controls" for _ in range(3)]
    for name in names:
        await made(broker.bootstrap, replace(CONTROLS, name=name), {"retention.bytes": "1000"})
    with pytest.raises(BrokerError) as error:
        await create_topics(broker.bootstrap, [replace(CONTROLS, name=name) for name in names])
    said = str(error.value)
    for difference in (
        "compression.type producer, needed is uncompressed",
        "message.timestamp.type CreateTime, needed is LogAppendTime",
        "retention.ms 604800000, needed is -1",
        "retention.bytes 1000, needed is -1",
    ):
        assert difference in said
    assert "(2 more topics differ)" in said


async def test_what_is_altered_keeps_what_the_operator_chose(broker: EmbeddedBroker) -> None:
    name = f"{uuid.uuid4().hex[:12]}.findings"
    chosen = {"retention.ms": "1234567", "segment.bytes": "2000000"}
    await made(broker.bootstrap, replace(FINDINGS, name=name), chosen)
    await create_topics(broker.bootstrap, [replace(FINDINGS, name=name)], ours=True)
    found = await settings_of(broker.bootstrap, name)
    assert found["compression.type"] == "uncompressed"
    assert chosen.items() <= found.items()


@pytest.mark.parametrize("ours", [False, True])
async def test_another_number_of_partitions_is_refused_whoever_made_it(
    broker: EmbeddedBroker, ours: bool
) -> None:
    """More of them would move principals away from what is known of them."""
    wanted, _ = await old(broker.bootstrap, ACTIONS, {"partitions": 4})
    with pytest.raises(BrokerError, match="partitions 4, needed is 8: use another zone, or delete"):
        await create_topics(broker.bootstrap, [wanted], ours=ours)


async def test_what_kafka_does_not_alter_is_said(broker: EmbeddedBroker) -> None:
    wanted, _ = await old(broker.bootstrap, GRANTS, {"retention_ms": 1})
    impossible = replace(wanted, retention_ms=-7)
    with pytest.raises(BrokerError, match=rf"kafka refused to alter topic {wanted.name}: .*-7"):
        await create_topics(broker.bootstrap, [impossible], ours=True)


@pytest.mark.parametrize(
    ("topic", "setting", "found"),
    [
        (FINDINGS, "max.message.bytes", "1048588"),
        (GRANTS, "retention.ms", "-1"),
        (GRANTS, "retention.ms", str(GRANTS.looks_back_ms)),
    ],
)
def test_what_holds_more_or_is_kept_longer_fits(topic: Topic, setting: str, found: str) -> None:
    assert fits(topic, setting, found)
    assert not fits(topic, setting, "unknown")


def test_how_long_work_is_kept_is_the_operators_choice() -> None:
    chosen = {one.name for one in TOPICS if "retention.ms" not in needed_of(one)}
    assert chosen == {one.name for one in TOPICS} - {
        "history",
        *(one.name for one in CONTROL_TOPICS),
    }
    assert all("retention.bytes" in needed_of(one) for one in CONTROL_TOPICS)


async def test_a_name_that_kafka_refuses_is_said(broker: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match="kafka refused topic a b"):
        await create_topics(broker.bootstrap, [replace(FINDINGS, name="a b")])


async def test_without_a_broker_the_error_says_what_to_check() -> None:
    with pytest.raises(BrokerError, match="check that the broker runs"):
        await create_topics("127.0.0.1:1")
