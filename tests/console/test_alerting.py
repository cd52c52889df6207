"""Endpoints of alerts in the settings: what is refused before anything starts, and that no secret is ever shown."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from console import stack
from console.alert_settings import AlertSettings
from console.alerting import answering, endpoints_of
from console.processes import Child
from console.settings import Settings
from console.stack import running_stack
from enforcers.errors import BrokerError, SettingsError

Sluicegate = Callable[..., Result]
SECRET = "0123456789abcdef0123456789abcdef"
HOOK = 'form = "webhook"\nurl = "https://chat.example/in"\nkey_variable = "HOOK_KEY"'
PAGER = 'form = "alertmanager"\nurl = "https://pager.example"'


@pytest.fixture
def load(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """Settings with one endpoint `one`."""
    monkeypatch.setenv("HOOK_KEY", SECRET)

    def settings(text: str) -> Settings:
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "sluicegate.toml").write_text(f"[alerts.one]\n{text}\n" if text else "")
        return Settings.load()

    return settings


Load = Callable[[str], Settings]


def test_endpoints_are_made_with_their_secrets(load: Load, home: Path) -> None:
    (hook,) = endpoints_of(load(f"{HOOK}\nmessages = false\ninterval_s = 5"))
    assert (hook.name, hook.form, hook.url) == ("one", "webhook", "https://chat.example/in")
    assert (hook.messages, hook.interval_s, hook.token) == (False, 5, None)
    assert hook.key is not None
    assert hook.key() == SECRET.encode()
    token = home / "token"
    token.write_text("first\n")
    token.chmod(0o600)
    (pager,) = endpoints_of(load(f'{PAGER}\ntoken_file = "token"'))
    assert pager.token is not None
    assert (pager.token(), pager.key) == ("first", None)
    token.write_text("second")
    assert pager.token() == "second"


def test_the_page_names_every_key_and_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerting.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", page, re.M)
    told = {name: said for cell, said in rows for name in re.findall(r"`(\w+)`", cell)}
    for name, field in AlertSettings.model_fields.items():
        default = {True: "`true`", 60.0: "`60`"}.get(field.default)
        assert default is None or told[name] == default
        assert name in told


def test_an_address_can_come_from_the_environment(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", f"https://chat.example/{SECRET}")
    (hook,) = endpoints_of(load(HOOK.replace('url = "https://chat.example/in"', 'url_variable = "CHAT"')))  # fmt: skip
    assert (hook.url, hook.shown) == (f"https://chat.example/{SECRET}", "https://chat.example")


def _with(address: str, more: str = "") -> str:
    return f'form = "alertmanager"\nurl = "{address}"\n{more}'


TOKEN = 'token_variable = "HOOK_KEY"'
REFUSED = {
    "another form": (_with("https://a").replace("alertmanager", "email"), "input should be 'alertmanager' or 'webhook'"),
    "an unknown key": (f"{PAGER}\nurls = 1", "unknown key `urls` in [alerts.one]"),
    "no address": ('form = "alertmanager"', "either `url` or `url_variable`"),
    "two addresses": (f'{PAGER}\nurl_variable = "CHAT"', "either `url` or `url_variable`"),
    "a webhook without a key": ('form = "webhook"\nurl = "https://a"', "either `key_file` or `key_variable`"),
    "two tokens": (f'{PAGER}\n{TOKEN}\ntoken_file = "t"', "one token"),
    "an alertmanager with a key": (f'{PAGER}\nkey_variable = "HOOK_KEY"', "an alertmanager has neither"),
    "no time": (f"{PAGER}\ninterval_s = 0", "greater than or equal to 1"),
    "another scheme": (_with("ftp://a.example"), "does not begin with https://"),
    "no host": (_with("https:///x"), "does not begin with https://"),
    "a space": (_with("https://a.example/ b"), "does not begin with https://"),
    "a line break": (_with("https://a.example/\\nHost: b"), "does not begin with https://"),
    "a port that is none": (_with("https://a.example:99999"), "is no address"),
    "a password": (_with("https://u:p@a.example"), "holds a user or a password"),
    "a fragment": (_with("https://a.example/#x"), "has a part after #"),
    "a token in the clear": (_with("http://a.example", TOKEN), "in the clear"),
    "a variable that is not set": (_with("https://a.example", 'token_variable = "NOT_SET"'), "names `NOT_SET`, which is not set"),
    "a file that is not there": (_with("https://a.example", 'token_file = "gone"'), "`token_file` of [alerts.one] cannot be read"),
    "an open file": (_with("https://a.example", 'token_file = "open"'), "is open to other users; run `chmod 600"),
    "an empty file": (_with("https://a.example", 'token_file = "empty"'), "is empty; write the secret"),
    "a token of two lines": (_with("https://a.example", 'token_file = "lines"'), "holds a space or a letter that is none"),
    "a short key": ('form = "webhook"\nurl = "https://a"\nkey_file = "short"', "key of [alerts.one]: key has 5 bytes"),
    "a ca that is none": (_with("https://a.example", 'ca_file = "lines"'), "holds no certificates"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_be_told_is_refused_in_one_line(name: str, load: Load, home: Path) -> None:
    text, why = REFUSED[name]
    home.mkdir(mode=0o700, exist_ok=True)
    files = {"open": SECRET, "empty": "", "lines": f"a\r\nX: {SECRET}", "short": "short"}
    for file, content in files.items():
        (home / file).write_text(content)
        (home / file).chmod(0o644 if file == "open" else 0o600)
    with pytest.raises(SettingsError) as caught:
        endpoints_of(load(text))
    assert why in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_name_of_an_endpoint_is_part_of_a_groups_name(home: Path, load: Load) -> None:
    home.mkdir(mode=0o700)
    (home / "sluicegate.toml").write_text(f'[alerts."a b"]\n{PAGER}\n')
    with pytest.raises(SettingsError, match=r"setting `alerts\.a b"):
        Settings.load()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9093", "http://[::1]:9093", "http://localhost:9093"]
)
def test_a_token_may_go_to_this_machine_in_the_clear(url: str, load: Load) -> None:
    assert len(endpoints_of(load(_with(url, TOKEN)))) == 1


def test_doctor_shows_no_address_and_no_secret(
    load: Load, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Settings) -> str:
        raise BrokerError("nobody answers; start it")

    monkeypatch.setattr("console.checks.CHECKS", (("broker", away),))
    load(f"{HOOK.replace('/in', f'/{SECRET}')}\n{TOKEN}")
    table, plain = sluicegate("doctor"), sluicegate("doctor", "--json")
    assert "HOOK_KEY" in plain.stdout
    assert "alertmanager" not in table.output
    assert SECRET not in table.output + plain.output
    assert SECRET[:8] not in table.output


class _Answer(http.server.BaseHTTPRequestHandler):
    """Knows an Alertmanager's status, and nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/v2/status" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pager() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_doctor_asks_whether_they_answer(load: Load, pager: str) -> None:
    assert answering(load("")) == "none declared; nobody is told of findings and denials"
    assert answering(load(_with(pager))) == "1 answer"
    with pytest.raises(
        BrokerError, match=r"1 of 1 take no alerts: `one`, .* answered 404; mend it"
    ):
        answering(load(_with(f"{pager}/elsewhere")))
    with pytest.raises(BrokerError, match=r"`one`, it cannot be reached"):
        answering(load(_with("http://127.0.0.1:1")))


@pytest.mark.parametrize(("text", "names"), [("", ["judge", "archiver"]), (PAGER, ["judge", "archiver", "alerter"])])  # fmt: skip
def test_an_alerter_is_started_where_somebody_is_to_be_told(
    text: str, names: list[str], load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def created(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(Child, "start", lambda self: None)
    monkeypatch.setattr("streams.topic_making.create_topics", created)
    monkeypatch.setattr(stack, "_await_servers", lambda _: None)
    load(text)
    with running_stack(Settings.load({"bootstrap": "127.0.0.1:1"})) as started:
        assert [child.name for child in started.children] == names


def test_nobody_to_tell_is_said(load: Load, sluicegate: Sluicegate) -> None:
    load("")
    result = sluicegate("up", "--role", "alerter", "--bootstrap", "127.0.0.1:1")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "declare [alerts.NAME]" in result.stderr


def test_up_refuses_an_endpoint_that_cannot_be_told_before_anything_starts(
    load: Load, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("")
    assert sluicegate("keys", "init").exit_code == 0
    monkeypatch.delenv("HOOK_KEY")
    load(HOOK)
    monkeypatch.setattr("console.cli.up.running_stack", lambda _: pytest.fail("was started"))
    result = sluicegate("up")
    assert result.exit_code == 2
    assert "names `HOOK_KEY`, which is not set" in result.stderr


def test_the_environment_can_declare_an_endpoint(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_ALERTS", json.dumps({"one": {"form": "alertmanager", "url": "https://a"}}))  # fmt: skip
    assert [one.form for one in endpoints_of(Settings.load())] == ["alertmanager"]
    relative = {"one": {"form": "alertmanager", "url": "https://a", "token_file": "t"}}
    monkeypatch.setenv("SLUICEGATE_ALERTS", json.dumps(relative))
    with pytest.raises(SettingsError, match="SLUICEGATE_ALERTS is the relative path `t`"):
        Settings.load()
