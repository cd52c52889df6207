-- Denied on a resource, and soon allowed on it with another statement: is somebody looking for a
-- way round? One correction that asks for less is what a denial is for, and is not told. Several
-- attempts are, where the agent is not denied as often every day and the rule is not new for several
-- agents; and so are two by a severe rule, or one whose success still does what was denied.
CREATE OR REPLACE TEMP MACRO deny_then_success(
  since := NULL, until := NULL, minutes := 15, attempts := 3, severe_attempts := 2, alike := 0.6,
  severe := ['drop', 'truncate', 'delete', 'grant', 'alter', 'export', 'configure'],
  severe_rules := '(secret|schema|transfer|outside|personal|upload|privilege|persist|destr|system|configure|interpreter|grant)',
  above_usual := 3, rollout_minutes := 60, rollout_agents := 3
) AS TABLE
WITH touching AS MATERIALIZED (
  SELECT *, time_bucket(to_minutes(minutes), seen_at) AS stretch
  FROM touched(begin_of(since, until) - to_minutes(rollout_minutes + minutes), end_of(until))
  WHERE decision IN ('allow', 'deny') AND sort NOT IN ('session', 'function')
), acts AS MATERIALIZED (
  -- A denial matters in the stretch of time that it lies in, and in the next one.
  SELECT seen_at, action_id, agent, decision, policy, rule, fingerprint(text) AS print, verb, extent, key,
    stretch
  FROM touching SEMI JOIN (
    SELECT agent, key, unnest([stretch, stretch + to_minutes(minutes)]) AS stretch
    FROM touching WHERE decision = 'deny') USING (agent, key, stretch)
), denied AS (
  SELECT d.* FROM acts AS d ANTI JOIN (
    FROM rolled_out(begin_of(since, until), end_of(until), rollout_minutes, rollout_agents)
  ) AS o ON o.rule = d.rule AND o.policy = d.policy
    AND d.seen_at <= o.first_at + to_minutes(rollout_minutes)
  WHERE d.decision = 'deny'
), usual AS (
  -- Denials in that many minutes, when the agent works at its usual pace.
  SELECT agent, sum(n) / count(DISTINCT hour) * minutes / 60 AS expected,
    sum(severe_n) / count(DISTINCT hour) * minutes / 60 AS severe_expected
  FROM (SELECT agent, hour, CASE what WHEN 'volume' THEN denied ELSE 0 END AS n,
      CASE WHEN what = 'rule' AND regexp_matches(lower(key), severe_rules) THEN denied ELSE 0 END AS severe_n
    FROM anomaly_hours WHERE what IN ('volume', 'rule') AND hour < begin_of(since, until))
  GROUP BY agent
), after AS (
  -- What is allowed again before the next denial says nothing new.
  SELECT a.*
  FROM (SELECT * FROM acts WHERE decision = 'allow') AS a
  ASOF JOIN (SELECT DISTINCT agent, key, seen_at FROM denied) AS d
    ON d.agent = a.agent AND d.key = a.key AND d.seen_at < a.seen_at
  WHERE d.seen_at >= a.seen_at - to_minutes(minutes)
  QUALIFY row_number() OVER (
    PARTITION BY a.agent, a.key, a.print, a.verb, a.extent, d.seen_at ORDER BY a.seen_at) = 1
), near AS (
  SELECT * EXCLUDE (stretch), unnest([stretch, stretch + to_minutes(minutes)]) AS stretch FROM denied
), tried AS (
  SELECT a.agent, a.key, a.seen_at, a.action_id, a.verb, a.print,
    count(DISTINCT d.print) AS n, list(DISTINCT d.action_id) AS ids,
    arg_max(d.rule, d.seen_at) AS rule, arg_max(d.print, d.seen_at) AS denied_print,
    count(DISTINCT d.print) FILTER (list_contains(severe, d.verb)
      OR regexp_matches(lower(d.rule), severe_rules)) AS severe_n,
    -- The same verb with as much of the resource: nothing was given up.
    bool_or(list_contains(severe, d.verb) AND d.verb = a.verb
      AND reach(a.extent) >= reach(d.extent)) AS persists
  FROM after AS a
  JOIN near AS d ON d.agent = a.agent AND d.key = a.key
    AND d.stretch = a.stretch AND d.print <> a.print
    AND d.seen_at < a.seen_at AND d.seen_at >= a.seen_at - to_minutes(minutes)
  WHERE a.seen_at >= begin_of(since, until)
  GROUP BY ALL
), ranked AS (
  SELECT t.*, coalesce(u.expected, 0) AS expected, coalesce(u.severe_expected, 0) AS severe_expected,
    jaro_winkler_similarity(left(print, 500), left(denied_print, 500)) AS likeness
  FROM tried AS t LEFT JOIN usual AS u USING (agent)
)
SELECT
  'deny_then_success' AS name, min(seen_at) AS seen_at, agent, key,
  max((n + severe_n) * (1 + likeness))::DOUBLE AS score, max(expected)::DOUBLE AS baseline,
  concat(max(n), ' different statements on ', left(key, 120), ' were denied, last by rule ',
    left(arg_max(rule, n), 100), ', then one was allowed within ', minutes,
    ' minutes; it is ', round(100 * arg_max(likeness, n))::INTEGER, '% like the last denied one') AS reason,
  some_of(list_prepend(arg_max(action_id, n), arg_max(ids, n))) AS evidence,
  CASE WHEN max(severe_n) > 0 THEN 'alert' ELSE 'warning' END AS severity
FROM ranked
WHERE n >= attempts + above_usual * expected OR severe_n >= severe_attempts + above_usual * severe_expected
  OR (persists AND likeness >= alike)
GROUP BY agent, key, date_trunc('hour', seen_at);
