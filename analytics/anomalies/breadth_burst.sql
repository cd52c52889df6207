-- Within ten minutes, an agent touches more different resources than it ever did in an hour.
-- Crawlers and migrations are wide every day, and so are known by their own past. Names are compared
-- as they are written, partitions of one table too: who reads all of them is wide as well, once
-- they are many more.
CREATE OR REPLACE TEMP MACRO breadth_burst(
  since := NULL, until := NULL,
  minutes := 10, resources := 15, factor := 1.5, warm_hours := 24
) AS TABLE
WITH seen AS MATERIALIZED (
  SELECT DISTINCT ON (agent, minute, full_name) agent, full_name,
    time_bucket(INTERVAL 1 MINUTE, seen_at) AS minute, seen_at, action_id
  FROM touched(begin_of(since, until) - to_minutes(minutes), end_of(until))
  WHERE sort NOT IN ('session', 'setting', 'function')
), past AS (
  SELECT agent, quantile_cont(actions, 0.99) AS usual, count(*) AS known
  FROM anomaly_hours WHERE what = 'width' AND hour < begin_of(since, until) GROUP BY agent
), busy AS (
  -- A sliding window lies in two of these: half of it is in one.
  SELECT agent, time_bucket(to_minutes(minutes), minute) AS bucket FROM seen
  GROUP BY ALL HAVING count(DISTINCT full_name) >= resources / 2
), counted AS (
  SELECT s.*, count(DISTINCT full_name) OVER (PARTITION BY agent ORDER BY minute
    RANGE BETWEEN to_minutes(minutes - 1) PRECEDING AND CURRENT ROW) AS n
  FROM seen AS s SEMI JOIN busy AS b ON b.agent = s.agent
    AND s.minute >= b.bucket - to_minutes(minutes) AND s.minute < b.bucket + to_minutes(2 * minutes)
)
SELECT
  'breadth_burst' AS name, min(seen_at) AS seen_at, agent, 'breadth' AS key,
  (max(n) / greatest(1, any_value(p.usual)))::DOUBLE AS score, any_value(p.usual)::DOUBLE AS baseline,
  concat(max(n), ' different resources within ', minutes, ' minutes; usually at most ',
    round(any_value(p.usual))::BIGINT, ' in an hour') AS reason,
  some_of(list(DISTINCT action_id)) AS evidence,
  'warning' AS severity
FROM counted AS c JOIN past AS p USING (agent)
WHERE seen_at >= begin_of(since, until) AND n >= resources AND n > factor * p.usual
  AND p.known >= warm_hours
GROUP BY agent, date_trunc('hour', minute);
