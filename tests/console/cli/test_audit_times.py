"""Times that no calendar has, in records that anybody could write: they are told without them, and hide nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from tests.console.cli.archived import Scene

Sluicegate = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("one_session")
NO_TIMES = ["infinity", "-infinity", "12026-01-01T00:00:00Z"]
TOLD_BY = [
    ("action", "{}"),
    ("session", "s-1"),
    ("who-changed", "users"),
    ("exceptions",),
    ("population",),
]


@pytest.fixture(params=NO_TIMES)
def told(request: pytest.FixtureRequest) -> str:
    """The id of an action that was proposed, allowed and reported at no time."""
    scene = Scene()
    asked = scene.done()
    for at, (topic, key, headers, value) in enumerate(scene.raw):
        body = json.loads(value)
        body |= {name: request.param for name in ("issued_at", "finished_at") if name in body}
        scene.raw[at] = topic, key, headers, json.dumps(body).encode()
    scene.store(signed=True)
    return str(asked.id)


def test_an_action_without_a_time_is_told_by_every_command(
    told: str, sluicegate: Sluicegate
) -> None:
    for command in TOLD_BY:
        wanted = [word.format(told) for word in command]
        text, body = sluicegate("audit", *wanted), sluicegate("audit", *wanted, "--json")
        assert (text.exit_code, body.exit_code) == (0, 0), command
        assert json.loads(body.stdout), command
    assert sluicegate("audit", "verify").exit_code == 0
