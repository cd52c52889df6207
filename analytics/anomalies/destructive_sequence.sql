-- In one session, in this order: what would bring it back is switched off, and then much is
-- destroyed; or much is read, and then something leaves. A step that the agent takes on other days
-- as well is its work: a nightly job drops and exports. What people approved or granted is not told.
CREATE OR REPLACE TEMP MACRO destructive_sequence(
  since := NULL, until := NULL,
  minutes := 120, reads := 6, usual_days := 2,
  recovery := '(backup|snapshot|archiv|audit|pgaudit|wal[-_.]|replica|slot|retention|binlog|barman|restic|velero|syslog|auditd|logging)'
) AS TABLE
WITH acts AS MATERIALIZED (
  SELECT seen_at, action_id, agent, session, verb, sort, name, extent, key, class, decision,
    lower(left(text, 2000)) AS text
  FROM touched(begin_of(since, until) - to_minutes(minutes), end_of(until))
  WHERE session IS NOT NULL AND NOT coalesce(sanctioned, false)
), usual AS (
  SELECT agent, key, class FROM anomaly_hours
  WHERE what = 'use' AND hour < begin_of(since, until)
  GROUP BY ALL HAVING count(DISTINCT date_trunc('day', hour)) >= usual_days
), routine AS (
  SELECT a.*, EXISTS (FROM usual AS u WHERE u.agent = a.agent AND u.key = a.key
    AND u.class = a.class) AS known
  FROM acts AS a
), weakened AS (
  SELECT agent, session, min(seen_at) AS seen_at, arg_min(action_id, seen_at) AS action_id,
    arg_min(verb || ' ' || key, seen_at) AS what
  FROM routine
  WHERE NOT known AND decision IS DISTINCT FROM 'deny'
    AND (verb IN ('configure', 'alter', 'drop', 'delete', 'truncate', 'execute', 'write'))
    AND (regexp_matches(lower(name), recovery)
      OR (verb = 'execute' AND regexp_matches(text, recovery)
        AND regexp_matches(text, '(stop|disable|off|suspend|delete|remove|kill|mask|scale)')))
  GROUP BY agent, session
), destroyed AS (
  SELECT w.agent, w.session, min(r.seen_at) AS seen_at, 'recovery-off' AS key, count(DISTINCT r.key) AS n,
    list(DISTINCT r.action_id) AS ids, any_value(w.action_id) AS first_id, any_value(w.what) AS what,
    bool_or(r.decision = 'allow') AS allowed
  FROM weakened AS w JOIN routine AS r
    ON r.agent = w.agent AND r.session = w.session AND r.seen_at > w.seen_at
    AND r.seen_at <= w.seen_at + to_minutes(minutes) AND r.action_id <> w.action_id
  WHERE NOT r.known AND (r.verb IN ('drop', 'truncate')
    OR (r.verb = 'delete' AND reach(r.extent) >= 2))
  GROUP BY ALL
), gathered AS (
  SELECT agent, session, seen_at, action_id, verb, sort, name, key, known, decision,
    count(*) FILTER (verb = 'read' AND sort = 'table') OVER (
      PARTITION BY agent, session ORDER BY seen_at
      RANGE BETWEEN to_minutes(minutes) PRECEDING AND CURRENT ROW) AS n
  FROM routine
), left_us AS (
  SELECT agent, session, min(seen_at) AS seen_at, 'exfiltration' AS key, max(n) AS n,
    list(DISTINCT action_id) AS ids, arg_min(action_id, seen_at) AS first_id,
    arg_min(verb || ' ' || key, seen_at) AS what, bool_or(decision = 'allow') AS allowed
  FROM gathered
  WHERE NOT known AND n >= reads AND (verb = 'export'
    OR (sort = 'host' AND verb IN ('write', 'connect', 'create', 'export')
      AND NOT regexp_matches(lower(name), '^(localhost|127\.|::1|\[::1\])')))
  GROUP BY ALL
)
SELECT
  'destructive_sequence' AS name, seen_at, agent, concat(key, ' ', left(session, 100)) AS key,
  n::DOUBLE AS score, 0::DOUBLE AS baseline,
  CASE key WHEN 'recovery-off'
    THEN concat(left(what, 120), ', then ', n, ' resources dropped, emptied or deleted within ', minutes,
      ' minutes of the same session')
    ELSE concat(n, ' tables read, then ', left(what, 120), ' within ', minutes,
      ' minutes of the same session') END AS reason,
  some_of(list_prepend(first_id, ids)) AS evidence,
  CASE WHEN allowed THEN 'alert' ELSE 'warning' END AS severity
FROM (FROM destroyed UNION ALL BY NAME FROM left_us)
WHERE seen_at >= begin_of(since, until);
