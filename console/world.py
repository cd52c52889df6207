"""
What a judge on this machine decides in: policy, principals and catalogs of the settings.

From there on its feed keeps it current, and reads what administrators publish with `load_publication`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from console.settings import Settings
from enforcers.catalog import load_catalog
from enforcers.contract.publication import Publication
from enforcers.errors import CatalogError, PolicyError
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy, load_policy_files
from enforcers.policy.policy import Policy
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
    return World(
        policy, load_principals(settings.principals), judge_id, catalogs, zone=settings.zone
    )


def load_publication(publication: Publication) -> Policy:
    """
    The policy in a publication, checked and tested here as a file would be. Raises PolicyError.

    A publication carries every file that it needs, so all judges load the same, whatever they were shipped with.
    """
    files = [(one.name, one.text.encode()) for one in publication.files]
    return load_policy_files(files, run_case)


@contextlib.contextmanager
def _naming(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except (PolicyError, CatalogError) as error:
        if str(path) in str(error):
            raise
        kind = PolicyError if isinstance(error, PolicyError) else CatalogError
        raise kind(f"{what} `{path}`: {error}") from error
