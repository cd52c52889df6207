-- Offsets that no record of the archive has, by partition: parameters first, last (sequences).
SELECT topic, partition, count(*) AS gaps, sum("offset" - before - 1)::BIGINT AS missing,
  min(before + 1) AS first
FROM (
  SELECT topic, partition, "offset",
    lag("offset") OVER (PARTITION BY topic, partition ORDER BY "offset") AS before
  FROM records
  WHERE seq BETWEEN $first AND $last
)
WHERE "offset" > before + 1
GROUP BY topic, partition
ORDER BY topic, partition
