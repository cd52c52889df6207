-- Sequences that are missing between two: parameters first, last.
SELECT before + 1 AS first, seq - 1 AS last
FROM (
  SELECT seq, lag(seq, 1, $first::UBIGINT - 1) OVER (ORDER BY seq) AS before
  FROM records
  WHERE seq BETWEEN $first AND $last
)
WHERE seq > before + 1
ORDER BY first
