-- Stretches of offsets that no record of the archive has, the longest first: parameters first, last (sequences),
-- most; and how many there are in all. A stretch that a record of the period ends counts, wherever the record before it lies.
WITH known AS (
  SELECT topic, partition, "offset", seq, recorded_at FROM records WHERE seq BETWEEN $first AND $last
),
earlier AS (
  SELECT topic, partition, max("offset") AS "offset" FROM records WHERE seq < $first
  GROUP BY topic, partition
)
SELECT topic, partition, before + 1 AS first, "offset" - 1 AS last, "offset" - before - 1 AS missing,
  seq, recorded_at AS until,
  count(*) OVER () AS gaps_in_all,
  (sum("offset" - before - 1) OVER ())::BIGINT AS missing_in_all
FROM (
  SELECT k.*, coalesce(
    lag(k."offset") OVER (PARTITION BY topic, partition ORDER BY k."offset"), e."offset"
  ) AS before
  FROM known AS k LEFT JOIN earlier AS e USING (topic, partition)
)
WHERE "offset" > before + 1
ORDER BY missing DESC, topic, partition, first
LIMIT $most
