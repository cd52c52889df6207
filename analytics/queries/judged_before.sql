-- The last verdicts before a moment: parameters since, until, most.
SELECT
  v.seq, r.topic, r.partition, r."offset", r.recorded_at, r.value_sha256, r.value, r.headers,
  v.action_id, v.judge, v.policy
FROM (
  SELECT seq, action_id, judge, policy
  FROM verdict_records
  WHERE recorded_at >= $since AND recorded_at < $until
  ORDER BY seq DESC
  LIMIT $most
) AS v
JOIN records AS r ON r.seq = v.seq
ORDER BY v.seq DESC
