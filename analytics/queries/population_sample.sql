-- A sample of the table `population` that anybody can draw again: the smallest SHA-256 of
-- `SEED:ACTION ID:DIGEST`. Parameters seed, changes_only, most.
SELECT *
FROM population
WHERE changes <> 'no' OR NOT $changes_only
ORDER BY sha256($seed || ':' || action_id || ':' || action_digest), seq
LIMIT $most
