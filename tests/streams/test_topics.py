"""The table of topics, and that a cluster that differs from it is refused."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from enforcers.administration import grants, votes
from enforcers.contract.grant import MAX_GRANT_DAYS
from enforcers.errors import BrokerError
from enforcers.policy.bundle import ApprovalTerms
from streams.broker import EmbeddedBroker
from streams.topics import (
    ACTIONS,
    ACTIONS_PARTITIONS,
    APPROVALS,
    CONTROL_TOPICS,
    CONTROLS,
    FINDINGS,
    GRANTS,
    HISTORY,
    TOPICS,
    Topic,
    create_topics,
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"partitions": 9}, "partitions 8, needed is 9"),
        ({"timestamp_type": "CreateTime"}, "message.timestamp.type LogAppendTime, needed"),
        ({"cleanup": "compact"}, "cleanup.policy delete, needed is compact"),
    ],
)
async def test_a_topic_that_differs_is_refused(
    broker: EmbeddedBroker, change: dict[str, object], message: str
) -> None:
    actions = replace(ACTIONS, name="differs.actions")
    await create_topics(broker.bootstrap, [actions])
    with pytest.raises(BrokerError, match=message):
        await create_topics(broker.bootstrap, [replace(actions, **change)])  # type: ignore[arg-type]


async def test_a_topic_whose_records_would_end_is_refused_where_they_hold_for_ever(
    broker: EmbeddedBroker,
) -> None:
    short = replace(CONTROLS, name="short.controls", retention_ms=86_400_000)
    await create_topics(broker.bootstrap, [short])
    with pytest.raises(BrokerError, match=r"retention\.ms 86400000, needed is -1"):
        await create_topics(broker.bootstrap, [replace(CONTROLS, name="short.controls")])


async def test_how_long_work_is_kept_is_the_operators_choice(broker: EmbeddedBroker) -> None:
    longer = replace(FINDINGS, name="longer.findings", retention_ms=None)
    await create_topics(broker.bootstrap, [longer])
    await create_topics(broker.bootstrap, [replace(FINDINGS, name="longer.findings")])


async def test_a_topic_whose_producers_choose_a_codec_is_refused(broker: EmbeddedBroker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("packed.findings", 1, 1)])
    await admin.close()
    with pytest.raises(BrokerError, match=r"compression\.type producer, needed is uncompressed"):
        await create_topics(broker.bootstrap, [replace(FINDINGS, name="packed.findings")])


async def test_a_name_that_kafka_refuses_is_said(broker: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match="kafka refused topic a b"):
        await create_topics(broker.bootstrap, [replace(FINDINGS, name="a b")])


async def test_without_a_broker_the_error_says_what_to_check() -> None:
    with pytest.raises(BrokerError, match="check that the broker runs"):
        await create_topics("127.0.0.1:1")
