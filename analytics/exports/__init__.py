"""
The archive in other people's shapes: views of OCSF, ECS and CloudEvents, and files made from them.

    records, timeline, findings ──views──▶ one JSON object a row ──COPY──▶ NDJSON, Parquet, CSV
"""

from analytics.exports.shapes import SHAPES, Shape, install, views_sql
from analytics.exports.writing import FORMATS, Export, Wish, export

__all__ = ["FORMATS", "SHAPES", "Export", "Shape", "Wish", "export", "install", "views_sql"]
