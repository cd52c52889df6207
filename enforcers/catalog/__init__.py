"""What is declared about tables: columns, types, tags and unique keys."""

from enforcers.catalog.loader import load_catalog
from enforcers.catalog.model import EMPTY_CATALOG, Catalog, Column, Table

__all__ = ["EMPTY_CATALOG", "Catalog", "Column", "Table", "load_catalog"]
