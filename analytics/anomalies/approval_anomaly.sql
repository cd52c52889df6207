-- People approve what they should not, or without looking: their own requests, within seconds of
-- the question, as their very first vote, or one after the other.
-- Names are compared without their case; whose key is whose person says the trust file, not this.
CREATE OR REPLACE TEMP MACRO approval_anomaly(
  since := NULL, until := NULL,
  seconds := 5, an_hour := 20, factor := 3.0, history_days := 30, settled_votes := 20
) AS TABLE
WITH past AS MATERIALIZED (
  SELECT agent AS voter, key AS request, class AS zone, first_at AS seen_at, last_at AS asked_at
  FROM anomaly_hours
  WHERE what = 'approval' AND hour < begin_of(since, until)
    AND hour >= begin_of(since, until) - to_days(history_days)
), said AS MATERIALIZED (
  -- The same approval again is none.
  SELECT *, seen_at >= begin_of(since, until) AS inside
  FROM approvals(begin_of(since, until) - INTERVAL 1 HOUR, end_of(until)) AS s
  WHERE NOT EXISTS (FROM past AS p WHERE p.voter = s.voter AND p.request = s.request AND p.zone = s.zone
    AND p.seen_at < s.seen_at)
), known AS (
  SELECT voter, max(n) AS busiest FROM (
    SELECT voter, date_trunc('hour', seen_at) AS hour, count(*) AS n FROM past GROUP BY ALL) GROUP BY voter
), bots AS (
  -- Who always answers at once is a program; that it may vote is an administrator's decision.
  SELECT voter FROM past WHERE asked_at IS NOT NULL
  GROUP BY voter HAVING count(*) >= 3 AND median(epoch(seen_at) - epoch(asked_at)) <= seconds
), hourly AS (
  SELECT *, count(*) OVER (PARTITION BY voter ORDER BY seen_at
    RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS n
  FROM said
), odd AS (
  SELECT seen_at, voter, shown, principal, action_id, 'self' AS key, 1 AS score, 0 AS baseline,
    concat('approved what it asked for itself, or what is asked for on its behalf') AS what,
    'alert' AS severity
  FROM said WHERE inside AND own
  UNION ALL
  SELECT seen_at, voter, shown, principal, action_id, 'instant', seconds / greatest(0.1, passed), seconds,
    concat('approved ', round(passed, 1), ' s after the question'), 'warning'
  FROM (SELECT *, date_diff('millisecond', asked_at, seen_at) / 1000 AS passed FROM said WHERE inside)
  WHERE passed BETWEEN 0 AND seconds AND voter NOT IN (FROM bots)
  UNION ALL
  SELECT seen_at, voter, shown, principal, action_id, 'stranger', 1, 0,
    concat('never approved anything in ', history_days, ' days, where others voted ',
      (SELECT count(*) FROM past), ' times'), 'warning'
  FROM said WHERE inside AND voter NOT IN (SELECT voter FROM past)
    AND (SELECT count(*) FROM past) >= settled_votes
  UNION ALL
  SELECT seen_at, voter, shown, principal, action_id, 'fatigue', n / an_hour, coalesce(busiest, 0),
    concat('approved ', n, ' requests within an hour; before, at most ', coalesce(busiest, 0)),
    'warning'
  FROM hourly LEFT JOIN known USING (voter)
  WHERE inside AND n >= an_hour AND n > factor * coalesce(busiest, 0)
)
SELECT
  'approval_anomaly' AS name, min(seen_at) AS seen_at, any_value(shown) AS agent, key,
  max(score)::DOUBLE AS score, max(baseline)::DOUBLE AS baseline,
  concat(left(any_value(shown), 100), ' ', arg_max(what, score), '; ', count(DISTINCT action_id),
    ' actions, such as of ', left(any_value(principal), 100)) AS reason,
  some_of(list(DISTINCT action_id)) AS evidence, any_value(severity) AS severity
FROM odd
GROUP BY voter, key, date_trunc('hour', seen_at);
