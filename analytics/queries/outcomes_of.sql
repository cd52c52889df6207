-- Every outcome of the given actions: parameter action ids.
SELECT
  o.action_id, o.outcome_id, o.verdict_id, o.action_digest, o.executor, o.status, o.rows_affected,
  o.duration_us, o.error, o.executed_digest, o.finished_at, o.duplicate,
  r.seq, r.topic, r.partition, r."offset", r.recorded_at, r.value_sha256
FROM outcomes AS o
JOIN records AS r ON r.seq = o.seq
WHERE list_contains(?::UUID[], o.action_id)
ORDER BY o.seq
