"""
The import picture of the design, and what no file of the repository may hold.

    console ──▶ streams ──▶ analytics ──▶ enforcers.contract
                   └──────────▶ enforcers (imports nothing of ours)
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("enforcers", "analytics", "streams", "console")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
MAX_LINES = 400
NO_PURPOSE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}

MAY_IMPORT = {
    "enforcers": ("enforcers",),
    "analytics": ("analytics", "enforcers.contract", "enforcers.errors"),
    "streams": ("streams", "analytics", "enforcers"),
    "console": ("console", "streams", "analytics", "enforcers"),
}
"""Of our own modules."""

DRIVERS = {
    *("duckdb", "sqlite3", "asyncpg", "psycopg", "psycopg2", "pymysql", "MySQLdb", "oracledb"),
    *("pyodbc", "snowflake", "clickhouse_connect", "subprocess", "boto3", "kubernetes"),
}
"""What acts on a target. In `enforcers` only executors and catalogs touch it."""

KAFKA = {"aiokafka", "kafka", "faust", "mode", "confluent_kafka"}


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, with relative names resolved."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def lies_in(module: str, folders: tuple[str, ...]) -> bool:
    return any(module == folder or module.startswith(f"{folder}.") for folder in folders)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)
    assert "enforcers.contract.wire" in imports_of(ROOT / "enforcers" / "gate.py")


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_downwards(path: Path) -> None:
    allowed = MAY_IMPORT[path.relative_to(ROOT).parts[0]]
    ours = {one for one in imports_of(path) if one.split(".")[0] in PACKAGES}
    # `from enforcers import contract` names the package itself on the way.
    upwards = {
        one
        for one in ours
        if not lies_in(one, allowed) and one not in {a.split(".")[0] for a in allowed}
    }
    assert upwards == set()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_executors_and_catalogs_import_what_acts_on_a_target(path: Path) -> None:
    """Law 1 at its root: the judge, the gate and the readers cannot act, for they hold nothing to act with."""
    package, *rest = path.relative_to(ROOT).parts
    if package != "enforcers" or rest[0] in {"executors", "catalog"}:
        return
    assert {one.split(".")[0] for one in imports_of(path)} & DRIVERS == set()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_streams_and_console_know_kafka(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] in {"enforcers", "analytics"}:
        assert {one.split(".")[0] for one in imports_of(path)} & KAFKA == set()


def test_the_contract_stands_on_nothing_but_the_errors() -> None:
    allowed = ("enforcers.contract", "enforcers.errors", "enforcers")
    contract = ROOT / "enforcers" / "contract"
    found = {one for path in contract.glob("*.py") for one in imports_of(path)}
    ours = {one for one in found if one.startswith("enforcers")}
    assert {one for one in ours if not lies_in(one, allowed[:2]) and one != "enforcers"} == set()


PURE = (
    "judge.py",
    "admission.py",
    "standing.py",
    "matter.py",
    "hearing.py",
    "approving.py",
    "administration",
    "history",
    "past.py",
    "world.py",
    "permit.py",
    "intent",
    "policy",
    "contract/digest.py",
    "contract/verdict.py",
)


def test_what_decides_reads_no_clock_no_network_and_no_environment() -> None:
    impure = {
        "time.time",
        "datetime.now",
        "datetime.utcnow",
        "os.environ",
        "os.getenv",
        "utc_now",
        "socket",
        "random",
        "secrets",
    }
    found = set()
    for name in PURE:
        place = ROOT / "enforcers" / name
        for path in [place] if place.is_file() else place.rglob("*.py"):
            used = {
                ast.unparse(node)
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Attribute | ast.Name)
            }
            found |= {(named(path), one) for one in used & impure}
    assert found == set()


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=named)
def test_a_file_is_small_enough_to_read(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < MAX_LINES


def test_no_file_is_named_after_nothing() -> None:
    assert [
        named(path) for path in MODULES if path.stem in NO_PURPOSE or path.parent.name in NO_PURPOSE
    ] == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


# --- text that must not stand anywhere -------------------------------------------------------------------

# Put together here, so that this file holds none of them.
MACHINE_PATHS = tuple("/" + name + "/" for name in ("work", "farm"))
HOME_OF_ROOT = "/" + "root" + "/"
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        *(("pypi", "org"), ("pythonhosted", "org"), ("maven", "org"), ("maven", "apache", "org")),
        *(
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("registry", "npmjs"),
            ("ghcr", "io"),
            ("quay", "io"),
        ),
        *(("proxy", "golang", "org"), ("crates", "io"), ("rubygems", "org")),
    )
)
EXAMPLES_OF_ATTACKS = (
    "tests/cases/",
    "tests/enforcers/intent/",
    "policies/",
    "enforcers/intent/",
    "enforcers/policy/packs/",
)
"""Here such a text is what somebody might propose, or what a reader looks for."""
MADE = {".venv", "__pycache__", "build", "dist", "node_modules", "sluicegate-judge-data"}


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the repository with its path; hidden and made folders left out."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            one
            for one in folders
            if one not in MADE
            and not one.endswith(".egg-info")
            and (not one.startswith(".") or one == ".ci")
        ]
        for name in files:
            path = Path(folder) / name
            if path.suffix in {".pyc", ".duckdb", ".parquet", ".png", ".wal"}:
                continue
            try:
                yield named(path), path.read_text("utf-8")
            except (UnicodeDecodeError, OSError):
                continue


def test_no_text_names_a_registry_or_a_machine() -> None:
    found = []
    for name, text in texts():
        for needle in (*MACHINE_PATHS, HOME_OF_ROOT, *REGISTRIES):
            if needle in text and not name.startswith(EXAMPLES_OF_ATTACKS):
                found.append((name, needle))
        found += [(name, needle) for needle in MACHINE_PATHS if needle in text]
    assert found == []


def test_no_private_key_lies_in_the_repository() -> None:
    header = "-----BEGIN " + "[A-Z ]*PRIVATE KEY-----"
    kept = [
        name
        for name, text in texts()
        if re.search(header, text) and not name.startswith(EXAMPLES_OF_ATTACKS)
    ]
    assert kept == []
