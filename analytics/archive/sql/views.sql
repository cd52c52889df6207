-- The archive for readers. Run it again to see a new list of segments:
--   duckdb -init views.sql          or, inside a session:   .read views.sql
-- Everything is read from immutable files: no lock, no server, no extension.
CREATE OR REPLACE TEMP VIEW archived AS
SELECT
  *,
  CASE WHEN timestamp_ms BETWEEN 0 AND 253402300799999
    THEN make_timestamptz(timestamp_ms * 1000) END AS recorded_at
FROM read_parquet([
  $sources
]);

-- Every record of every topic, as Kafka held it.
CREATE OR REPLACE TEMP VIEW records AS
SELECT
  seq, topic, partition, "offset", recorded_at, timestamp_ms, timestamp_type, key, headers, value,
  value_sha256, cluster_id, archived_at, readable, action_id
FROM archived;

-- What was proposed. `text` is for people: words that a shell would not read plainly are quoted.
CREATE OR REPLACE TEMP VIEW actions AS
SELECT
  seq, recorded_at, action_id,
  action.proposal.principal.id AS principal,
  action.proposal.principal.kind AS principal_kind,
  action.proposal.principal.on_behalf_of AS on_behalf_of,
  action.proposal.principal.session AS session,
  action.proposal.target.system AS system,
  action.proposal.target.environment AS environment,
  action.proposal.target.catalog AS catalog,
  action.proposal.target.dialect AS dialect,
  action.proposal.payload.kind AS kind,
  coalesce(
    action.proposal.payload.statement,
    action.proposal.payload.line,
    action.proposal.payload.text,
    action.proposal.payload.tool || ' ' || coalesce(action.proposal.payload.arguments, '{}'),
    array_to_string([
      CASE WHEN regexp_full_match(word, '[A-Za-z0-9_@%+=:,./-]+') THEN word
        ELSE '''' || replace(word, '''', '''"''"''') || '''' END
      FOR word IN action.proposal.payload.argv
    ], ' ')
  ) AS text,
  action.proposal.payload.argv AS argv,
  action.proposal.payload.program AS program,
  action.proposal.payload.cwd AS cwd,
  action.proposal.reason AS reason,
  action.proposal.ticket AS ticket,
  action.proposal.parent AS parent,
  action.executor AS executor,
  action.capabilities AS capabilities,
  action.issued_at AS issued_at,
  action.valid_for_ms AS valid_for_ms,
  value_sha256 AS action_digest,
  topic, partition, "offset", archived_at
FROM archived
WHERE action IS NOT NULL AND readable;

-- What judges answered. Of several verdicts on the same bytes for the same executor the first
-- counts; the others are kept and marked.
CREATE OR REPLACE TEMP VIEW verdicts AS
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
  verdict.policy AS policy,
  verdict.judge AS judge,
  verdict.issued_at AS issued_at,
  verdict.valid_for_ms AS valid_for_ms,
  row_number() OVER (
    PARTITION BY action_id, verdict.action_digest, verdict.executor ORDER BY seq
  ) > 1 AS duplicate,
  topic, partition, "offset", value_sha256, archived_at
FROM archived
WHERE verdict IS NOT NULL AND readable;

-- The alerting copy of verdicts that deny.
CREATE OR REPLACE TEMP VIEW denials AS
SELECT
  seq, recorded_at, action_id,
  denial.id AS verdict_id,
  denial.action_digest AS action_digest,
  denial.executor AS executor,
  denial.decision AS decision,
  denial.reasons AS reasons,
  [reason.code FOR reason IN denial.reasons] AS codes,
  [reason.rule FOR reason IN denial.reasons IF reason.rule IS NOT NULL] AS rules,
  denial.policy AS policy,
  denial.judge AS judge,
  denial.issued_at AS issued_at,
  topic, partition, "offset", value_sha256, archived_at
FROM archived
WHERE denial IS NOT NULL AND readable;

-- What became of actions, as executors reported it.
CREATE OR REPLACE TEMP VIEW outcomes AS
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
  row_number() OVER (
    PARTITION BY action_id, outcome.action_digest, outcome.executor ORDER BY seq
  ) > 1 AS duplicate,
  topic, partition, "offset", value_sha256, archived_at
FROM archived
WHERE outcome IS NOT NULL AND readable;

-- One row an action: who proposed what, what the judge said, what became of it.
-- The same id with other bytes is another action and has a row of its own.
CREATE OR REPLACE TEMP VIEW timeline AS
SELECT
  a.recorded_at, a.action_id, a.principal, a.principal_kind, a.on_behalf_of, a.session, a.system,
  a.environment, a.kind, a.text, a.reason, a.ticket, a.executor,
  v.decision, v.would_deny, v.codes, v.rules,
  v.messages, v.judge, v.policy,
  coalesce(
    o.status,
    CASE WHEN v.decision = 'allow' AND a.recorded_at
      + to_milliseconds(coalesce(a.valid_for_ms, 0)::BIGINT + $outcome_grace_ms) < now()
      THEN 'unknown' END
  ) AS outcome,
  o.rows_affected, o.bytes_returned, o.error,
  date_diff('millisecond', a.recorded_at, v.recorded_at) AS latency_ms,
  a.action_digest, v.verdict_id, o.outcome_id, a.seq
FROM (
  SELECT * FROM actions WHERE kind <> 'canary'
  QUALIFY row_number() OVER (PARTITION BY action_id, action_digest ORDER BY seq) = 1
) AS a
LEFT JOIN (SELECT * FROM verdicts WHERE NOT duplicate) AS v
  ON v.action_id = a.action_id AND v.action_digest = a.action_digest AND v.executor = a.executor
LEFT JOIN (SELECT * FROM outcomes WHERE NOT duplicate) AS o
  ON o.action_id = a.action_id AND o.action_digest = a.action_digest AND o.executor = a.executor;
