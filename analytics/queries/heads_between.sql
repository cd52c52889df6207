-- Entries of the archive's own log: parameters first, end (not included).
SELECT head_index, cluster_id, topic, partition, leaf_index + 1 AS size, head
FROM archived
WHERE head_index >= $first AND head_index < $end AND head IS NOT NULL
ORDER BY head_index
