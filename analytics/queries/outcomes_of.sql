-- Every outcome of the given actions: parameters ids, low, high (times that stand in them). What views of
-- an earlier release do not have is read from the value.
SELECT
  o.action_id, o.outcome_id, o.verdict_id, o.action_digest, o.executor, o.status, o.rows_affected,
  TRY_CAST(TRY(json_extract_string(decode(r.value), '$.bytes')) AS BIGINT) AS bytes_returned,
  o.duration_us, o.error, o.executed_digest, o.finished_at, o.duplicate,
  r.seq, r.topic, r.partition, r."offset", r.recorded_at, r.value_sha256, r.value, r.headers
FROM outcomes AS o
JOIN records AS r ON r.seq = o.seq
WHERE o.action_ms BETWEEN $low AND $high AND list_contains($ids::UUID[], o.action_id)
ORDER BY o.seq
