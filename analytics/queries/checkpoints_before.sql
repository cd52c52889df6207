-- The last records of a topic before a moment, the newest first: parameters topic, until, most.
SELECT seq, topic, partition, "offset", recorded_at, value_sha256, value
FROM records
WHERE topic = $topic AND recorded_at < $until AND value IS NOT NULL
ORDER BY seq DESC
LIMIT $most
