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
WITH acts AS MATERIALIZED (
  SELECT d.seen_at, d.action_id, d.agent, d.decision, d.policy, d.rules[1] AS rule,
    fingerprint(d.text) AS print, effect.verb AS verb, effect.extent AS extent,
    key_of(system, effect) AS key
  FROM (SELECT *, unnest(intent) AS effect
    FROM decided(begin_of(since, until) - to_minutes(rollout_minutes + minutes), end_of(until))
    WHERE decision IN ('allow', 'deny')) AS d
  WHERE effect.type NOT IN ('session', 'function')
  QUALIFY bool_or(decision = 'deny') OVER (PARTITION BY agent, key)
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
), tried AS (
  SELECT a.agent, a.key, a.seen_at, a.action_id, a.verb, a.print,
    count(DISTINCT d.print) AS n, list(DISTINCT d.action_id) AS ids,
    arg_max(d.rule, d.seen_at) AS rule, arg_max(d.print, d.seen_at) AS denied_print,
    count(DISTINCT d.print) FILTER (list_contains(severe, d.verb)
      OR regexp_matches(lower(d.rule), severe_rules)) AS severe_n,
    -- The same verb with as much of the resource: nothing was given up.
    bool_or(list_contains(severe, d.verb) AND d.verb = a.verb
      AND reach(a.extent) >= reach(d.extent)) AS persists
  FROM acts AS a
  JOIN denied AS d ON d.agent = a.agent AND d.key = a.key AND d.print <> a.print
    AND d.seen_at < a.seen_at AND d.seen_at >= a.seen_at - to_minutes(minutes)
  WHERE a.decision = 'allow' AND a.seen_at >= begin_of(since, until)
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
