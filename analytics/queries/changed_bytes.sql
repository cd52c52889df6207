-- Records of a period whose bytes no longer have the digest that was stored with them: parameters since, until.
SELECT seq, topic, partition, "offset", recorded_at, value_sha256, action_id
FROM records
WHERE recorded_at >= $since AND recorded_at < $until
  AND value IS NOT NULL AND sha256(value) IS DISTINCT FROM value_sha256
ORDER BY seq
