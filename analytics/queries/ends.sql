-- When the archive's first and last records were recorded.
SELECT min(recorded_at) AS first, max(recorded_at) AS last FROM records
