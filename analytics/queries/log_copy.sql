-- What of the log the proofs of some records need, as the table `archived` beside the views: parameters topics,
-- partitions, offsets (of the records, one list each), block (records below a stored node).
CREATE OR REPLACE TABLE main.archived AS
WITH places AS (
  SELECT unnest($topics::VARCHAR[]) AS topic, unnest($partitions::INTEGER[]) AS partition,
    unnest($offsets::BIGINT[]) AS "offset"
),
wanted AS (
  SELECT a.seq, topic, partition, a.leaf_index FROM archived AS a JOIN places USING (topic, partition, "offset")
),
covering AS (
  SELECT topic, partition, min(h.leaf_index) AS leaf_index
  FROM wanted AS w JOIN archived AS h USING (topic, partition)
  WHERE h.head_index IS NOT NULL AND h.seq >= w.seq AND h.leaf_index >= w.leaf_index
  GROUP BY topic, partition, w.seq
),
blocks AS (
  SELECT DISTINCT topic, partition, leaf_index // $block AS block
  FROM (SELECT topic, partition, leaf_index FROM wanted UNION ALL FROM covering)
)
SELECT
  a.seq, a.cluster_id, a.topic, a.partition, a."offset", a.leaf_index, a.digest, a.nodes, a.head,
  a.head_index, a.head_nodes,
  CASE WHEN told THEN a.timestamp_ms END AS timestamp_ms,
  CASE WHEN told THEN a.timestamp_type END AS timestamp_type,
  CASE WHEN told THEN a.key END AS key,
  CASE WHEN told THEN a.headers END AS headers,
  CASE WHEN told THEN a.value END AS value
FROM (
  SELECT *, seq IN (SELECT seq FROM wanted) AS told FROM archived
  WHERE head IS NOT NULL OR nodes IS NOT NULL
    OR (topic, partition, leaf_index // $block) IN (FROM blocks)
) AS a
