-- What every detection stands on: macros over the views of the archive, none of them a detection.
-- Periods begin with `since` and end before `until`, by the broker's time. Each filters on
-- recorded_at before anything is joined, so that Parquet's row groups outside of it are not read.

-- The hours before the window, in short: what `hours_of` makes of them. It is filled by whoever
-- asks; an empty one means that nothing is known of the past.
CREATE TEMP TABLE IF NOT EXISTS anomaly_hours (
  hour TIMESTAMPTZ, what VARCHAR, agent VARCHAR, key VARCHAR, class VARCHAR,
  actions BIGINT, allowed BIGINT, denied BIGINT, answered BIGINT,
  rows_moved BIGINT, bytes_moved BIGINT, first_at TIMESTAMPTZ, last_at TIMESTAMPTZ
);

CREATE TEMP TABLE IF NOT EXISTS anomaly_hours_known (hour TIMESTAMPTZ);

-- A record can claim any time: none takes the window away from what the archiver's clock says.
CREATE OR REPLACE TEMP MACRO newest_record() AS
  (SELECT least(max(recorded_at), max(archived_at) + INTERVAL 5 MINUTE) FROM newly_archived);

CREATE OR REPLACE TEMP MACRO end_of(until) AS
  coalesce(until::TIMESTAMPTZ, newest_record() + INTERVAL 1 MILLISECOND);

CREATE OR REPLACE TEMP MACRO begin_of(since, until) AS
  coalesce(since::TIMESTAMPTZ, end_of(until) - INTERVAL 24 HOURS);

-- The end of the window for what has to wait for late records: a window of the past waits for none.
CREATE OR REPLACE TEMP MACRO settled_end(until, wait) AS
  least(end_of(until), newest_record() + INTERVAL 1 MILLISECOND - wait);

-- `events_2026_11_22` and `events_2026_11_23` are one resource, and so are two ids.
CREATE OR REPLACE TEMP MACRO plain_name(name) AS
  regexp_replace(lower(left(name, 200)),
    '([0-9a-f]{8,}|[0-9]+)([-_.:/]?([0-9a-f]{8,}|[0-9]+))*', '#', 'g');

-- A statement without its constants and its spaces.
CREATE OR REPLACE TEMP MACRO fingerprint(statement) AS
  regexp_replace(regexp_replace(lower(left(statement, 2000)), '''[^'']*''|[0-9]+', '?', 'g'),
    '\s+', ' ', 'g');

-- What a resource is called: its namespace is part of its name, whoever wrote it where.
CREATE OR REPLACE TEMP MACRO key_of(system, effect) AS
  concat(system, '/', effect.type, ':', CASE WHEN effect.namespace <> '' THEN
    plain_name(effect.namespace) || '.' END, plain_name(effect.name));

-- Where it lies: its schema, its folder, else itself.
CREATE OR REPLACE TEMP MACRO space_of(key) AS
  CASE WHEN regexp_matches(key, ':.*[./]')
    THEN regexp_replace(key, '[./][^./]*$', '') ELSE key END;

-- What sort of right a verb takes. Files are changed by other rights than tables.
CREATE OR REPLACE TEMP MACRO class_of(verb, sort) AS
  CASE
    WHEN verb IN ('create', 'alter', 'drop', 'truncate') AND sort <> 'file' THEN 'ddl'
    WHEN sort = 'file' AND verb NOT IN ('read', 'connect', 'execute') THEN 'file-write'
    WHEN verb = 'connect' THEN 'read'
    ELSE verb
  END;

-- What was proposed, each action once; canaries are no actions. Of a text, no more than is compared.
CREATE OR REPLACE TEMP MACRO archived_proposals(since, until) AS TABLE
SELECT
  zone, seq, recorded_at AS seen_at, action_id, action_digest, principal AS agent, on_behalf_of, session,
  system, environment, executor, kind, left(text, 2000) AS text, ticket, parent
FROM actions
WHERE recorded_at >= since AND recorded_at < until AND kind <> 'canary'
QUALIFY row_number() OVER (PARTITION BY zone, action_id, action_digest ORDER BY seq) = 1;

-- The first verdict on each action's bytes for its executor.
CREATE OR REPLACE TEMP MACRO judged(since, until) AS TABLE
SELECT
  zone, action_id, verdict.action_digest AS action_digest, verdict.executor AS executor,
  struct_pack(
    seen_at := recorded_at,
    decision := verdict.decision,
    rules := [coalesce(one.rule, one.code, '?') FOR one IN verdict.reasons],
    intent := verdict.intent,
    policy := verdict.policy,
    issued_at := verdict.issued_at,
    valid_for_ms := verdict.valid_for_ms,
    rewrite_digest := verdict.rewrite.digest,
    -- People looked at it, or gave a right for it.
    sanctioned := verdict.approval IS NOT NULL OR len(verdict.grants) > 0) AS said
FROM archived
WHERE holds = 'verdict' AND recorded_at >= since AND recorded_at < until
QUALIFY row_number() OVER (
  PARTITION BY zone, action_id, verdict.action_digest, verdict.executor ORDER BY seq) = 1;

-- Some of many ids, the newest first.
CREATE OR REPLACE TEMP MACRO some_of(ids) AS list_slice(ids, 1, 20)::VARCHAR[];

-- Actions with their verdict, where there is one.
CREATE OR REPLACE TEMP MACRO archived_decisions(since, until) AS TABLE
SELECT
  a.*, said.decision, said.rules, said.intent, said.policy, said.sanctioned
FROM archived_proposals(since, until) AS a
LEFT JOIN judged(since, until + INTERVAL 1 MINUTE) AS v
  USING (zone, action_id, action_digest, executor);

-- What executors reported, the first report of each action.
CREATE OR REPLACE TEMP MACRO archived_endings(since, until) AS TABLE
SELECT
  zone, action_id, outcome.action_digest AS action_digest, outcome.executor AS executor,
  min(seq) AS seq, min(recorded_at) AS seen_at,
  arg_min(struct_pack(
    agent := outcome.principal,
    status := outcome.status,
    rows_moved := coalesce(outcome.rows, 0),
    bytes_moved := coalesce(outcome.bytes, 0),
    duration_us := outcome.duration_us,
    executed_digest := outcome.executed_digest,
    finished_at := outcome.finished_at), seq) AS told
FROM archived
WHERE holds = 'outcome' AND recorded_at >= since AND recorded_at < until
GROUP BY ALL;

-- What detections ask for. A look at all of them fills tables once, and has these and `touched` read them.
CREATE OR REPLACE TEMP MACRO decided(since, until) AS TABLE FROM archived_decisions(since, until);
CREATE OR REPLACE TEMP MACRO ended(since, until) AS TABLE FROM archived_endings(since, until);

-- Who touched what: one row for each resource of each action.
CREATE OR REPLACE TEMP MACRO touches(since, until) AS TABLE
SELECT
  seen_at, action_id, agent, session, decision, policy, rules[1] AS rule, sanctioned, text,
  effect.verb AS verb, concat_ws('.', system, effect.type, effect.namespace, effect.name) AS full_name,
  effect.type AS sort, effect.name AS name, effect.extent AS extent,
  class_of(effect.verb, effect.type) AS class,
  key_of(system, effect) AS key
FROM (SELECT *, unnest(intent) AS effect FROM decided(since, until));

CREATE OR REPLACE TEMP MACRO touched(since, until) AS TABLE FROM touches(since, until);

-- Who approved which request, each once, and since when it was asked: within a day it ends. Who sends
-- a question once more, about somebody else, hides nothing. Names are compared without their case.
CREATE OR REPLACE TEMP MACRO approvals(since, until) AS TABLE
SELECT
  v.zone, v.request_id::VARCHAR AS request, lower(v.said_by) AS voter, v.recorded_at AS seen_at,
  v.said_by AS shown, max(a.recorded_at) FILTER (a.recorded_at <= v.recorded_at) AS asked_at,
  any_value(a.action_id) AS action_id, any_value(a.principal) AS principal,
  bool_or(lower(v.said_by) IN (lower(a.principal), lower(a.owner), lower(a.on_behalf_of))) AS own
FROM (
  SELECT zone, request_id, said_by, recorded_at FROM vote_records
  WHERE choice = 'approve' AND recorded_at >= since AND recorded_at < until
  QUALIFY row_number() OVER (PARTITION BY zone, request_id, lower(said_by) ORDER BY seq) = 1
) AS v
LEFT JOIN (
  SELECT zone, request_id, recorded_at, action_id, principal, owner, on_behalf_of FROM request_records
  WHERE recorded_at >= since - INTERVAL 2 DAYS AND recorded_at < until
) AS a USING (zone, request_id)
GROUP BY v.zone, v.request_id, v.said_by, v.recorded_at;

-- One hour and more of the archive in short, for `anomaly_hours`.
CREATE OR REPLACE TEMP MACRO hours_of(since, until) AS TABLE
WITH those AS MATERIALIZED (
  SELECT d.*, e.told, date_trunc('hour', d.seen_at) AS hour
  FROM archived_decisions(since, until) AS d
  LEFT JOIN archived_endings(since, until + INTERVAL 10 MINUTES) AS e
    USING (zone, action_id, action_digest, executor)
), uses AS (
  SELECT hour, agent, seen_at, decision, class_of(effect.verb, effect.type) AS class,
    key_of(system, effect) AS key, effect.type AS sort,
    concat_ws('.', system, effect.type, effect.namespace, effect.name) AS full_name
  FROM (SELECT hour, agent, seen_at, decision, system, unnest(intent) AS effect FROM those)
)
SELECT hour, 'volume' AS what, agent, '' AS key, '' AS class,
  count(*) AS actions,
  count(*) FILTER (decision = 'allow') AS allowed,
  count(*) FILTER (decision = 'deny') AS denied,
  count(*) FILTER (decision = 'allow' AND told IS NOT NULL) AS answered,
  coalesce(sum(told.rows_moved), 0)::BIGINT AS rows_moved,
  coalesce(sum(told.bytes_moved), 0)::BIGINT AS bytes_moved,
  min(seen_at) AS first_at, max(seen_at) AS last_at
FROM those GROUP BY ALL
UNION ALL
SELECT hour, 'use', agent, key, class, count(*), count(*) FILTER (decision = 'allow'),
  count(*) FILTER (decision = 'deny'), 0, 0, 0, min(seen_at), max(seen_at)
FROM uses GROUP BY ALL
UNION ALL
SELECT hour, 'rule', agent, rule, '', count(*), 0, count(*), 0, 0, 0, min(seen_at), max(seen_at)
FROM (SELECT hour, agent, seen_at, unnest(list_distinct(rules)) AS rule FROM those WHERE decision = 'deny')
GROUP BY ALL
UNION ALL
-- How many different resources, by their names as they are written.
SELECT hour, 'width', agent, '', '', count(DISTINCT full_name), 0, 0, 0, 0, 0, min(seen_at),
  max(seen_at)
FROM uses WHERE sort NOT IN ('session', 'setting', 'function') GROUP BY ALL
UNION ALL
SELECT hour, 'executor', executor, '', '', count(*), count(*) FILTER (decision = 'allow'),
  count(*) FILTER (decision = 'deny'), count(*) FILTER (decision = 'allow' AND told IS NOT NULL), 0, 0,
  min(seen_at), max(seen_at)
FROM those GROUP BY ALL
UNION ALL
SELECT hour, 'policy', '', policy, '', count(*), 0, 0, 0, 0, 0, min(seen_at), max(seen_at)
FROM those WHERE policy IS NOT NULL GROUP BY ALL
UNION ALL
-- What an administrator says of an agent: a release may do more than the one before.
SELECT date_trunc('hour', recorded_at), 'enrolled', principal, '', '', count(*), 0, 0, 0, 0, 0,
  min(recorded_at), max(recorded_at)
FROM enrolment_records WHERE recorded_at >= since AND recorded_at < until GROUP BY ALL
UNION ALL
SELECT hour, 'context', agent, context_of(on_behalf_of, system, environment, executor, kind), '',
  count(*), count(*) FILTER (decision = 'allow'), count(*) FILTER (decision = 'deny'), 0, 0, 0,
  min(seen_at), max(seen_at)
FROM those GROUP BY ALL
UNION ALL
-- Each approval: who gave it, to which request, and when that was asked.
SELECT date_trunc('hour', seen_at), 'approval', voter, request, zone, 1, 0, 0, 0, 0, 0, seen_at, asked_at
FROM approvals(since, until);

-- Where an agent works from and for whom, as far as the contract has it.
CREATE OR REPLACE TEMP MACRO context_of(on_behalf_of, system, environment, executor, kind) AS
  concat_ws(' ', 'for=' || coalesce(on_behalf_of, '-'), 'system=' || system,
    'environment=' || environment, 'executor=' || executor, 'kind=' || kind);

-- How much of a resource is touched, as a number.
CREATE OR REPLACE TEMP MACRO reach(extent) AS
  CASE extent WHEN 'whole' THEN 3 WHEN 'none' THEN 3 WHEN 'unproven' THEN 2 WHEN 'filtered' THEN 2
    WHEN 'key_bound' THEN 1 ELSE 0 END;

-- Agents that an administrator spoke of lately, and when first.
CREATE OR REPLACE TEMP MACRO announced(since, until, days) AS TABLE
SELECT agent, min(said_at) AS said_at FROM (
  SELECT agent, first_at AS said_at FROM anomaly_hours
  WHERE what = 'enrolled' AND hour < since AND hour >= since - to_days(days)
  UNION ALL
  SELECT principal, recorded_at FROM enrolment_records WHERE recorded_at >= since AND recorded_at < until
) GROUP BY agent;

-- Rules that a new policy brought to several agents at once, and when: nobody's spike.
CREATE OR REPLACE TEMP MACRO rolled_out(since, until, minutes, agents) AS TABLE
WITH policies AS (
  SELECT verdict.policy AS policy, min(recorded_at) AS first_at FROM archived
  WHERE holds = 'verdict' AND recorded_at >= since - to_minutes(2 * minutes) AND recorded_at < until
  GROUP BY ALL
), before AS (
  SELECT DISTINCT key FROM anomaly_hours WHERE what = 'policy' AND hour < since AND key IS NOT NULL
), young AS (
  SELECT policy, first_at FROM policies
  WHERE policy NOT IN (FROM before)
    AND (first_at > (SELECT min(first_at) FROM policies) OR EXISTS (FROM before))
), denied AS (
  SELECT v.action_id, y.policy, y.first_at,
    unnest([coalesce(one.rule, one.code, '?') FOR one IN v.verdict.reasons]) AS rule
  FROM archived AS v JOIN young AS y
    ON y.policy = v.verdict.policy AND v.recorded_at <= y.first_at + to_minutes(minutes)
  WHERE v.holds = 'verdict' AND v.verdict.decision = 'deny'
    AND v.recorded_at >= since - to_minutes(2 * minutes) AND v.recorded_at < until
)
SELECT d.rule, d.policy, d.first_at
FROM denied AS d JOIN actions AS a ON a.action_id = d.action_id
  AND a.recorded_at >= since - to_minutes(2 * minutes) AND a.recorded_at < until
WHERE a.kind <> 'canary'
GROUP BY ALL HAVING count(DISTINCT a.principal) >= agents;
