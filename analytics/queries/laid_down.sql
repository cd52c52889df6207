-- Records of control topics up to a moment, in the order of their topics: parameters topics, until.
SELECT topic, partition, "offset", timestamp_ms, key, headers, value, seq, recorded_at, value_sha256
FROM records
WHERE list_contains($topics::VARCHAR[], topic) AND recorded_at < $until
ORDER BY seq
