"""What a judge on this machine decides in: policy, principals and catalogs of the settings."""

from __future__ import annotations

from console.settings import Settings
from enforcers.catalog import load_catalog
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.principals import load_principals
from enforcers.world import World


def load_world(settings: Settings, judge_id: str) -> World:
    """Everything that the judge decides in. Raises PolicyError, SettingsError, CatalogError."""
    return World(
        policy=load_policy(settings.policy, run_case),
        principals=load_principals(settings.principals),
        judge=judge_id,
        catalogs={name: load_catalog(path) for name, path in settings.catalogs.items()},
    )
