-- Rows of the table `population` in their order: parameters after (sequence), changes_only, most.
SELECT *
FROM population
WHERE seq > $after AND (changes <> 'no' OR NOT $changes_only)
ORDER BY seq
LIMIT $most
