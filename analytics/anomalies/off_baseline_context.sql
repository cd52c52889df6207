-- A known agent comes from where it never came: for another person, at another system, environment
-- or executor, with another kind of action; or after a long silence. The contract has no network,
-- model or version of an agent, so none of them is compared.
CREATE OR REPLACE TEMP MACRO off_baseline_context(
  since := NULL, until := NULL, warm_days := 3, warm_actions := 30, dormant_days := 30
) AS TABLE
WITH known AS MATERIALIZED (
  SELECT agent, sum(actions) AS actions, max(last_at) AS last_at, min(first_at) AS first_at
  FROM anomaly_hours WHERE what = 'volume' AND first_at <= begin_of(since, until) GROUP BY agent
), parts AS (
  SELECT DISTINCT agent, unnest(string_split(key, ' ')) AS part FROM anomaly_hours
  WHERE what = 'context' AND first_at <= begin_of(since, until)
), came AS MATERIALIZED (
  SELECT seen_at, action_id, agent, decision,
    context_of(on_behalf_of, system, environment, executor, kind) AS context
  FROM decided(begin_of(since, until), end_of(until))
), fresh AS (
  SELECT seen_at, action_id, agent, decision, unnest(string_split(context, ' ')) AS part FROM came
), odd AS (
  SELECT min(f.seen_at) AS seen_at, f.agent, f.part AS key, k.actions AS score, 0 AS baseline,
    concat('first action with ', left(f.part, 150), ' after ', k.actions, ' without; ', count(*),
      ' such actions') AS reason,
    list(f.action_id ORDER BY f.seen_at) AS ids, bool_or(f.decision = 'allow') AS allowed
  FROM fresh AS f JOIN known AS k USING (agent)
  WHERE k.first_at <= begin_of(since, until) - to_days(warm_days) AND k.actions >= warm_actions
    AND NOT EXISTS (FROM parts AS p WHERE p.agent = f.agent AND p.part = f.part)
  GROUP BY f.agent, f.part, k.actions
  UNION ALL
  SELECT min(c.seen_at), c.agent, 'dormant', date_diff('day', k.last_at, min(c.seen_at)), dormant_days,
    concat('back after ', date_diff('day', k.last_at, min(c.seen_at)), ' days of silence; ', count(*),
      ' actions'), list(c.action_id ORDER BY c.seen_at), bool_or(c.decision = 'allow')
  FROM came AS c JOIN known AS k USING (agent)
  GROUP BY c.agent, k.last_at HAVING min(c.seen_at) > k.last_at + to_days(dormant_days)
)
SELECT
  'off_baseline_context' AS name, seen_at, agent, key, score::DOUBLE AS score,
  baseline::DOUBLE AS baseline, reason, some_of(ids) AS evidence,
  CASE WHEN allowed THEN 'warning' ELSE 'notice' END AS severity
FROM odd;
