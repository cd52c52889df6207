-- What was said on one topic in a time: parameters topic, since, until.
SELECT
  seq, topic, partition, "offset", recorded_at, value_sha256, key, value, headers
FROM records
WHERE topic = $topic AND value IS NOT NULL AND recorded_at >= $since AND recorded_at < $until
ORDER BY seq
