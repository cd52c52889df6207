"""What a judge on this machine decides in: policy, principals and catalogs of the settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from console.settings import Settings
from enforcers.catalog import load_catalog
from enforcers.errors import CatalogError, PolicyError
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.principals import load_principals
from enforcers.world import World


def load_world(settings: Settings, judge_id: str) -> World:
    """
    Everything that the judge decides in.

    Raises PolicyError, SettingsError, CatalogError; they name the file.
    """
    with _naming("policy", settings.policy):
        policy = load_policy(settings.policy, run_case)
    catalogs = {}
    for name, path in settings.catalogs.items():
        with _naming("catalog", path):
            catalogs[name] = load_catalog(path)
    return World(policy, load_principals(settings.principals), judge_id, catalogs)


@contextlib.contextmanager
def _naming(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except (PolicyError, CatalogError) as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{what} `{path}`: {error}") from error
