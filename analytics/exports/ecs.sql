-- Elastic Common Schema 8.7, one JSON object a row. What ECS has no field for stands under `sluicegate`.
CREATE OR REPLACE TEMP MACRO ecs_between(since, until) AS TABLE
SELECT
  recorded_at AS time, action_id AS uid, seq,
  json_merge_patch('{}', to_json({
    '@timestamp': exported_time(recorded_at),
    'ecs': {'version': '8.7.0'},
    'message': principal || ': ' || coalesce(decision, 'no verdict') || coalesce(', ' || outcome, ''),
    'event': {
      'id': action_digest,
      'kind': 'event',
      'module': 'sluicegate',
      'dataset': 'sluicegate.actions',
      'provider': executor,
      'category': CASE kind WHEN 'sql' THEN ['database'] WHEN 'shell' THEN ['process'] ELSE ['api'] END,
      'type': CASE
        WHEN kind = 'shell' THEN CASE WHEN outcome IN ('succeeded', 'failed') THEN ['start'] ELSE ['info'] END
        WHEN kind = 'sql' THEN CASE
          WHEN len(verbs) = 0 THEN ['info']
          WHEN len([verb FOR verb IN verbs IF verb NOT IN ('read', 'export', 'connect')]) > 0 THEN ['change']
          ELSE ['access'] END
        WHEN decision = 'allow' THEN ['info', 'allowed']
        WHEN decision IS NOT NULL THEN ['info', 'denied']
        ELSE ['info']
      END,
      'action': coalesce(array_to_string(nullif(list_sort(list_distinct(verbs)), []), ','), kind),
      'outcome': CASE
        WHEN decision IN ('deny', 'require_approval')
          OR outcome IN ('failed', 'rolled_back', 'blocked', 'no_verdict', 'expired') THEN 'failure'
        WHEN outcome = 'succeeded' THEN 'success'
        ELSE 'unknown'
      END,
      'reason': messages[1],
      'code': codes[1],
      'created': exported_time(issued_at),
      'ingested': exported_time(archived_at),
      'sequence': seq,
      'hash': action_digest
    },
    'user': {'id': principal, 'name': principal, 'roles': CASE WHEN principal_kind IS NOT NULL THEN [principal_kind] END},
    'related': {'user': [one FOR one IN list_distinct([principal, on_behalf_of]) IF one IS NOT NULL]},
    'rule': CASE WHEN len(rules) > 0 THEN {'id': rules[1], 'name': rules[1], 'ruleset': policy} END,
    'process': CASE kind WHEN 'shell' THEN {
      'command_line': text,
      'args': CASE WHEN len(argv) > 0 THEN argv END,
      'args_count': nullif(len(argv), 0),
      'executable': program,
      'working_directory': cwd
    } END,
    'error': CASE WHEN error IS NOT NULL THEN {'message': error} END,
    'sluicegate': {
      'zone': nullif(zone, ''), 'kind': kind, 'text': text, 'system': system,
      'environment': environment, 'session': session, 'on_behalf_of': on_behalf_of,
      'reason': reason, 'ticket': ticket, 'parent': parent, 'action_id': action_id,
      'decision': decision, 'would_deny': would_deny, 'codes': codes, 'rules': rules,
      'policy': policy, 'judge': judge, 'verdict_id': verdict_id, 'approval': approval,
      'request': request, 'outcome': outcome, 'rows_affected': rows_affected
    }
  })) AS event
FROM exported_between(since, until)
UNION ALL
SELECT
  coalesce(recorded_at, archived_at) AS time, finding_id AS uid, seq,
  json_merge_patch('{}', to_json({
    '@timestamp': exported_time(coalesce(recorded_at, archived_at)),
    'ecs': {'version': '8.7.0'},
    'message': message,
    'event': {
      'id': value_sha256,
      'kind': 'alert',
      'module': 'sluicegate',
      'dataset': 'sluicegate.findings',
      'provider': source,
      'category': ['intrusion_detection'],
      'type': ['info'],
      'action': code,
      'code': code,
      'reason': message,
      'severity': CASE severity WHEN 'notice' THEN 21 WHEN 'warning' THEN 47 WHEN 'alert' THEN 73 END,
      'created': exported_time(found_at),
      'ingested': exported_time(archived_at),
      'sequence': seq,
      'hash': value_sha256
    },
    'rule': {'id': code, 'name': code},
    'sluicegate': {
      'zone': nullif(zone, ''), 'finding_id': finding_id, 'about': about, 'severity': severity,
      'remedy': nullif(remedy, ''), 'evidence': evidence
    }
  })) AS event
FROM findings
WHERE (since IS NULL OR coalesce(recorded_at, archived_at) >= since::TIMESTAMPTZ)
  AND (until IS NULL OR coalesce(recorded_at, archived_at) < until::TIMESTAMPTZ);

CREATE OR REPLACE TEMP VIEW ecs_events AS SELECT * FROM ecs_between(NULL, NULL);
