"""
Tells people: findings and denials, delivered to Alertmanager and to webhooks.

    findings, denials ──▶ reading (signed?) ──▶ gathering (one alert a group) ──▶ delivery ──▶ endpoint
                                                                          └─ stored ──▶ offsets are committed
"""

from streams.alerts.alert import Alert, Kind
from streams.alerts.alerter import run_alerter
from streams.alerts.endpoint import FORMS, Endpoint

__all__ = ["FORMS", "Alert", "Endpoint", "Kind", "run_alerter"]
