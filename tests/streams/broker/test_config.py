"""What Kafka is told."""

from pathlib import Path

import pytest

from streams.broker.config import Ports, new_cluster_id, server_properties, write_properties


def test_every_listener_is_on_the_loopback_address() -> None:
    settings = server_properties(Ports(20_001, 20_002), Path("/data"))
    listeners = [*settings["listeners"].split(","), settings["advertised.listeners"]]
    assert all("//127.0.0.1:" in listener for listener in listeners)


def test_a_cluster_id_never_looks_like_an_option() -> None:
    made = [new_cluster_id() for _ in range(500)]
    assert {len(text) for text in made} == {22}
    assert not any(text.startswith("-") for text in made)


@pytest.mark.parametrize(
    ("value", "written"), [("a b", "a b"), ("a\\b", "a\\\\b"), ("é", "\\u00e9"), ("a\nb", "a\\nb")]
)
def test_values_are_escaped_as_java_reads_them(tmp_path: Path, value: str, written: str) -> None:
    write_properties(tmp_path / "p", {"k": value})
    assert (tmp_path / "p").read_text() == f"k={written}\n"
