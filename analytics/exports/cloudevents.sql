-- CloudEvents 1.0 in its JSON format: one event a record, as it lies in the archive.
-- Source and id say where the record lies: the ids that senders chose are not unique, for anybody may write one again.
CREATE OR REPLACE TEMP VIEW cloudevents AS
WITH decoded AS (
  SELECT *, TRY(decode(value)) AS text FROM records
), told AS (
  -- DuckDB takes NaN and Infinity for JSON; outside of its strings they are none.
  SELECT *, coalesce(json_valid(text) AND NOT regexp_matches(
    regexp_replace(text, '"(?:[^"\\]|\\.)*"', '', 'g'), '(?i)nan|inf'), false) AS is_json
  FROM decoded
), outer_part AS (
  SELECT
    coalesce(recorded_at, archived_at) AS time, seq, value, topic, partition, "offset",
    CASE WHEN is_json THEN json(text)::VARCHAR END AS data,
    json_merge_patch('{}', to_json({
      'specversion': '1.0',
      'id': partition || '/' || "offset",
      'source': '/sluicegate/' || url_encode(cluster_id) || '/' || url_encode(topic),
      'type': coalesce(exported_type(holds), 'io.sluicegate.record.unread.v1'),
      'subject': coalesce(action_id::VARCHAR, nullif(TRY(decode(key)), '')),
      'time': exported_time(coalesce(recorded_at, archived_at)),
      'datacontenttype': CASE WHEN is_json THEN 'application/json'
        WHEN value IS NOT NULL THEN 'application/octet-stream' END,
      'recordedtime': exported_time(archived_at),
      'sequence': lpad(seq::VARCHAR, 20, '0'),
      'valuesha256': value_sha256
    }))::VARCHAR AS head
  FROM told
)
SELECT
  time, topic || '/' || partition || '/' || "offset" AS uid, seq,
  (left(head, -1) || CASE
    -- Joined as text: what a null of the record's own would become below is its own business.
    WHEN data IS NOT NULL THEN ',"data":' || data
    WHEN value IS NOT NULL THEN ',"data_base64":"' || to_base64(value) || '"'
    ELSE '' END || '}')::JSON AS event
FROM outer_part;
