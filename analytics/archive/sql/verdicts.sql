-- What judges answered.
SELECT
  seq, recorded_at, action_id,
  verdict.id AS verdict_id,
  verdict.action_digest AS action_digest,
  verdict.executor AS executor,
  verdict.decision AS decision,
  verdict.would_deny AS would_deny,
  verdict.reasons AS reasons,
  [reason.code FOR reason IN verdict.reasons] AS codes,
  [reason.message FOR reason IN verdict.reasons] AS messages,
  [reason.rule FOR reason IN verdict.reasons IF reason.rule IS NOT NULL] AS rules,
  verdict.obligations AS obligations,
  verdict.rewrite.text AS rewrite,
  verdict.rewrite.digest AS rewrite_digest,
  verdict.intent AS intent,
  verdict.grants AS grants,
  verdict.approval AS approval,
  verdict.request AS request,
  verdict.policy AS policy,
  verdict.judge AS judge,
  verdict.issued_at AS issued_at,
  verdict.valid_for_ms AS valid_for_ms,
  topic, partition, "offset", sha256(value) AS value_sha256, archived_at, zone,
  action_ms
FROM $rows
WHERE holds = 'verdict'
