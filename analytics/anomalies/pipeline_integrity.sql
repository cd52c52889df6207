-- The pipeline itself: offsets that are missing although the log is dense, a busy executor that
-- falls silent, two judges' answers that differ, checkpoints that stop, records nobody can read.
-- Transactions leave single offsets behind, and compacted topics any number: neither is told.
CREATE OR REPLACE TEMP MACRO pipeline_integrity(
  since := NULL, until := NULL,
  gap_offsets := 2, surprise := 3.0, silent_actions := 10, others_quiet := 0.3, days_known := 4,
  history_days := 28, checkpoint_minutes := 10,
  unreadable := 20, compacted := ['history']
) AS TABLE
WITH broken AS (
  -- The log has every record of a partition one after the other: offsets keep their distance to it.
  SELECT topic, partition FROM records
  WHERE recorded_at >= begin_of(since, until) - INTERVAL 1 DAY AND recorded_at < end_of(until)
  GROUP BY topic, partition
  HAVING min("offset" - leaf_index::BIGINT) <> max("offset" - leaf_index::BIGINT)
), places AS MATERIALIZED (
  SELECT recorded_at AS seen_at, topic, partition, "offset" AS place, seq,
    lag("offset") OVER (PARTITION BY topic, partition ORDER BY seq) AS before
  FROM records SEMI JOIN broken USING (topic, partition)
  WHERE recorded_at >= begin_of(since, until) - INTERVAL 1 DAY AND recorded_at < end_of(until)
    AND NOT list_contains(compacted, split_part(topic, '.', -1))
), gaps AS (
  SELECT seen_at, concat(topic, '/', partition) AS agent, 'gap' AS key,
    CASE WHEN place > before THEN place - before - 1 ELSE before - place + 1 END AS score,
    0 AS baseline,
    CASE WHEN place > before THEN concat(place - before - 1, ' offsets before ', place, ' were never archived')
      ELSE concat('offset ', place, ' came after ', before) END AS reason,
    [concat(topic, '/', partition, '/', before), concat(topic, '/', partition, '/', place)] AS evidence,
    'alert' AS severity
  FROM places WHERE seen_at >= begin_of(since, until)
    AND (place - before - 1 >= gap_offsets OR place <= before)
), hourly AS (
  SELECT agent AS executor, hour, sum(actions) AS n FROM anomaly_hours
  WHERE what = 'executor' AND hour < date_trunc('hour', begin_of(since, until)) GROUP BY ALL
  UNION ALL
  SELECT executor, date_trunc('hour', seen_at), count(*)
  FROM decided(date_trunc('hour', begin_of(since, until)), end_of(until)) GROUP BY ALL
), executors AS (
  SELECT executor, min(hour) AS first_hour FROM hourly GROUP BY executor
), grid AS MATERIALIZED (
  SELECT e.executor, g.hour, coalesce(h.n, 0) AS n, hour(g.hour) AS clock,
    dayofweek(g.hour) IN (0, 6) AS weekend
  FROM executors AS e
  JOIN (SELECT unnest(generate_series(
    greatest((SELECT min(first_hour) FROM executors),
      date_trunc('hour', begin_of(since, until)) - to_days(history_days)),
    date_trunc('hour', end_of(until)) - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS hour) AS g
    ON g.hour >= e.first_hour
  LEFT JOIN hourly AS h ON h.executor = e.executor AND h.hour = g.hour
), usual AS (
  SELECT executor, clock, weekend, count(*) AS known, avg(n) AS mean,
    (count(*) FILTER (n = 0) + 0.5) / (count(*) + 1) AS empty
  FROM grid WHERE hour < begin_of(since, until) - INTERVAL 1 DAY GROUP BY ALL
), compared AS (
  -- On a holiday everybody is quiet, and nobody silent.
  SELECT g.*, u.mean, -log10(u.empty) AS rare,
    count(*) FILTER (u.mean >= 1) OVER others - (u.mean >= 1)::INTEGER AS rest,
    count(*) FILTER (u.mean >= 1 AND g.n < u.mean / 4) OVER others - (u.mean >= 1)::INTEGER AS quiet
  FROM grid AS g JOIN usual AS u USING (executor, clock, weekend)
  WHERE g.hour >= begin_of(since, until) - INTERVAL 1 DAY AND u.known >= days_known
  WINDOW others AS (PARTITION BY g.hour)
), islands AS (
  SELECT *, hour - to_hours(row_number() OVER (PARTITION BY executor ORDER BY hour)) AS island
  FROM compared WHERE n = 0
), silences AS (
  SELECT min(hour) AS seen_at, executor AS agent, 'silence' AS key, sum(rare) AS score,
    sum(mean) AS baseline,
    concat('no action through executor for ', count(*), ' hours, in which there are usually ',
      round(sum(mean))::BIGINT) AS reason,
    []::VARCHAR[] AS evidence, 'warning' AS severity
  FROM islands WHERE quiet <= others_quiet * rest
  GROUP BY executor, island
  HAVING sum(rare) >= surprise AND sum(mean) >= silent_actions
    AND max(hour) >= begin_of(since, until)
), answers AS (
  SELECT max(recorded_at) AS seen_at, any_value(judge) AS agent, 'two-answers' AS key,
    count(*) AS score, 1 AS baseline,
    concat('one action has ', count(*), ' verdicts that differ') AS reason,
    [action_id::VARCHAR] AS evidence, 'alert' AS severity
  FROM (
    SELECT zone, recorded_at, action_id, verdict.action_digest AS digest, verdict.executor AS executor,
      verdict.decision AS decision, verdict.judge AS judge
    FROM archived
    WHERE holds = 'verdict' AND recorded_at >= begin_of(since, until) AND recorded_at < end_of(until))
  GROUP BY zone, action_id, digest, executor
  HAVING min(decision) <> max(decision)
), unread AS (
  SELECT min(recorded_at) AS seen_at, topic AS agent, 'unreadable' AS key, count(*) AS score,
    unreadable AS baseline, concat(count(*), ' records of the topic cannot be read') AS reason,
    list(concat(topic, '/', partition, '/', "offset"))[:20] AS evidence, 'warning' AS severity
  FROM records
  WHERE NOT readable AND recorded_at >= begin_of(since, until) AND recorded_at < end_of(until)
  GROUP BY topic, date_trunc('hour', recorded_at) HAVING count(*) >= unreadable
), stale AS (
  SELECT max(recorded_at) AS seen_at, 'archiver' AS agent, 'checkpoint' AS key,
    date_diff('minute', max(recorded_at), end_of(until)) AS score,
    checkpoint_minutes AS baseline,
    concat('the newest checkpoint is ', date_diff('minute', max(recorded_at), end_of(until)),
      ' minutes older than the newest record') AS reason,
    []::VARCHAR[] AS evidence, 'alert' AS severity
  FROM records
  WHERE split_part(topic, '.', -1) = 'checkpoints' AND recorded_at < end_of(until)
    AND recorded_at >= begin_of(since, until) - INTERVAL 1 DAY
  HAVING date_diff('minute', max(recorded_at), end_of(until)) >= checkpoint_minutes
)
SELECT 'pipeline_integrity' AS name, seen_at, left(agent, 200) AS agent, key, score::DOUBLE AS score,
  baseline::DOUBLE AS baseline, reason, evidence, severity
FROM (FROM gaps UNION ALL FROM silences UNION ALL FROM answers UNION ALL FROM unread
  UNION ALL FROM stale);
