"""What an executor is told where Kafka cannot be reached."""

from __future__ import annotations

import gc
import logging

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)

from enforcers.errors import BrokerError
from streams.replies import KafkaVerdictChannel, _why

REASONS = [
    (TimeoutError(), "no answer"),
    (KafkaConnectionError("Unable to bootstrap from [('h', 1, <AddressFamily.AF_INET: 2>)]"), "no answer"),
    (OSError(24, "Too many open files"), "too many open files"),
    (TopicAuthorizationFailedError(), "returned by the broker when the client is not authorized to access the requested topic"),
    (KafkaTimeoutError(), "KafkaTimeoutError"),
    (KafkaError("odd"), "KafkaError: odd"),
    (KeyError("odd"), "KeyError: odd"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "said"), REASONS, ids=lambda one: type(one).__name__)
def test_an_error_of_the_client_is_said_in_words(error: Exception, said: str) -> None:
    assert _why(error) == said


async def test_a_server_that_does_not_answer_is_named_with_the_setting() -> None:
    with pytest.raises(BrokerError) as caught:
        await KafkaVerdictChannel("127.0.0.1:1", "executor-1").open(print, print)
    assert str(caught.value) == (
        "kafka at 127.0.0.1:1 cannot be reached: no answer; start it, or correct the setting"
        " `bootstrap` (SLUICEGATE_BOOTSTRAP)"
    )


async def test_whatever_keeps_it_from_opening_no_client_is_left_open(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(channel: KafkaVerdictChannel) -> None:
        channel._actions = channel._producer()
        raise OverflowError("port must be 0-65535")

    monkeypatch.setattr(KafkaVerdictChannel, "_connect", connect)
    channel = KafkaVerdictChannel("127.0.0.1:1", "executor-1")
    with caplog.at_level(logging.WARNING), pytest.raises(OverflowError):
        await channel.open(print, print)
    gc.collect()
    assert (channel._actions, caplog.text) == (None, "")
