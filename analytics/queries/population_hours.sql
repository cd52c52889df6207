-- The table `population` by time: parameters since, width_s, changes_only.
SELECT
  floor((epoch(recorded_at) - epoch($since::TIMESTAMPTZ)) / $width_s)::BIGINT AS slot,
  decision, count(*) AS actions
FROM population
WHERE changes <> 'no' OR NOT $changes_only
GROUP BY ALL
ORDER BY ALL
