-- An agent touches what it never touched, and it is one of those that keep to what they know.
-- Names are compared without numbers, so that a new partition is no new table. What the agent made
-- itself, and what it reaches in a place where it finds something new every other day, is not told.
CREATE OR REPLACE TEMP MACRO new_resource(
  since := NULL, until := NULL,
  history_days := 14, warm_days := 3, new_a_day := 0.2, release_days := 3, at_most := 5
) AS TABLE
WITH past AS MATERIALIZED (
  SELECT agent, key, space_of(key) AS space, class = 'read' AS reads, class, min(first_at) AS first_at
  FROM anomaly_hours
  WHERE what = 'use' AND hour < begin_of(since, until)
    AND hour >= begin_of(since, until) - to_days(history_days)
  GROUP BY ALL
), known AS (
  -- How often the agent met a new place since it was new itself, for each day that it was there.
  SELECT agent, min(begun) AS begun,
    count(*) FILTER (first_at > begun + INTERVAL 1 DAY)
      / greatest(1, date_diff('hour', min(begun), begin_of(since, until)) / 24.0 - 1) AS rate
  FROM (SELECT agent, space, min(first_at) AS first_at,
      min(min(first_at)) OVER (PARTITION BY agent) AS begun FROM past GROUP BY agent, space)
  GROUP BY agent
  HAVING min(begun) <= begin_of(since, until) - to_days(warm_days)
), seen AS (
  SELECT *, space_of(key) AS space
  FROM touched(begin_of(since, until), end_of(until)) WHERE sort <> 'session' AND class <> 'execute'
), news AS (
  FROM announced(begin_of(since, until), end_of(until), release_days)
), fresh AS (
  SELECT s.agent, s.space, min(s.seen_at) AS seen_at, k.rate, list(DISTINCT s.key) AS keys,
    count(*) AS uses, list(s.action_id ORDER BY s.seen_at) AS ids,
    bool_or(s.decision = 'allow') AS allowed
  FROM seen AS s JOIN known AS k ON k.agent = s.agent AND k.rate <= new_a_day
  WHERE NOT coalesce(s.sanctioned, false)
    AND NOT EXISTS (FROM past AS p WHERE p.agent = s.agent AND p.space = s.space)
    AND NOT EXISTS (FROM news AS n WHERE n.agent = s.agent AND n.said_at < s.seen_at)
    AND NOT EXISTS (FROM seen AS m WHERE m.agent = s.agent AND m.key = s.key AND m.verb = 'create'
      AND m.decision = 'allow' AND m.seen_at < s.seen_at)
  GROUP BY ALL
)
SELECT
  'new_resource' AS name, seen_at, agent, space AS key,
  (1 / (rate + 0.05))::DOUBLE AS score, rate::DOUBLE AS baseline,
  concat('first use of ', left(space, 120), CASE WHEN len(keys) > 1
    THEN concat(' (', len(keys), ' resources)') END, ' in ', history_days, ' days, ', uses,
    ' times; the agent finds ', round(rate, 2), ' new places a day') AS reason,
  some_of(ids) AS evidence,
  CASE WHEN allowed THEN 'warning' ELSE 'notice' END AS severity
FROM fresh
QUALIFY row_number() OVER (PARTITION BY agent ORDER BY seen_at, space) <= at_most;
