-- What became of actions, as executors reported it.
SELECT
  seq, recorded_at, action_id,
  outcome.id AS outcome_id,
  outcome.action_digest AS action_digest,
  outcome.verdict_id AS verdict_id,
  outcome.executor AS executor,
  outcome.principal AS principal,
  outcome.session AS session,
  outcome.status AS status,
  outcome.rows AS rows_affected,
  outcome.bytes AS bytes_returned,
  outcome.duration_us AS duration_us,
  outcome.error AS error,
  outcome.executed_digest AS executed_digest,
  outcome.finished_at AS finished_at,
  topic, partition, "offset", sha256(value) AS value_sha256, archived_at, zone,
  action_ms
FROM $rows
WHERE holds = 'outcome'
