-- Proposals, verdicts and outcomes by sequence, for their signatures: parameters since, until, first, last.
-- Of their headers only those that a signature needs: a name that stands twice makes a record count for nothing.
SELECT
  seq, epoch_ms(recorded_at) AS recorded_ms, value, holds AS sort,
  coalesce(action.executor, verdict.judge, outcome.executor) AS said_by,
  len(headers) <> len(list_distinct([one.name FOR one IN headers])) AS repeated,
  [one.value FOR one IN headers IF one.name = 'kid'][1] AS kid,
  [one.value FOR one IN headers IF one.name = 'sig'][1] AS sig
FROM archived
WHERE seq BETWEEN $first AND $last AND holds IN ('action', 'verdict', 'outcome')
  AND recorded_at >= $since AND recorded_at < $until
ORDER BY seq
