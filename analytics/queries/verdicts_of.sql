-- Every verdict on the given actions: parameters ids, low, high (times that stand in them).
SELECT
  v.action_id, v.verdict_id, v.action_digest, v.executor, v.decision, v.would_deny, v.reasons,
  v.obligations, v.intent, v.rewrite, v.policy, v.judge, v.issued_at, v.valid_for_ms, v.duplicate,
  r.seq, r.topic, r.partition, r."offset", r.recorded_at, r.value_sha256, r.value, r.headers
FROM verdicts AS v
JOIN records AS r ON r.seq = v.seq
WHERE v.action_ms BETWEEN $low AND $high AND list_contains($ids::UUID[], v.action_id)
ORDER BY v.seq
