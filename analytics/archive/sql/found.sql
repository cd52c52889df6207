-- One action, as `timeline` tells it. Here it is made of what stands in the few records about it.
SELECT
  recorded_at, action_id,
  action.proposal.principal.id AS principal,
  action.proposal.principal.kind AS principal_kind,
  action.proposal.principal.on_behalf_of AS on_behalf_of,
  action.proposal.principal.session AS session,
  action.proposal.target.system AS system,
  action.proposal.target.environment AS environment,
  action.proposal.payload.kind AS kind,
  payload_text(action.proposal.payload) AS text,
  action.proposal.reason AS reason,
  action.proposal.ticket AS ticket,
  executor,
  verdict.decision AS decision,
  verdict.would_deny AS would_deny,
  [reason.code FOR reason IN verdict.reasons] AS codes,
  [reason.rule FOR reason IN verdict.reasons IF reason.rule IS NOT NULL] AS rules,
  [reason.message FOR reason IN verdict.reasons] AS messages,
  verdict.judge AS judge,
  verdict.policy AS policy,
  verdict.grants AS grants,
  verdict.approval AS approval,
  verdict.request AS request,
  outcome_of(outcome.status, verdict.decision, recorded_at, action.valid_for_ms) AS outcome,
  outcome.rows AS rows_affected,
  outcome.bytes AS bytes_returned,
  outcome.error AS error,
  date_diff('millisecond', recorded_at, answered_at) AS latency_ms,
  action_digest,
  verdict.id AS verdict_id,
  outcome.id AS outcome_id,
  zone, seq, action_ms
FROM (
  SELECT
    action_id, action_ms, zone, action_digest, executor,
    proposed.seq AS seq, proposed.recorded_at AS recorded_at, answered.recorded_at AS answered_at,
    $action AS action,
    $verdict AS verdict,
    $outcome AS outcome
  FROM (
    -- Of the same bytes the first counts, as of what fits them: same zone, same digest, same executor.
    SELECT
      action_id, action_ms, zone, named.executor AS executor,
      CASE WHEN holds = 'action' THEN value_sha256 ELSE named.action_digest END AS action_digest,
      arg_min(one, seq) FILTER (holds = 'action') AS proposed,
      arg_min(one, seq) FILTER (holds = 'verdict') AS answered,
      arg_min(one, seq) FILTER (holds = 'outcome') AS ended
    FROM (
      SELECT
        seq, action_id, action_ms, zone, holds, value_sha256, $named AS named,
        {seq: seq, recorded_at: recorded_at, value: value} AS one
      FROM archived_in(id, NULL, NULL)
      WHERE id IS NOT NULL AND holds IN ('action', 'verdict', 'outcome')
    )
    GROUP BY ALL
  )
)
WHERE kind <> 'canary'
