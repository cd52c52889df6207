-- Every record of the actions of a session: parameter session.
SELECT
  a.action_id, a.principal, a.principal_kind, a.on_behalf_of, a.session, a.system, a.environment,
  a.catalog, a.kind, a.text, a.reason, a.ticket, a.parent, a.executor, a.issued_at, a.action_digest,
  r.seq, r.topic, r.partition, r."offset", r.recorded_at, r.value_sha256, r.value, r.headers,
  sha256(r.value) = r.value_sha256 AS bytes_match
FROM actions AS a
JOIN records AS r ON r.seq = a.seq
WHERE a.session = $session AND a.kind <> 'canary'
ORDER BY a.seq
