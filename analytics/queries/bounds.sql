-- First and last sequence of a period and how many records it has: parameters since, until.
SELECT min(seq) AS first, max(seq) AS last, count(*) AS records
FROM records
WHERE recorded_at >= $since AND recorded_at < $until
