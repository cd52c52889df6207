-- Every record as the archive holds it; a value that is no text stands in base64.
CREATE OR REPLACE TEMP VIEW exported_records AS
SELECT
  coalesce(recorded_at, archived_at) AS time, seq, topic, partition, "offset", recorded_at,
  timestamp_ms, timestamp_type, holds, action_id,
  TRY(decode(key)) AS key,
  TRY(decode(value)) AS value,
  CASE WHEN TRY(decode(value)) IS NULL THEN to_base64(value) END AS value_base64,
  value_sha256,
  [header.name || ': ' || coalesce(to_base64(header.value), '') FOR header IN headers] AS headers_base64,
  cluster_id, leaf_index, hex(digest) AS digest, archived_at
FROM records;
