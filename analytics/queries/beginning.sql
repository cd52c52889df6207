-- Where the archive begins.
SELECT min(seq) AS first, arg_min(recorded_at, seq) AS recorded_at FROM records
