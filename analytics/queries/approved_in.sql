-- Actions of the table `population` that were allowed on people's word, by the request.
SELECT
  seq, topic, partition, "offset", recorded_at, action_digest AS value_sha256, action_id, approval,
  principal
FROM population
WHERE decision = 'allow' AND approval IS NOT NULL
ORDER BY seq
