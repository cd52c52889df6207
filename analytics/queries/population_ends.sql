-- First and last of the table `population`: parameter changes_only.
SELECT min(seq) AS first, max(seq) AS last, count(*) AS actions
FROM population
WHERE changes <> 'no' OR NOT $changes_only
