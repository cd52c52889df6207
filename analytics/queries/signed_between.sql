-- Proposals, verdicts and outcomes by sequence, for their signatures: parameters since, until, first, last.
SELECT
  seq, topic, partition, "offset", recorded_at, value_sha256, value, headers, action_id,
  holds AS sort,
  coalesce(action.executor, verdict.judge, outcome.executor) AS said_by
FROM archived
WHERE seq BETWEEN $first AND $last AND holds IN ('action', 'verdict', 'outcome')
  AND recorded_at >= $since AND recorded_at < $until
ORDER BY seq
