-- What was proposed.
SELECT
  seq, recorded_at, action_id,
  action.proposal.principal.id AS principal,
  action.proposal.principal.kind AS principal_kind,
  action.proposal.principal.on_behalf_of AS on_behalf_of,
  action.proposal.principal.session AS session,
  action.proposal.target.system AS system,
  action.proposal.target.environment AS environment,
  action.proposal.target.catalog AS catalog,
  action.proposal.target.dialect AS dialect,
  action.proposal.payload.kind AS kind,
  payload_text(action.proposal.payload) AS text,
  action.proposal.payload.argv AS argv,
  action.proposal.payload.program AS program,
  action.proposal.payload.cwd AS cwd,
  action.proposal.reason AS reason,
  action.proposal.ticket AS ticket,
  action.proposal.parent AS parent,
  action.executor AS executor,
  action.capabilities AS capabilities,
  action.issued_at AS issued_at,
  action.valid_for_ms AS valid_for_ms,
  value_sha256 AS action_digest,
  topic, partition, "offset", archived_at, zone,
  action_ms
FROM $rows
WHERE holds = 'action'
