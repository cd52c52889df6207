-- Verdicts whose intent may touch a resource with a changing verb, the newest first: parameters since,
-- until, parts (of the wanted name, as written and in lower case), path (its beginning, or null).
-- What truly fits is decided afterwards, on each effect.
SELECT seq, action_id, intent
FROM verdict_records
WHERE recorded_at >= $since AND recorded_at < $until
  AND len([
    1 FOR one IN intent
    IF one.verb NOT IN ('read', 'connect') AND (
      list_has_any(
        string_split(translate(lower(concat_ws('.', one.namespace, one.name)), '/ ', '..'), '.'),
        $parts::VARCHAR[]
      )
      OR starts_with(lower(one.name), $path::VARCHAR)
      OR starts_with(split_part(lower(one.name), '/', -1), $path::VARCHAR)
      OR starts_with($path::VARCHAR, lower(one.name) || '/')
      OR starts_with(lower(one.namespace), rtrim($path::VARCHAR, '/'))
    )
  ]) > 0
ORDER BY seq DESC
