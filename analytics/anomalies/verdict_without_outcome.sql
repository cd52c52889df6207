-- Allowed, and nobody says what became of it: many in an hour, far more than this agent or executor
-- ever leaves open, or a whole session. A single one is a crash or a dry run; executors that never
-- report are known by their past. Looked at only when an outcome had time to come.
CREATE OR REPLACE TEMP MACRO verdict_without_outcome(
  since := NULL, until := NULL,
  minutes := 10, missing := 8, share := 0.5, above_usual := 0.3
) AS TABLE
WITH allowed AS MATERIALIZED (
  SELECT d.seen_at, action_id, d.agent, executor, d.session, e.told IS NULL AS is_open
  FROM decided(begin_of(since, until), settled_end(until, to_minutes(minutes))) AS d
  LEFT JOIN ended(begin_of(since, until), end_of(until) + to_minutes(minutes)) AS e
    USING (zone, action_id, action_digest, executor)
  WHERE d.decision = 'allow'
), past AS (
  SELECT what, agent, 1 - sum(answered) / greatest(1, sum(allowed)) AS usual FROM anomaly_hours
  WHERE what IN ('volume', 'executor') AND hour < begin_of(since, until) GROUP BY ALL
), groups AS (
  SELECT 'volume' AS what, agent, date_trunc('hour', seen_at)::VARCHAR AS slot, * EXCLUDE (agent)
  FROM allowed
  UNION ALL
  SELECT 'executor', executor, date_trunc('hour', seen_at)::VARCHAR, * EXCLUDE (agent) FROM allowed
  UNION ALL
  SELECT 'volume', agent, session, * EXCLUDE (agent) FROM allowed WHERE session IS NOT NULL
), counted AS (
  SELECT what, agent, slot, min(seen_at) FILTER (is_open) AS seen_at, count(*) FILTER (is_open) AS n,
    count(*) AS of_all, list(action_id ORDER BY seen_at) FILTER (is_open) AS ids,
    any_value(executor) AS executor
  FROM groups GROUP BY ALL
), missed AS (
  SELECT c.*, coalesce(p.usual, 0) AS usual FROM counted AS c LEFT JOIN past AS p USING (what, agent)
)
SELECT
  'verdict_without_outcome' AS name, seen_at, agent, CASE what WHEN 'executor' THEN 'executor' ELSE 'agent' END AS key, n::DOUBLE AS score,
  (usual * of_all)::DOUBLE AS baseline,
  concat(n, ' of ', of_all, ' allowed actions at executor ', left(executor, 100),
    ' have no outcome; usually ', round(100 * usual)::INTEGER, '%') AS reason,
  some_of(ids) AS evidence, 'warning' AS severity
FROM missed
WHERE n >= missing AND n >= share * of_all AND n / of_all >= usual + above_usual
QUALIFY row_number() OVER (PARTITION BY agent, date_trunc('hour', seen_at) ORDER BY n DESC, slot) = 1;
