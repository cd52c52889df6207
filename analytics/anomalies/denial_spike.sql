-- An agent is denied by one rule more often than it ever is: in a burst, or steadily for an hour.
-- Retries of one statement are one statement. A rule that a new policy turns on for several agents
-- at once is a roll-out, and no spike.
CREATE OR REPLACE TEMP MACRO denial_spike(
  since := NULL, until := NULL,
  minutes := 5, denials := 8, statements := 4, share := 0.3, burst := 12,
  slow_minutes := 60, slow_denials := 16, slow_statements := 8, slow_share := 0.1,
  rollout_minutes := 60, rollout_agents := 3
) AS TABLE
WITH decisions AS MATERIALIZED (
  SELECT seen_at, action_id, agent, decision, policy, rules, text
  FROM decided(begin_of(since, until) - to_minutes(slow_minutes), end_of(until))
  WHERE decision IS NOT NULL
), denied AS MATERIALIZED (
  SELECT seen_at, action_id, agent, policy, fingerprint(text) AS print, rule
  FROM (SELECT * EXCLUDE (rules), unnest(list_distinct(rules)) AS rule
    FROM decisions WHERE decision = 'deny')
  QUALIFY count(*) OVER (PARTITION BY agent, rule) >= denials
), all_of AS (
  SELECT action_id,
    count(*) OVER (PARTITION BY agent ORDER BY seen_at
      RANGE BETWEEN to_minutes(minutes) PRECEDING AND CURRENT ROW) AS fast,
    count(*) OVER (PARTITION BY agent ORDER BY seen_at
      RANGE BETWEEN to_minutes(slow_minutes) PRECEDING AND CURRENT ROW) AS slow
  FROM decisions WHERE agent IN (SELECT agent FROM denied)
), counted AS (
  SELECT d.*, a.fast, a.slow,
    count(*) OVER brief AS n, count(DISTINCT print) OVER brief AS prints,
    count(*) OVER long AS slow_n, count(DISTINCT print) OVER long AS slow_prints
  FROM denied AS d JOIN all_of AS a USING (action_id)
  WINDOW
    brief AS (PARTITION BY agent, rule ORDER BY seen_at
      RANGE BETWEEN to_minutes(minutes) PRECEDING AND CURRENT ROW),
    long AS (PARTITION BY agent, rule ORDER BY seen_at
      RANGE BETWEEN to_minutes(slow_minutes) PRECEDING AND CURRENT ROW)
), past AS (
  -- The 95th percentile of the hours in which the agent worked, those without a denial too.
  SELECT v.agent, w.rule, quantile_cont(coalesce(r.denied, 0), 0.95) AS usual
  FROM (SELECT DISTINCT agent, rule FROM denied) AS w
  JOIN anomaly_hours AS v
    ON v.what = 'volume' AND v.agent = w.agent AND v.hour < begin_of(since, until)
  LEFT JOIN anomaly_hours AS r
    ON r.what = 'rule' AND r.agent = w.agent AND r.key = w.rule AND r.hour = v.hour
  GROUP BY ALL
), hits AS (
  SELECT c.*, coalesce(p.usual, 0) AS usual,
    n >= denials AND prints >= statements AND n >= share * fast
      AND n > coalesce(p.usual, 0) * burst * minutes / 60 AS fast_hit,
    slow_n >= slow_denials AND slow_prints >= slow_statements AND slow_n >= slow_share * slow
      AND slow_n > coalesce(p.usual, 0) * 2 AS slow_hit
  FROM counted AS c LEFT JOIN past AS p ON p.agent = c.agent AND p.rule = c.rule
  WHERE seen_at >= begin_of(since, until)
), young AS (
  FROM rolled_out(begin_of(since, until), end_of(until), rollout_minutes, rollout_agents)
)
SELECT
  'denial_spike' AS name, min(seen_at) AS seen_at, agent, rule AS key,
  (max(greatest(n / denials, slow_n / slow_denials)))::DOUBLE AS score,
  any_value(usual)::DOUBLE AS baseline,
  concat(CASE WHEN bool_or(fast_hit)
      THEN concat(max(n) FILTER (fast_hit), ' denials of ', max(prints) FILTER (fast_hit),
        ' different statements by rule ', left(rule, 100), ' within ', minutes, ' minutes')
      ELSE concat(max(slow_n) FILTER (slow_hit), ' denials of ', max(slow_prints) FILTER (slow_hit),
        ' different statements by rule ', left(rule, 100), ' within ', slow_minutes, ' minutes') END,
    '; usually at most ', round(any_value(usual), 1), ' an hour') AS reason,
  some_of(list(action_id ORDER BY seen_at DESC)) AS evidence,
  'alert' AS severity
FROM hits AS h
WHERE (fast_hit OR slow_hit) AND NOT EXISTS (
  FROM young AS o WHERE o.rule = h.rule AND o.policy = h.policy
    AND h.seen_at <= o.first_at + to_minutes(rollout_minutes))
GROUP BY agent, rule, date_trunc('hour', seen_at);
