-- An agent does for the first time what takes another right than anything that it did before.
-- It has to be known for some days: everything is new for a new agent. The contract has no version
-- of an agent; what comes soon after an administrator enrolled the agent anew is taken for a release,
-- and what people approved or granted was looked at.
CREATE OR REPLACE TEMP MACRO new_capability(
  since := NULL, until := NULL,
  warm_days := 3, warm_actions := 50, release_days := 7,
  classes := ['delete', 'ddl', 'grant', 'export', 'import', 'configure', 'file-write', 'write']
) AS TABLE
WITH known AS (
  SELECT * FROM (
    SELECT agent, sum(actions) AS actions, min(first_at) AS begun FROM anomaly_hours
    WHERE what = 'volume' AND hour < begin_of(since, until) GROUP BY agent)
  WHERE begun <= begin_of(since, until) - to_days(warm_days) AND actions >= warm_actions
), could AS (
  SELECT DISTINCT agent, class FROM anomaly_hours
  WHERE what = 'use' AND hour < begin_of(since, until)
), news AS (
  FROM announced(begin_of(since, until), end_of(until), release_days)
)
SELECT
  'new_capability' AS name, min(t.seen_at) AS seen_at, t.agent, t.class AS key,
  any_value(k.actions)::DOUBLE AS score, 0::DOUBLE AS baseline,
  concat('first ', t.class, ' after ', any_value(k.actions), ' actions without one: ',
    left(arg_min(t.verb || ' ' || t.key, t.seen_at), 150), ', ', count(DISTINCT t.action_id), ' times') AS reason,
  some_of(list(DISTINCT t.action_id)) AS evidence,
  CASE WHEN bool_or(t.decision = 'allow') THEN 'alert' ELSE 'warning' END AS severity
FROM touched(begin_of(since, until), end_of(until)) AS t
JOIN known AS k USING (agent)
WHERE list_contains(classes, t.class) AND t.sort <> 'session'
  AND NOT coalesce(t.sanctioned, false)
  AND NOT EXISTS (FROM news AS n WHERE n.agent = t.agent AND n.said_at < t.seen_at)
  AND NOT EXISTS (FROM could AS c WHERE c.agent = t.agent AND c.class = t.class)
GROUP BY t.agent, t.class;
