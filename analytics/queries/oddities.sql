-- What is odd about the table `population`: parameters now, grace_s, skew_s.
WITH ran AS (
  SELECT seq, outcome = 'succeeded' OR executed_digest IS NOT NULL AS ran FROM population
)
SELECT 'executed_without_verdict' AS code, seq, action_id
FROM population JOIN ran USING (seq)
WHERE decision = 'none' AND ran
UNION ALL
SELECT 'executed_without_allow', seq, action_id
FROM population JOIN ran USING (seq)
WHERE decision NOT IN ('allow', 'none') AND ran
UNION ALL
SELECT 'executed_late', seq, action_id
FROM population JOIN ran USING (seq)
WHERE decision = 'allow' AND ran AND late_s > $skew_s::DOUBLE
UNION ALL
SELECT 'allow_without_outcome', seq, action_id
FROM population
WHERE decision = 'allow' AND outcome = 'none'
  AND recorded_at < $now::TIMESTAMPTZ - to_seconds($grace_s::DOUBLE)
UNION ALL
SELECT 'outcome_unknown', seq, action_id FROM population WHERE outcome = 'unknown'
UNION ALL
SELECT 'ran_other_bytes', seq, action_id
FROM population
WHERE decision = 'allow' AND executed_digest <> expected_digest
UNION ALL
SELECT 'warned_only', seq, action_id FROM population WHERE decision = 'allow' AND would_deny
UNION ALL
SELECT 'no_verdict', seq, action_id
FROM population JOIN ran USING (seq)
WHERE decision = 'none' AND NOT ran
  AND recorded_at < $now::TIMESTAMPTZ - to_seconds($grace_s::DOUBLE)
ORDER BY seq
