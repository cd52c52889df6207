-- What readers get: each record as it came, with typed columns where its value can be read.
-- holds: what it is; readable: true, false, or null for a tombstone, which holds nothing to read.
-- value_sha256: where others name it, or tell a replay by it; of answers it is null, for to hash them takes
-- as long as to read them, and views do so when they are asked.
-- The writer stores bytes only, and what stands in them is read when segments are written.
WITH read AS (
  SELECT *, split_part(topic, '.', -1) AS role, TRY(decode(value)) AS text FROM $source
), typed AS (
  SELECT *,
$typed
  FROM read
), told AS (
  SELECT *, $holds AS holds FROM typed
)
SELECT
  seq, topic, partition, "offset", timestamp_ms, timestamp_type,
  -- The same moment, so that queries by time skip row groups; null where no calendar has it.
  CASE WHEN timestamp_ms BETWEEN 0 AND 253402300799999
    THEN make_timestamptz(timestamp_ms * 1000) END AS recorded_at,
  key, headers, value, $value_sha256 AS value_sha256, cluster_id, archived_at,
  leaf_index, digest, nodes, head, head_index, head_nodes,
  $readable AS readable,
  $action_id AS action_id,
  $columns
FROM told
