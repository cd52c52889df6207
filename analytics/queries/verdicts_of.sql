-- Every verdict on the given actions: parameter action ids.
SELECT
  v.action_id, v.verdict_id, v.action_digest, v.executor, v.decision, v.would_deny, v.reasons,
  v.obligations, v.rewrite, v.policy, v.judge, v.issued_at, v.duplicate,
  r.seq, r.topic, r.partition, r."offset", r.recorded_at, r.value_sha256, r.value, r.headers
FROM verdicts AS v
JOIN records AS r ON r.seq = v.seq
WHERE list_contains(?::UUID[], v.action_id)
ORDER BY v.seq
