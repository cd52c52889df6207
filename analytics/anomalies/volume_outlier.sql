-- Within an hour, or three of them, an agent does, reads or changes far more than in its hours at
-- that time of day. What is denied moves nothing and is not counted.
-- Compared are logarithms, by median and MAD, of workdays with workdays: a bursty agent's MAD is never
-- taken for nothing, and what the agent did before at this hour of this day of the week is no outlier.
CREATE OR REPLACE TEMP MACRO volume_outlier(
  since := NULL, until := NULL,
  k := 6.0, slow_k := 4.0, floor_mad := 0.18, hours_known := 8, at_least_actions := 60,
  at_least_rows := 20000, at_least_bytes := 20000000, growth := 2.0
) AS TABLE
WITH moved AS MATERIALIZED (
  SELECT seen_at, agent, action_id, 1 AS actions, 0 AS rows_moved, 0 AS bytes_moved
  FROM decided(begin_of(since, until) - INTERVAL 6 HOURS, end_of(until)) WHERE decision = 'allow'
  UNION ALL
  SELECT seen_at, told.agent, action_id, 0, told.rows_moved, told.bytes_moved
  FROM ended(begin_of(since, until) - INTERVAL 6 HOURS, end_of(until))
), slots AS (
  SELECT agent, time_bucket(INTERVAL 5 MINUTES, seen_at) AS slot, sum(actions) AS actions,
    sum(rows_moved) AS rows_moved, sum(bytes_moved) AS bytes_moved
  FROM moved GROUP BY ALL
), sliding AS (
  SELECT agent, slot, 1 AS wide,
    (sum(actions) OVER hourly)::DOUBLE AS actions,
    (sum(rows_moved) OVER hourly)::DOUBLE AS "rows", (sum(bytes_moved) OVER hourly)::DOUBLE AS "bytes"
  FROM slots
  WINDOW hourly AS (PARTITION BY agent ORDER BY slot
    RANGE BETWEEN INTERVAL 55 MINUTES PRECEDING AND CURRENT ROW)
  UNION ALL
  SELECT agent, slot, 3, sum(actions) OVER slow / 3, sum(rows_moved) OVER slow / 3,
    sum(bytes_moved) OVER slow / 3
  FROM slots
  WINDOW slow AS (PARTITION BY agent ORDER BY slot
    RANGE BETWEEN INTERVAL 175 MINUTES PRECEDING AND CURRENT ROW)
), measured AS (
  UNPIVOT sliding ON actions, "rows", "bytes" INTO NAME measure VALUE amount
), high AS MATERIALIZED (
  SELECT *, hour(slot) AS clock, dayofweek(slot) AS day, dayofweek(slot) IN (0, 6) AS weekend FROM measured
  WHERE slot >= begin_of(since, until) - INTERVAL 3 HOURS AND amount * wide >= CASE measure
    WHEN 'actions' THEN at_least_actions WHEN 'rows' THEN at_least_rows ELSE at_least_bytes END
), hourly AS (
  SELECT agent, hour, allowed::DOUBLE AS actions, rows_moved::DOUBLE AS "rows", bytes_moved::DOUBLE AS "bytes"
  FROM anomaly_hours
  WHERE what = 'volume' AND date_trunc('hour', begin_of(since, until)) > hour
    AND agent IN (SELECT agent FROM high)
), past AS MATERIALIZED (
  -- Whole hours, and three of them together, by the hour that they end with.
  SELECT agent, measure, wide, hour(hour) AS clock, dayofweek(hour) AS day, dayofweek(hour) IN (0, 6) AS weekend,
    was, ln(1 + was) AS log_was
  FROM (
    UNPIVOT (
      SELECT agent, hour, 1 AS wide, actions, "rows", "bytes" FROM hourly
      UNION ALL
      SELECT agent, hour, 3, sum(actions) OVER slow / 3, sum("rows") OVER slow / 3, sum("bytes") OVER slow / 3
      FROM hourly
      WINDOW slow AS (PARTITION BY agent ORDER BY hour
        RANGE BETWEEN INTERVAL 2 HOURS PRECEDING AND CURRENT ROW)
    ) ON actions, "rows", "bytes" INTO NAME measure VALUE was)
), by_clock AS (
  SELECT agent, measure, wide, clock, weekend, count(*) AS known, median(log_was) AS mid, mad(log_was) AS spread
  FROM past GROUP BY GROUPING SETS (
    (agent, measure, wide, clock, weekend), (agent, measure, wide, clock), (agent, measure, wide))
), near AS (
  -- Nobody begins on the minute: of the hour before, this one and the next the busiest counts, so that
  -- the end of a shift is compared with the shift. Where too little is known of such days, any day is
  -- asked, and where too little is known of that time of day, any time.
  SELECT n.agent, n.measure, n.wide, n.clock, n.weekend, sum(b.known) AS known, max(b.mid) AS mid,
    arg_max(b.spread, b.mid) AS spread, b.weekend IS NULL AS any_day, b.clock IS NULL AS any_time
  FROM (SELECT DISTINCT agent, measure, wide, clock, weekend FROM high) AS n
  JOIN by_clock AS b ON b.agent = n.agent AND b.measure = n.measure AND b.wide = n.wide
    AND coalesce((b.clock - n.clock + 25) % 24 <= 2, true) AND coalesce(b.weekend = n.weekend, true)
  GROUP BY ALL
), usual AS (
  SELECT * FROM near WHERE known >= CASE WHEN any_time THEN 3 ELSE 1 END * hours_known
  QUALIFY row_number() OVER (
    PARTITION BY agent, measure, wide, clock, weekend ORDER BY any_time, any_day) = 1
), weekly AS (
  SELECT n.agent, n.measure, n.wide, n.clock, n.day, max(p.was) AS that_day
  FROM (SELECT DISTINCT agent, measure, wide, clock, day FROM high) AS n
  JOIN past AS p ON p.agent = n.agent AND p.measure = n.measure AND p.wide = n.wide AND p.day = n.day
    AND (p.clock - n.clock + 25) % 24 <= 2
  GROUP BY ALL
), judged_high AS (
  SELECT h.*, that_day, u.mid, greatest(floor_mad, u.spread) AS spread
  FROM high AS h JOIN usual AS u USING (agent, measure, wide, clock, weekend)
  LEFT JOIN weekly AS w USING (agent, measure, wide, clock, day)
), hits AS (
  SELECT *, (ln(1 + amount) - mid) / (1.4826 * spread) AS score,
    count(*) OVER (PARTITION BY agent ORDER BY slot
      RANGE BETWEEN INTERVAL 3 HOURS PRECEDING AND INTERVAL 5 MINUTES PRECEDING) AS before,
    -- Windows that slide grow by little: half an hour ago it was another.
    max(amount) OVER (PARTITION BY agent, measure, wide ORDER BY slot
      RANGE BETWEEN INTERVAL 3 HOURS PRECEDING AND INTERVAL 30 MINUTES PRECEDING) AS most_before
  FROM judged_high
  WHERE ln(1 + amount) > mid + CASE wide WHEN 1 THEN k ELSE slow_k END * 1.4826 * spread
    AND amount > 1.5 * coalesce(that_day, 0)
), told AS (
  -- What goes on is told once, and again only if it grows.
  SELECT agent, arg_max(measure, score) AS measure, arg_max(wide, score) AS wide, max(score) AS score,
    arg_max(amount, score) AS amount, arg_max(exp(mid) - 1, score) AS usual,
    min(slot) FILTER (before = 0 OR amount > growth * most_before) AS seen_at, max(slot) AS last_slot
  FROM hits WHERE slot >= begin_of(since, until)
  GROUP BY agent, date_trunc('hour', slot)
  HAVING seen_at IS NOT NULL
)
SELECT
  'volume_outlier' AS name, t.seen_at, t.agent, t.measure AS key, any_value(score)::DOUBLE AS score,
  any_value(usual)::DOUBLE AS baseline,
  concat(round(any_value(amount))::BIGINT, ' ', t.measure, ' an hour, over ', any_value(wide), ' hours; usually ',
    round(any_value(usual))::BIGINT, ' at this time of day') AS reason,
  -- What moved most, and of what only counts the newest.
  some_of(list(m.action_id ORDER BY CASE t.measure WHEN 'actions' THEN epoch_us(m.seen_at)
    WHEN 'rows' THEN rows_moved ELSE bytes_moved END DESC)) AS evidence,
  'warning' AS severity
FROM told AS t
JOIN moved AS m ON m.agent = t.agent AND m.seen_at >= t.seen_at - to_minutes(60 * wide - 5)
  AND m.seen_at < t.last_slot + INTERVAL 5 MINUTES
  AND CASE t.measure WHEN 'actions' THEN m.actions WHEN 'rows' THEN rows_moved ELSE bytes_moved END > 0
GROUP BY t.agent, t.measure, t.seen_at;
