"""The archive: one writer, DuckDB files as its truth, Parquet segments for every reader."""

from analytics.archive.batch import Batch, prepared
from analytics.archive.publisher import Pace
from analytics.archive.record import Committed, Partition, RawRecord
from analytics.archive.writer import Archive

__all__ = ["Archive", "Batch", "Committed", "Pace", "Partition", "RawRecord", "prepared"]
