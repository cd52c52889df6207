-- What was said on one topic: parameters topic, keys of records, texts in a field of the value, the field's path.
SELECT
  seq, topic, partition, "offset", recorded_at, value_sha256, key, value, headers
FROM records
WHERE topic = ? AND value IS NOT NULL
  AND (
    list_contains(?::BLOB[], key)
    OR list_contains(?::VARCHAR[], TRY(json_extract_string(decode(value), ?::VARCHAR)))
  )
ORDER BY seq
