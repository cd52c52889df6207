"""The two bodies: what Alertmanager takes for one alert, and what a receiver can verify."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enforcers.contract.base import utc_now
from enforcers.contract.finding import Severity
from enforcers.errors import SettingsError
from streams.alerts.alert import Alert, Kind, Subject
from streams.alerts.endpoint import FORMS, Endpoint, request_of
from streams.alerts.webhook import key_of

NOW = utc_now()
KEY = b"0123456789abcdef0123456789abcdef"
ALERT = Alert(
    id="ab" * 16,
    zone="payments",
    subject=Subject(Kind.DENIAL, "drops_table", "agent-1", "no-drops", Severity.WARNING),
    source="judge-1",
    count=2,
    first_at=NOW - timedelta(minutes=3),
    last_at=NOW,
    messages=("drops a table", "secret words"),
    remedies=("rename it",),
    evidence=("0190", "0191"),
)
PAGE = (Path(__file__).parents[3] / "docs" / "alerting.md").read_text("utf-8")


def _endpoint(form: str, **changes: Any) -> Endpoint:
    plain = Endpoint("one", form, "https://alerts.example:9093", key=lambda: KEY)
    return replace(plain, **changes)


def _body(form: str, *alerts: Alert, **changes: Any) -> Any:
    return json.loads(request_of(_endpoint(form, **changes), alerts or (ALERT,), NOW).body)


def test_alertmanager_is_told_labels_annotations_and_times() -> None:
    (told,) = _body("alertmanager")
    assert told["labels"] == {
        "alertname": "SluicegateDenial",
        "severity": "warning",
        "code": "drops_table",
        "about": "agent-1",
        "rule": "no-drops",
        "zone": "payments",
    }
    assert (
        told["annotations"]["summary"] == "agent-1 was denied 2 times by rule no-drops: drops_table"
    )
    assert told["annotations"]["description"] == "drops a table\nsecret words"
    assert told["annotations"]["alert_id"] == ALERT.id
    assert told["startsAt"] < told["endsAt"]
    assert "generatorURL" not in told


def test_no_label_tells_two_alerts_of_the_same_thing_apart() -> None:
    later = replace(ALERT, id="cd" * 16, count=9, last_at=NOW, evidence=("0192",), source="judge-2")
    first, second = _body("alertmanager", ALERT, later)
    assert first["labels"] == second["labels"]


def test_what_is_empty_is_no_label() -> None:
    forged = Subject(Kind.FORGED_RECORD, "forged_record", "denials", "", Severity.ALERT)
    (told,) = _body("alertmanager", replace(ALERT, subject=forged, zone="", source=""))
    assert set(told["labels"]) == {"alertname", "severity", "code", "about"}
    assert told["labels"]["severity"] == "critical"
    assert "source" not in told["annotations"]


def test_an_alert_of_the_near_future_starts_now() -> None:
    (told,) = _body("alertmanager", replace(ALERT, first_at=NOW + timedelta(minutes=4)))
    assert told["startsAt"] < told["endsAt"]


@pytest.mark.parametrize("form", FORMS)
def test_messages_and_remedies_can_stay_here(form: str) -> None:
    assert "secret words" in json.dumps(_body(form))
    quiet = json.dumps(_body(form, messages=False))
    assert "secret words" not in quiet
    assert "rename it" not in quiet
    assert "drops_table" in quiet


def test_a_webhook_is_told_every_field_that_the_page_shows() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)
    example, told = json.loads(shown), _body("webhook")
    assert (set(example), set(example["data"])) == (set(told), set(told["data"]))
    assert set(example["data"]["alerts"][0]) == set(told["data"]["alerts"][0])
    assert told["data"]["alerts"][0]["messages"] == list(ALERT.messages)


def _receiver() -> Any:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verify"]


def test_the_code_of_the_page_verifies_a_request_once() -> None:
    made, taken = request_of(_endpoint("webhook"), (ALERT,), utc_now()), set[str]()
    verify = _receiver()
    assert verify(KEY, made.headers, made.body, taken)
    assert not verify(KEY, made.headers, made.body, taken)
    again = request_of(_endpoint("webhook"), (ALERT,), utc_now() + timedelta(seconds=1))
    assert not verify(KEY, again.headers, again.body, taken), "the same alerts have the same id"


CHANGES: dict[str, Any] = {
    "another body": lambda key, headers, body: (key, headers, body + b" "),
    "another key": lambda key, headers, body: (key[::-1], headers, body),
    "another id": lambda key, headers, body: (key, headers | {"webhook-id": "msg_1"}, body),
    "another time": lambda key, headers, body: (key, headers | {"webhook-timestamp": str(int(time.time()) + 1)}, body),
    "no signature": lambda key, headers, body: (key, headers | {"webhook-signature": ""}, body),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_code_of_the_page_refuses(name: str) -> None:
    made = request_of(_endpoint("webhook"), (ALERT,), utc_now())
    assert not _receiver()(*CHANGES[name](KEY, made.headers, made.body), set())


def test_the_code_of_the_page_refuses_what_is_old() -> None:
    made = request_of(_endpoint("webhook"), (ALERT,), NOW - timedelta(minutes=6))
    assert not _receiver()(KEY, made.headers, made.body, set())


def test_another_count_is_another_delivery() -> None:
    names = {
        request_of(_endpoint("webhook"), (replace(ALERT, count=count),), NOW).headers["webhook-id"]
        for count in (1, 1, 2)
    }
    assert len(names) == 2


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """The example that the libraries of Standard Webhooks are tested with."""
    from streams.alerts.webhook import sign

    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


KEYS = {
    "plain": ("k" * 24, b"k" * 24),
    "coded": ("whsec_" + base64.b64encode(KEY).decode(), KEY),
    "not base64 without the prefix": ("!" * 30, b"!" * 30),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_read(name: str) -> None:
    secret, key = KEYS[name]
    assert key_of(secret) == key


@pytest.mark.parametrize(
    ("secret", "why"), [("short", "has 5 bytes"), ("whsec_c2hvcnQ=", "has 5 bytes"), ("whsec_!!", "no base64")]
)  # fmt: skip
def test_a_key_that_is_too_short_or_damaged_is_refused(secret: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        key_of(secret)
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "url", "posted"),
    [
        ("alertmanager", "https://a.example", "https://a.example/api/v2/alerts"),
        ("alertmanager", "https://a.example/am/", "https://a.example/am/api/v2/alerts"),
        ("alertmanager", "https://a.example/api/v2/alerts/", "https://a.example/api/v2/alerts"),
        ("webhook", "https://a.example/in?x=1", "https://a.example/in?x=1"),
    ],
)
def test_where_it_is_posted(form: str, url: str, posted: str) -> None:
    assert request_of(_endpoint(form, url=url), (ALERT,), NOW).url == posted


def test_what_is_shown_of_an_endpoint_holds_no_secret() -> None:
    endpoint = _endpoint(
        "webhook", url="https://chat.example/in/SECRET?t=SECRET", token=lambda: "SECRET"
    )
    request = request_of(endpoint, (ALERT,), NOW)
    assert request.headers["Authorization"] == "Bearer SECRET"
    assert endpoint.shown == "https://chat.example"
    assert "SECRET" not in repr(endpoint) + endpoint.shown
    assert "Bearer" not in repr(request)


def test_certificates_and_names_are_verified() -> None:
    context = _endpoint("webhook").trusted()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_file_that_holds_none_is_refused(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(
        SettingsError, match=r"holds no certificates: .*; correct `ca_file` of \[alerts.one\]"
    ):
        _endpoint("webhook", ca_file=path).trusted()
