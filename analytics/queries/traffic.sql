-- Records of a period by topic, with its last word on what could not be read: parameters since, until.
SELECT
  topic, count(*) AS records, count(*) FILTER (WHERE readable = false) AS unreadable,
  min(seq) AS first, max(seq) AS last
FROM records
WHERE recorded_at >= $since AND recorded_at < $until
GROUP BY topic
ORDER BY topic
