-- Actions of a period of which nobody knows what they touch: parameters since, until.
SELECT count(*) FILTER (WHERE coalesce(len(v.intent), 0) = 0) AS unknown
FROM (
  SELECT action_id, action_digest FROM actions
  WHERE recorded_at >= $since AND recorded_at < $until AND kind <> 'canary'
) AS a
LEFT JOIN (
  SELECT action_id, action_digest, any_value(intent) AS intent
  FROM verdict_records
  WHERE recorded_at >= $since AND recorded_at < $answered_until
  GROUP BY ALL
) AS v USING (action_id, action_digest)
