-- Within an hour, or three of them, an agent does, reads or changes far more than in its hours at
-- that time of day. What is denied moves nothing and is not counted.
-- Compared are logarithms, by median and MAD: a bursty agent's MAD is never taken for nothing, and
-- what the agent did before at this hour of this day of the week is no outlier.
CREATE OR REPLACE TEMP MACRO volume_outlier(
  since := NULL, until := NULL,
  k := 6.0, slow_k := 4.0, floor_mad := 0.18, hours_known := 8, at_least_actions := 60,
  at_least_rows := 20000, at_least_bytes := 20000000
) AS TABLE
WITH moved AS MATERIALIZED (
  SELECT seen_at, agent, action_id, 1 AS actions, 0 AS rows_moved, 0 AS bytes_moved
  FROM decided(begin_of(since, until) - INTERVAL 3 HOURS, end_of(until)) WHERE decision = 'allow'
  UNION ALL
  SELECT seen_at, told.agent, action_id, 0, told.rows_moved, told.bytes_moved
  FROM ended(begin_of(since, until) - INTERVAL 3 HOURS, end_of(until))
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
  SELECT *, hour(slot) AS h, dayofweek(slot) AS d FROM measured
  WHERE slot >= begin_of(since, until) AND amount * wide >= CASE measure
    WHEN 'actions' THEN at_least_actions WHEN 'rows' THEN at_least_rows ELSE at_least_bytes END
), past AS MATERIALIZED (
  UNPIVOT (
    SELECT agent, hour(hour) AS ph, dayofweek(hour) AS pd, allowed::DOUBLE AS actions,
      rows_moved::DOUBLE AS "rows", bytes_moved::DOUBLE AS "bytes"
    FROM anomaly_hours WHERE what = 'volume' AND date_trunc('hour', begin_of(since, until)) > hour
  ) ON actions, "rows", "bytes" INTO NAME measure VALUE was
), needed AS (
  SELECT DISTINCT agent, measure, h, d FROM high
), usual AS (
  SELECT n.agent, n.measure, n.h, n.d,
    count(*) FILTER (near) AS near_known, count(*) AS known,
    median(ln(1 + was)) FILTER (near) AS near_median, median(ln(1 + was)) AS all_median,
    mad(ln(1 + was)) FILTER (near) AS near_mad, mad(ln(1 + was)) AS all_mad,
    max(was) FILTER (near AND pd = n.d) AS that_day
  FROM (
    SELECT n.*, p.was, p.pd,
      least(abs(p.ph - n.h), 24 - abs(p.ph - n.h)) <= 1 AS near
    FROM needed AS n JOIN past AS p ON p.agent = n.agent AND p.measure = n.measure
  ) AS n GROUP BY ALL
), judged_high AS (
  SELECT h.*, that_day,
    CASE WHEN near_known >= hours_known THEN near_median ELSE all_median END AS mid,
    greatest(floor_mad, CASE WHEN near_known >= hours_known THEN near_mad ELSE all_mad END) AS spread
  FROM high AS h JOIN usual AS u USING (agent, measure, h, d)
  WHERE known >= hours_known * 3
), hits AS (
  SELECT agent, measure, wide, min(slot) AS seen_at, max(slot) AS last_slot, max(amount) AS amount,
    max((ln(1 + amount) - mid) / (1.4826 * spread)) AS score,
    arg_max(exp(mid) - 1, amount) AS usual
  FROM judged_high
  WHERE ln(1 + amount) > mid + CASE wide WHEN 1 THEN k ELSE slow_k END * 1.4826 * spread AND amount > 1.5 * coalesce(that_day, 0)
  GROUP BY agent, measure, wide, date_trunc('hour', slot)
  QUALIFY row_number() OVER (PARTITION BY agent, measure, date_trunc('hour', min(slot)) ORDER BY wide) = 1
)
SELECT
  'volume_outlier' AS name, h.seen_at, h.agent, measure AS key, any_value(score)::DOUBLE AS score,
  any_value(usual)::DOUBLE AS baseline,
  concat(round(any_value(amount))::BIGINT, ' ', measure, ' an hour, over ', any_value(wide), ' hours; usually ',
    round(any_value(usual))::BIGINT, ' at this time of day') AS reason,
  -- What moved most, and of what only counts the newest.
  some_of(list(m.action_id ORDER BY CASE measure WHEN 'actions' THEN epoch_us(m.seen_at)
    WHEN 'rows' THEN rows_moved ELSE bytes_moved END DESC)) AS evidence,
  'warning' AS severity
FROM hits AS h
JOIN moved AS m ON m.agent = h.agent AND m.seen_at >= h.seen_at - to_minutes(60 * wide - 5)
  AND m.seen_at < h.last_slot + INTERVAL 5 MINUTES
  AND CASE measure WHEN 'actions' THEN m.actions WHEN 'rows' THEN rows_moved ELSE bytes_moved END > 0
GROUP BY h.agent, measure, h.seen_at;
