"""Locks, compose file and Dockerfile agree with the code; none of them names a host or a folder."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.broker.choose import docker_environment
from streams.broker.config import COMMON, IMAGE, NODE_ID
from streams.broker.jars import KAFKA_VERSION
from streams.topics import TOPICS

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
KAFKA: dict[str, str] = COMPOSE["services"]["kafka"]["environment"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.M))


def plain(name: str) -> str:
    return re.split(r"[\s<>=~!\[;]", name)[0].lower().replace("_", "-")


def ports(listeners: str) -> dict[str, int]:
    pairs = (listener.split("://") for listener in listeners.split(","))
    return {name: int(address.rpartition(":")[2]) for name, address in pairs}


@pytest.mark.parametrize(
    "lock", [*LOCKS, ROOT / "streams/broker/jars.lock"], ids=lambda path: path.name
)
def test_a_lock_names_no_host_and_no_folder(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(
        r"--(index-url|extra-index-url|find-links|trusted-host)|^\s*[-.]?/", text, re.M
    )


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_a_hash(lock: Path) -> None:
    entries = re.split(r"^(?=[\w])", lock.read_text("utf-8"), flags=re.M)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_dependency_of_the_project_is_locked() -> None:
    wanted = {plain(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert wanted <= {plain(name) for name in pins("runtime")}


def test_the_project_and_the_lock_ask_for_the_same() -> None:
    asked = (ROOT / "requirements/runtime.in").read_text("utf-8").split()
    assert sorted(asked) == sorted(PROJECT["project"]["dependencies"])


def test_the_locks_agree_with_each_other() -> None:
    tools = pins("dev")
    for name in ("runtime", "build"):
        assert pins(name).items() <= tools.items()


def test_the_build_backend_is_locked() -> None:
    assert PROJECT["build-system"]["requires"] == [f"setuptools=={pins('build')['setuptools']}"]


def test_compose_runs_the_same_kafka_as_the_embedded_broker() -> None:
    assert COMPOSE["services"]["kafka"]["image"] == IMAGE == f"apache/kafka:{KAFKA_VERSION}"


def test_compose_gives_kafka_the_settings_of_the_embedded_broker() -> None:
    wanted = {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in COMMON.items()}
    assert wanted.items() <= KAFKA.items()


def test_testcontainers_gives_kafka_the_settings_of_the_embedded_broker() -> None:
    wanted = {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in COMMON.items()}
    given = docker_environment(20_001)
    assert wanted.items() <= given.items()
    assert given["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:20001"


def test_compose_ports_agree_with_one_another() -> None:
    listening, advertised = (
        ports(KAFKA["KAFKA_LISTENERS"]),
        ports(KAFKA["KAFKA_ADVERTISED_LISTENERS"]),
    )
    assert advertised == {name: port for name, port in listening.items() if name != "CONTROLLER"}
    assert KAFKA["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"{NODE_ID}@kafka:{listening['CONTROLLER']}"
    host = listening["HOST"]
    assert COMPOSE["services"]["kafka"]["ports"] == [f"127.0.0.1:{host}:{host}"]
    for service in ("judge", "archiver"):
        servers = COMPOSE["services"][service]["environment"]["SLUICEGATE_BOOTSTRAP"]
        assert servers == f"kafka:{listening['PLAINTEXT']}"


def test_every_listener_has_a_protocol() -> None:
    protocols = dict(p.split(":") for p in KAFKA["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert protocols.keys() == ports(KAFKA["KAFKA_LISTENERS"]).keys()


def test_every_topic_fits_the_largest_message_of_the_broker() -> None:
    assert max(topic.max_bytes for topic in TOPICS) <= int(COMMON["message.max.bytes"])


def test_compose_leaves_topics_to_the_judge() -> None:
    assert KAFKA["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert not any(topic.name in COMPOSE["services"]["kafka"]["environment"] for topic in TOPICS)


@pytest.mark.parametrize("role", ["judge", "archiver"])
def test_each_role_waits_for_kafka_and_keeps_its_state_and_keys_apart(role: str) -> None:
    service = COMPOSE["services"][role]
    assert service["command"] == ["up", "--role", role]
    assert service["depends_on"]["kafka"] == {"condition": "service_healthy"}
    state, keys = service["volumes"]
    home = re.search(r"^ENV SLUICEGATE_HOME=(\S+)$", DOCKERFILE, re.M)
    assert home
    assert state.partition(":")[0] in COMPOSE["volumes"]
    assert state.partition(":")[2] == home[1]
    assert keys == f"./keys/{role}:{home[1]}/keys:ro"


def test_the_image_installs_only_what_is_locked() -> None:
    installs = re.findall(r"^RUN pip (?:install|wheel) (.+)$", DOCKERFILE, re.M)
    assert installs
    for options in installs:
        assert "--require-hashes" in options or "--no-deps" in options
    assert 'ENTRYPOINT ["sluicegate"]' in DOCKERFILE


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)[-1] not in ("root", "0")


def test_the_image_has_a_python_that_the_project_admits() -> None:
    versions = re.findall(r"^FROM python:3\.(\d+)", DOCKERFILE, re.M)
    assert versions
    assert min(map(int, versions)) >= int(
        PROJECT["project"]["requires-python"].removeprefix(">=3.")
    )
