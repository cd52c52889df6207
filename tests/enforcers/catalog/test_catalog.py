"""Catalog files and look-ups."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.catalog import EMPTY_CATALOG, Catalog, load_catalog
from enforcers.errors import CatalogError

TEXT = """
unknown_tables: exist
tables:
  Ports: &ports
    columns: {Id: {type: BIGINT}, note: {tags: [pii]}}
    keys: [[id]]
  sea.ports: *ports
  bare: {}
"""


def _load(tmp_path: Path, text: str) -> Catalog:
    path = tmp_path / "catalog.yaml"
    path.write_text(text, encoding="utf-8")
    return load_catalog(path)


def test_names_are_found_whatever_their_case(tmp_path: Path) -> None:
    catalog = _load(tmp_path, TEXT)
    table = catalog.find("", "PORTS")
    assert table is not None
    assert table.keys == (("id",),)
    assert table.columns["id"].type == "bigint"
    assert table.tags == ("pii",)


def test_a_qualified_name_is_found_by_its_suffix_and_by_no_less(tmp_path: Path) -> None:
    catalog = _load(tmp_path, TEXT)
    assert catalog.find("db.Sea", "ports") is not None
    assert catalog.find("land", "ports") is None
    assert len(catalog.namesakes("ports")) == 2


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    catalog = _load(tmp_path, TEXT)
    assert catalog.fingerprint == _load(tmp_path, TEXT + "\n# a comment\n").fingerprint
    assert catalog.fingerprint != EMPTY_CATALOG.fingerprint
    assert _load(tmp_path, "").fingerprint == EMPTY_CATALOG.fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "table: {}",
        "unknown_tables: maybe",
        "structure: yes",
        "tables: {a: {view: 1}}",
        "structure: abc",
        "structure: [1]",
        "tables: [a]",
        "tables: {a: {column: {}}}",
        "tables: {a: {columns: {b: {kind: x}}}}",
        "tables: {a: {columns: {b: {}}, keys: [[c]]}}",
        "tables: {a: {keys: [[]]}}",
        "tables: {a: {keys: [b]}}",
        "tables: {1: {}}",
        "tables: {a: !!python/object:os.system {}}",
        "tables: [",
    ],
)
def test_a_wrong_catalog_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CatalogError) as caught:
        _load(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_catalog_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="give a readable"):
        load_catalog(tmp_path / "none.yaml")
