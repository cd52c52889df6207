-- Something ran that no verdict allows: none that fits the bytes and the executor, a denial, another
-- text, or long after the permission had ended. Looked at only when late records had time to come.
CREATE OR REPLACE TEMP MACRO exec_without_verdict(
  since := NULL, until := NULL, late_seconds := 60, skew_seconds := 60
) AS TABLE
WITH ran AS (
  SELECT * FROM ended(begin_of(since, until), settled_end(until, to_seconds(late_seconds)))
  WHERE told.status IN ('succeeded', 'failed', 'rolled_back')
    AND (told.status = 'succeeded' OR told.executed_digest IS NOT NULL)
), texts AS (
  SELECT zone, action_id, value_sha256 AS action_digest,
    any_value(sha256(coalesce(action.proposal.payload.statement, action.proposal.payload.line))) AS digest
  FROM archived
  WHERE holds = 'action' AND recorded_at < end_of(until)
    AND recorded_at >= begin_of(since, until) - INTERVAL 1 HOUR
  GROUP BY ALL
), verdicts_of AS (
  SELECT zone, action_id, action_digest, executor, arg_min(struct_pack(
    decision := decision, rewrite_digest := rewrite_digest, issued_at := issued_at,
    valid_for_ms := valid_for_ms), seq) AS said
  FROM verdict_records
  WHERE recorded_at >= begin_of(since, until) - INTERVAL 1 HOUR
    AND recorded_at < end_of(until) + to_seconds(late_seconds)
  GROUP BY ALL
), odd AS (
  SELECT r.seen_at, action_id, executor, r.told,
    CASE
      WHEN said IS NULL THEN 'no_verdict'
      WHEN said.decision <> 'allow' THEN 'denied'
      WHEN t.digest IS NOT NULL AND r.told.executed_digest NOT IN (
        t.digest, coalesce(said.rewrite_digest, t.digest)) THEN 'other_text'
      WHEN r.told.finished_at - to_microseconds(r.told.duration_us) > said.issued_at
        + to_milliseconds(said.valid_for_ms) + to_seconds(skew_seconds) THEN 'late'
    END AS key
  FROM ran AS r
  LEFT JOIN verdicts_of AS v USING (zone, action_id, action_digest, executor)
  LEFT JOIN texts AS t USING (zone, action_id, action_digest)
)
SELECT
  'exec_without_verdict' AS name, min(seen_at) AS seen_at, told.agent AS agent, key,
  count(*)::DOUBLE AS score, 0::DOUBLE AS baseline,
  concat(count(*), ' actions at executor ', left(any_value(executor), 100), CASE key
    WHEN 'no_verdict' THEN ' ran without any verdict on their bytes'
    WHEN 'denied' THEN ' ran although they were not allowed'
    WHEN 'other_text' THEN ' ran another text than the one that was allowed'
    ELSE ' began long after their permission had ended' END) AS reason,
  some_of(list(action_id ORDER BY seen_at)) AS evidence,
  'alert' AS severity
FROM odd WHERE key IS NOT NULL
GROUP BY told.agent, key, date_trunc('hour', seen_at);
