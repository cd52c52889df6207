"""
Verification: everything that the archive holds, from its bytes to a signed root.

    segments ──▶ digests ──▶ leaves ──▶ heads of partitions ──▶ the archive's log ──▶ signed checkpoints

Nothing here needs the archiver, its day files or its views; DuckDB only compares the typed columns.
"""
