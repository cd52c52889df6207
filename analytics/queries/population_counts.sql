-- How many of the table `population` there are of each sort.
SELECT changes, decision, outcome, system, environment, principal, count(*) AS actions
FROM population
GROUP BY ALL
ORDER BY actions DESC, changes, decision, outcome, system, environment, principal
