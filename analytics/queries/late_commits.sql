-- Commits whose oldest record the broker had held for long: parameters since, until, least_s, most.
SELECT
  archived_at, min(seq) AS first, max(seq) AS last, count(*) AS records,
  date_diff('second', min(recorded_at), archived_at) AS behind_s
FROM records
WHERE recorded_at >= $since AND recorded_at < $until
GROUP BY archived_at
HAVING archived_at - min(recorded_at) >= to_seconds($least_s::DOUBLE)
ORDER BY behind_s DESC, first
LIMIT $most
