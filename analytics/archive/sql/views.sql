-- The archive for readers. Run it again to see a new list of segments:
--   duckdb -init views.sql          or, inside a session:   .read views.sql
-- Everything is read from immutable files: no lock, no server, no extension. Their indexes need to
-- be read once only.
SET parquet_metadata_cache = true;

-- The trust zone; what one zone says is nothing in another.
CREATE OR REPLACE TEMP MACRO zone_of(topic) AS
  CASE WHEN contains(topic, '.') THEN left(topic, -1 - length(split_part(topic, '.', -1)))
    ELSE '' END;

CREATE OR REPLACE TEMP VIEW archived AS
SELECT *, zone_of(topic) AS zone
FROM read_parquet([
  $sources
], hive_partitioning = false, filename = false);

-- Which times each file holds: those that stand in ids, and those when records were recorded. A bound
-- that is null is not known.
CREATE OR REPLACE TEMP MACRO spans() AS '[
$spans
]'::STRUCT("file" VARCHAR, first_id BIGINT, last_id BIGINT, first_at BIGINT, last_at BIGINT)[];

-- The files that can hold what is about this id, null: any, and was recorded in this time: opening
-- one takes a tenth of a millisecond, and most are of other times.
CREATE OR REPLACE TEMP MACRO sources_of(id, since, until) AS list_transform(list_filter(
  spans(), lambda one: (id IS NULL OR coalesce($milliseconds BETWEEN one['first_id'] AND one['last_id'], true))
    AND (since IS NULL OR coalesce(make_timestamptz(one['last_at']) >= since::TIMESTAMPTZ, true))
    AND (until IS NULL OR coalesce(make_timestamptz(one['first_at']) < until::TIMESTAMPTZ, true))
), lambda one: concat($directory, one['file']));

-- Every record about one action, or in a time; null: any. What is asked for has to be constant, or a
-- parameter of the statement: the files are chosen before it runs.
CREATE OR REPLACE TEMP MACRO archived_in(id, since, until) AS TABLE
SELECT *, zone_of(topic) AS zone
FROM read_parquet(sources_of(id, since, until), hive_partitioning = false, filename = false)
WHERE (id IS NULL OR action_ms = $milliseconds AND action_id = id::UUID)
  AND (since IS NULL OR recorded_at >= since::TIMESTAMPTZ)
  AND (until IS NULL OR recorded_at < until::TIMESTAMPTZ);

-- The newest records, and maybe many more: enough to see how far the archive goes.
CREATE OR REPLACE TEMP VIEW newly_archived AS
SELECT seq, recorded_at, archived_at FROM read_parquet([
  $newest
], hive_partitioning = false, filename = false);

-- When the first record was recorded, or earlier; no file is read for it but the newest.
CREATE OR REPLACE TEMP VIEW beginning AS
SELECT min(first_at) AS recorded_at FROM (
  SELECT make_timestamptz(coalesce(one.first_at, 0)) AS first_at FROM (SELECT unnest(spans()) AS one)
  WHERE NOT contains(one.file, '*')
  UNION ALL
  SELECT min(recorded_at) FROM newly_archived
);

-- Every record of every topic, as Kafka held it.
CREATE OR REPLACE TEMP VIEW records AS
SELECT
  seq, topic, partition, "offset", recorded_at, timestamp_ms, timestamp_type, key, headers, value,
  coalesce(value_sha256, sha256(value)) AS value_sha256, cluster_id, archived_at, readable, holds, action_id, leaf_index, digest, zone,
  action_ms
FROM archived;

-- A payload for people: words that a shell would not read plainly are quoted.
CREATE OR REPLACE TEMP MACRO payload_text(payload) AS coalesce(
  payload.statement,
  payload.line,
  payload.text,
  payload.tool || ' ' || coalesce(payload.arguments, '{}'),
  array_to_string([
    CASE WHEN regexp_full_match(word, '[A-Za-z0-9_@%+=:,./-]+') THEN word
      ELSE '''' || replace(word, '''', '''"''"''') || '''' END
    FOR word IN payload.argv
  ], ' ')
);

-- What was proposed.
CREATE OR REPLACE TEMP VIEW actions AS
$actions;

-- What judges answered. Of several verdicts on the same bytes for the same executor the first
-- counts; the others are kept and marked.
CREATE OR REPLACE TEMP VIEW verdict_records AS
$verdicts;

CREATE OR REPLACE TEMP VIEW verdicts AS
SELECT
  *,
  row_number() OVER (
    PARTITION BY zone, action_ms, action_id, action_digest, executor ORDER BY seq
  ) > 1 AS duplicate
FROM verdict_records;

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
  topic, partition, "offset", sha256(value) AS value_sha256, archived_at, zone,
  action_ms
FROM (SELECT *, $denial AS denial FROM archived WHERE holds = 'denial');

-- What became of actions, as executors reported it.
CREATE OR REPLACE TEMP VIEW outcome_records AS
$outcomes;

CREATE OR REPLACE TEMP VIEW outcomes AS
SELECT
  *,
  row_number() OVER (
    PARTITION BY zone, action_ms, action_id, action_digest, executor ORDER BY seq
  ) > 1 AS duplicate
FROM outcome_records;

-- What became of an action: what was reported, or `none` where an allowed one was not reported on in time.
CREATE OR REPLACE TEMP MACRO outcome_of(status, decision, recorded_at, valid_for_ms) AS coalesce(
  status,
  CASE WHEN decision = 'allow' AND recorded_at
    + to_milliseconds(coalesce(valid_for_ms, 0)::BIGINT + $outcome_grace_ms) < now()
    THEN 'none' END
);

-- One row an action that was recorded in this time, null: any: who proposed what, what the judge said, what became of it.
-- The same id with other bytes is another action, with its own row. Of several verdicts and outcomes the first counts.
-- It is chosen after the join, for then DuckDB reads only what belongs to the actions that are asked
-- for; and a partition names what follows from its first column, so that filters on that reach the files.
CREATE OR REPLACE TEMP MACRO timeline_between(since, until) AS TABLE
SELECT
  recorded_at, action_id, principal, principal_kind, on_behalf_of, session, system,
  environment, kind, text, reason, ticket, executor,
  decision, would_deny, codes, rules, messages, judge, policy, grants, approval, request,
  outcome_of(status, decision, recorded_at, valid_for_ms) AS outcome,
  rows_affected, bytes_returned, error,
  date_diff('millisecond', recorded_at, answered_at) AS latency_ms,
  action_digest, verdict_id, outcome_id, zone, seq, action_ms
FROM (
  SELECT
    j.*, o.status, o.rows_affected, o.bytes_returned, o.error, o.outcome_id
  FROM (
    SELECT
      a.*, v.recorded_at AS answered_at, v.decision, v.would_deny, v.codes,
      v.rules, v.messages, v.judge, v.policy, v.grants, v.approval, v.request, v.verdict_id
    FROM (
      SELECT * FROM ($actions_in)
      WHERE kind <> 'canary'
      QUALIFY row_number() OVER (
        PARTITION BY action_digest, action_id, action_ms, zone, principal, session, system,
          environment, kind
        ORDER BY seq
      ) = 1
    ) AS a
    LEFT JOIN ($verdicts_in) AS v
      ON v.action_ms = a.action_ms AND v.action_id = a.action_id
      AND v.action_digest = a.action_digest AND v.executor = a.executor AND v.zone = a.zone
    QUALIFY row_number() OVER (
      PARTITION BY a.seq, a.action_digest, a.action_id, a.action_ms, a.zone, a.principal,
        a.session, a.system, a.environment, a.kind
      ORDER BY v.seq
    ) = 1
  ) AS j
  LEFT JOIN ($outcomes_in) AS o
    ON o.action_ms = j.action_ms AND o.action_id = j.action_id
    AND o.action_digest = j.action_digest AND o.executor = j.executor AND o.zone = j.zone
  QUALIFY row_number() OVER (
    PARTITION BY j.seq, j.action_digest, j.action_id, j.action_ms, j.zone, j.principal,
      j.session, j.system, j.environment, j.kind
    ORDER BY o.seq
  ) = 1
);

CREATE OR REPLACE TEMP VIEW timeline AS FROM timeline_between(NULL, NULL);

-- One action: the rows that `timeline` has of it. Ids of version 7 begin with their time, so few row groups
-- are read. What was said is read from the few values themselves, by which typed columns were made: to open
-- those, with all that is nested in them, takes longer in each file than all the rest.
CREATE OR REPLACE TEMP MACRO find_action(id) AS TABLE
$found;

-- Every record about one action, as Kafka held it.
CREATE OR REPLACE TEMP MACRO find_records(id) AS TABLE
SELECT
  seq, topic, partition, "offset", recorded_at, timestamp_ms, timestamp_type, key, headers, value,
  coalesce(value_sha256, sha256(value)) AS value_sha256, cluster_id, archived_at, readable, holds, action_id, leaf_index, digest, zone,
  action_ms
FROM archived_in(id, NULL, NULL) WHERE id IS NOT NULL;

-- What one principal proposed in a time; null: any.
CREATE OR REPLACE TEMP MACRO timeline_of(who, since, until) AS TABLE
SELECT * FROM timeline_between(since, until) WHERE principal = who;

-- What people were asked before an action may pass. `replay`: the same bytes once more.
CREATE OR REPLACE TEMP VIEW request_records AS
SELECT
  seq, recorded_at,
  asked.id AS request_id,
  action_id,
  asked.action_digest AS action_digest,
  asked.proposal_digest AS proposal_digest,
  asked.judge AS judge,
  asked.policy AS policy,
  asked.principal.id AS principal,
  asked.principal.kind AS principal_kind,
  asked.principal.on_behalf_of AS on_behalf_of,
  asked.principal.session AS session,
  asked.owner AS owner,
  asked.executor AS executor,
  asked.target.system AS system,
  asked.target.environment AS environment,
  asked.target.catalog AS catalog,
  payload_text(TRY(from_json(asked.payload, $payload))) AS text,
  asked.payload AS payload,
  asked.intent AS intent,
  asked.reason AS reason,
  asked.ticket AS ticket,
  [ask.rule FOR ask IN asked.asks] AS rules,
  asked.asks AS asks,
  asked.at AS asked_at,
  asked.expires_at AS expires_at,
  topic, partition, "offset", value_sha256, archived_at, zone,
  action_ms
FROM (SELECT *, $asked AS asked FROM archived WHERE holds = 'request');

CREATE OR REPLACE TEMP VIEW requests AS
SELECT
  *, row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay
FROM request_records;

-- Wishes for a grant.
CREATE OR REPLACE TEMP VIEW grant_requests AS
SELECT
  seq, recorded_at,
  wished.id AS request_id,
  wished.principal AS principal,
  wished.on_behalf_of AS on_behalf_of,
  wished.executor AS executor,
  wished.name AS name,
  wished.scope AS scope,
  wished.reason AS reason,
  wished.ticket AS ticket,
  wished.seconds AS seconds,
  wished.max_uses AS max_uses,
  wished.at AS asked_at,
  row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $wished AS wished FROM archived WHERE holds = 'grant_request');

-- What people said to a request, each word of theirs.
CREATE OR REPLACE TEMP VIEW vote_records AS
SELECT
  seq, recorded_at,
  vote.id AS vote_id,
  vote.request AS request_id,
  vote.choice AS choice,
  coalesce(vote.break_glass, false) AS break_glass,
  vote.issue.by AS said_by,
  vote.issue.at AS said_at,
  vote.issue.reason AS reason,
  vote.issue.version AS version,
  vote.requester AS requester,
  vote.proposal_digest AS proposal_digest,
  vote.policy AS policy,
  vote.expires_at AS expires_at,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $vote AS vote FROM archived WHERE holds = 'vote');

CREATE OR REPLACE TEMP VIEW votes AS
SELECT
  *, row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay
FROM vote_records;

-- What administrators said of grants. The highest version of a grant is what holds.
CREATE OR REPLACE TEMP VIEW grants AS
SELECT
  seq, recorded_at,
  granted."grant" AS grant_id,
  granted.name AS name,
  granted.principal AS principal,
  coalesce(granted.status, 'active') AS status,
  granted.scope AS scope,
  granted.issue.by AS said_by,
  granted.issue.at AS said_at,
  granted.issue.reason AS reason,
  granted.issue.version AS version,
  granted.ticket AS ticket,
  granted.not_before AS not_before,
  granted.expires_at AS expires_at,
  granted.max_uses AS max_uses,
  granted.request AS request_id,
  row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $granted AS granted FROM archived WHERE holds = 'grant');

-- Quarantines and the kill switch.
CREATE OR REPLACE TEMP VIEW controls AS
SELECT
  seq, recorded_at,
  control.control AS control_id,
  control.stops.principal AS principal,
  control.stops.session AS session,
  control.stops.system AS system,
  control.stops.catalog AS catalog,
  control.stops.environment AS environment,
  coalesce(control.stops.everything, false) AS everything,
  coalesce(control.lifted, false) AS lifted,
  control.rule AS rule,
  control.issue.by AS said_by,
  control.issue.at AS said_at,
  control.issue.reason AS reason,
  control.issue.version AS version,
  control.expires_at AS expires_at,
  row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $control AS control FROM archived WHERE holds = 'control');

-- Who may propose, as administrators said it.
CREATE OR REPLACE TEMP VIEW enrolment_records AS
SELECT
  seq, recorded_at,
  enrolment.principal.id AS principal,
  enrolment.principal.kind AS principal_kind,
  enrolment.principal.owner AS owner,
  enrolment.principal.groups AS groups,
  enrolment.principal.permissions AS permissions,
  enrolment.principal.executors AS executors,
  enrolment.principal.scope AS scope,
  enrolment.principal.public_keys AS public_keys,
  coalesce(enrolment.principal.disabled, false) AS disabled,
  enrolment.principal.not_after AS not_after,
  enrolment.issue.by AS said_by,
  enrolment.issue.at AS said_at,
  enrolment.issue.reason AS reason,
  enrolment.issue.version AS version,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $enrolment AS enrolment FROM archived WHERE holds = 'enrolment');

CREATE OR REPLACE TEMP VIEW enrolments AS
SELECT
  *, row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay
FROM enrolment_records;

-- Policies as administrators published them; `digest` is what verdicts call their policy.
CREATE OR REPLACE TEMP VIEW publications AS
SELECT
  seq, recorded_at,
  publication.bundle AS bundle,
  publication.digest AS digest,
  publication.issue.version AS version,
  publication.issue.by AS said_by,
  publication.issue.at AS said_at,
  publication.issue.reason AS reason,
  [file.name FOR file IN publication.files] AS files,
  row_number() OVER (PARTITION BY topic, value_sha256 ORDER BY seq) > 1 AS replay,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $publication AS publication FROM archived WHERE holds = 'publication');

-- What judges and the archiver found odd.
CREATE OR REPLACE TEMP VIEW findings AS
SELECT
  seq, recorded_at,
  finding.id AS finding_id,
  finding.code AS code,
  finding.severity AS severity,
  finding.about AS about,
  finding.message AS message,
  finding.remedy AS remedy,
  finding.source AS source,
  finding.at AS found_at,
  finding.evidence AS evidence,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $finding AS finding FROM archived WHERE holds = 'finding');

-- Signed heads of the archive's log. The signatures are in the note; nothing here checks them.
CREATE OR REPLACE TEMP VIEW checkpoints AS
SELECT
  seq, recorded_at,
  checkpoint.origin AS origin,
  checkpoint.size AS size,
  checkpoint.root AS root,
  word AS note,
  topic, partition, "offset", value_sha256, archived_at, zone
FROM (SELECT *, $checkpoint AS checkpoint FROM archived WHERE holds = 'checkpoint');

-- How far readers see, by the archiver's clock. Where nothing is recorded, the age grows too.
CREATE OR REPLACE TEMP VIEW freshness AS
SELECT
  max(seq) AS last_seq,
  max(recorded_at) AS recorded_at,
  max(archived_at) AS archived_at,
  date_diff('millisecond', max(archived_at), now()) AS age_ms
FROM (SELECT * FROM newly_archived ORDER BY seq DESC LIMIT 1);
