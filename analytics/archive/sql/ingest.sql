-- Appends `batch`: raw columns as they came, typed columns where the value can be read.
-- readable: true, false, or null for a tombstone, which holds nothing to read.
INSERT INTO $schema.records
WITH typed AS (
  SELECT *, split_part(topic, '.', -1) AS role,
$typed
  FROM batch
)
SELECT
  seq, topic, partition, "offset", timestamp_ms, timestamp_type, key, headers, value,
  sha256(value), ?, ?,
  CASE
    WHEN value IS NULL THEN NULL
    WHEN role = 'actions' THEN coalesce(
      action.id IS NOT NULL AND action.executor IS NOT NULL
      AND action.proposal.principal.id IS NOT NULL
      AND action.proposal.target.system IS NOT NULL
      AND action.proposal.payload.kind IS NOT NULL, false)
    WHEN role = 'verdicts' THEN coalesce(
      verdict.id IS NOT NULL AND verdict.action_id IS NOT NULL
      AND verdict.action_digest IS NOT NULL
      AND verdict.decision IN ('allow', 'deny', 'require_approval'), false)
    WHEN role = 'outcomes' THEN coalesce(
      outcome.id IS NOT NULL AND outcome.action_id IS NOT NULL AND outcome.status IS NOT NULL,
      false)
    WHEN role = 'denials' THEN coalesce(
      denial.action_id IS NOT NULL AND denial.decision IS NOT NULL, false)
    ELSE text IS NOT NULL
  END,
  coalesce(action.id, verdict.action_id, outcome.action_id, denial.action_id),
  action, verdict, outcome, denial
FROM typed
