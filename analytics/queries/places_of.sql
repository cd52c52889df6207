-- Where records lie, by sequence: parameter sequences.
SELECT seq, topic, partition, "offset", recorded_at, value_sha256, action_id
FROM records
WHERE seq IN (SELECT unnest($sequences::UBIGINT[]))
ORDER BY seq
