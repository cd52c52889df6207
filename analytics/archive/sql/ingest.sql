-- Appends `batch` as it came, with its place in the log.
INSERT INTO $schema.raw
SELECT
  seq, topic, partition, "offset", timestamp_ms, timestamp_type, key, headers, value,
  cluster_id, archived_at, leaf_index, digest, nodes, head, head_index, head_nodes
FROM batch
