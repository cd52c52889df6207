-- The first records of a topic from a moment on: parameters topic, since, most.
SELECT
  seq, topic, partition, "offset", recorded_at, value_sha256, key, value, headers, timestamp_ms
FROM records
WHERE topic = $topic AND recorded_at >= $since AND value IS NOT NULL
ORDER BY seq
LIMIT $most
