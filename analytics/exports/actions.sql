-- One row an action, as `timeline` counts it, with what only exports need: the text's parts, the intent, the sequence.
-- The archive holds what strangers wrote as well: nothing here says that a record was signed.
-- A period, null: any, reaches the files: only what belongs to its actions is read.
CREATE OR REPLACE TEMP MACRO exported_between(since, until) AS TABLE
SELECT
  t.seq, coalesce(t.recorded_at, a.archived_at) AS recorded_at, a.archived_at, t.zone,
  t.action_id, t.action_digest, t.principal, t.principal_kind, t.on_behalf_of, t.session,
  t.system, t.environment, a.catalog, t.kind, coalesce(t.text, '') AS text,
  [word FOR word IN a.argv IF word IS NOT NULL] AS argv, a.program, a.cwd,
  t.reason, t.ticket, a.parent, t.executor, a.issued_at,
  t.decision, t.would_deny, t.codes, t.rules, t.messages, t.policy, t.judge, t.verdict_id,
  t.grants, t.approval, t.request, v.rewrite_digest, len(v.obligations) > 0 AS obliged,
  coalesce(v.intent, []) AS intent,
  coalesce([effect.verb FOR effect IN v.intent IF effect.verb <> ''], []) AS verbs,
  t.outcome, t.outcome_id, t.rows_affected, t.bytes_returned, t.error, t.latency_ms
FROM timeline_between(since, until) AS t
JOIN (
  SELECT * FROM actions
  WHERE (since IS NULL OR recorded_at >= since::TIMESTAMPTZ)
    AND (until IS NULL OR recorded_at < until::TIMESTAMPTZ)
) AS a ON a.seq = t.seq
LEFT JOIN (
  SELECT * FROM verdict_records
  WHERE since IS NULL OR recorded_at >= since::TIMESTAMPTZ - INTERVAL 1 HOUR
  QUALIFY row_number() OVER (
    PARTITION BY zone, action_id, action_digest, executor ORDER BY seq
  ) = 1
) AS v
  ON v.zone = t.zone AND v.action_id = t.action_id
  AND v.action_digest = t.action_digest AND v.executor = t.executor;
