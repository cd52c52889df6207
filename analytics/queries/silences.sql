-- Times in which nothing was archived: parameters since, until, least_s, most; the longest first.
SELECT before AS since, archived_at AS until, seq
FROM (
  SELECT seq, archived_at, lag(archived_at) OVER (ORDER BY seq) AS before
  FROM records
  WHERE recorded_at >= $since AND recorded_at < $until
)
WHERE archived_at - before >= to_seconds($least_s::DOUBLE)
ORDER BY archived_at - before DESC, seq
LIMIT $most
