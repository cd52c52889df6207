-- Every action of a period with the verdict and the outcome that count, as the table `population`:
-- parameters since, until, answered_until, doubted (sequences of verdicts and outcomes that do not count).
CREATE OR REPLACE TEMP TABLE population AS
WITH proposed AS (
  SELECT *, CASE WHEN kind = 'sql' OR (kind = 'shell' AND coalesce(len(argv), 0) = 0) THEN text END AS plain
  FROM actions
  WHERE recorded_at >= $since AND recorded_at < $until AND kind <> 'canary'
  QUALIFY row_number() OVER (PARTITION BY zone, action_id, action_digest ORDER BY seq) = 1
),
answered AS (
  SELECT *
  FROM verdict_records
  WHERE recorded_at >= $since AND recorded_at < $answered_until
    AND seq NOT IN (SELECT unnest($doubted::UBIGINT[]))
  QUALIFY row_number() OVER (
    PARTITION BY zone, action_id, action_digest, executor ORDER BY seq
  ) = 1
),
ended AS (
  SELECT *
  FROM outcome_records
  WHERE recorded_at >= $since AND recorded_at < $answered_until
    AND seq NOT IN (SELECT unnest($doubted::UBIGINT[]))
  QUALIFY row_number() OVER (
    PARTITION BY zone, action_id, action_digest, executor ORDER BY seq
  ) = 1
)
SELECT
  a.seq, a.topic, a.partition, a."offset", a.recorded_at, a.action_id, a.action_digest,
  a.principal, a.principal_kind, a.on_behalf_of, a.session, a.system, a.environment, a.catalog,
  a.kind, left(a.text, 500) AS text, a.reason, a.ticket, a.executor,
  CASE
    WHEN coalesce(len(v.intent), 0) = 0 THEN 'unknown'
    WHEN len([1 FOR one IN v.intent IF one.verb NOT IN ('read', 'connect')]) > 0 THEN 'yes'
    ELSE 'no'
  END AS changes,
  list_sort(list_distinct([one.verb FOR one IN v.intent])) AS verbs,
  list_sort(list_distinct([
    -- A program lies in a path, which ends with its name.
    CASE WHEN one.type = 'program' AND ends_with(one.namespace, '/' || one.name) THEN one.namespace
      WHEN one.type = 'program' AND contains(one.namespace, '/')
        THEN one.name || ' (' || one.namespace || ')'
      WHEN one.namespace <> '' THEN one.namespace || '.' || one.name
      ELSE one.name END
    FOR one IN v.intent IF one.verb NOT IN ('read', 'connect')
  ])) AS resources,
  coalesce(v.decision, 'none') AS decision,
  coalesce(v.would_deny, false) AS would_deny,
  v.rules, v.codes, v.policy, v.judge, v.approval, v.request,
  coalesce(o.status, 'none') AS outcome,
  o.rows_affected, o.error, o.executed_digest,
  -- What had to run: the rewrite, or the text; of other payloads the digest covers more than a text.
  coalesce(v.rewrite_digest, sha256(a.plain)) AS expected_digest,
  -- Seconds from the end of the verdict to the beginning of the execution, by the executor's clock. Numbers, for
  -- whoever may report can claim any length, and no calendar holds all of them.
  epoch(o.finished_at) - o.duration_us / 1e6 - epoch(v.issued_at) - v.valid_for_ms / 1e3 AS late_s,
  v.seq AS verdict_seq, o.seq AS outcome_seq
FROM proposed AS a
LEFT JOIN answered AS v
  ON v.zone = a.zone AND v.action_id = a.action_id
  AND v.action_digest = a.action_digest AND v.executor = a.executor
LEFT JOIN ended AS o
  ON o.zone = a.zone AND o.action_id = a.action_id
  AND o.action_digest = a.action_digest AND o.executor = a.executor
ORDER BY a.seq
