-- OCSF 1.8.0 (schema.ocsf.io), one JSON object a row; `json_merge_patch` onto {} leaves out what is null.
--   sql -> Datastore Activity 6005    shell -> Process Activity 1007    all other kinds -> API Activity 6003
--   findings -> Detection Finding 2004
CREATE OR REPLACE TEMP MACRO ocsf_between(since, until) AS TABLE
WITH told AS (
  SELECT *,
    CASE kind WHEN 'sql' THEN 6005 WHEN 'shell' THEN 1007 ELSE 6003 END AS class_uid,
    -- Activity by the verb that loses most, in the numbers of each class; 0: not known.
    CASE
      WHEN kind = 'shell' THEN 1
      WHEN list_has_any(verbs, ['drop', 'delete', 'truncate'])
        THEN CASE kind WHEN 'sql' THEN 7 ELSE 4 END
      WHEN list_has_any(verbs, ['alter', 'grant', 'configure'])
        THEN CASE kind WHEN 'sql' THEN 2 ELSE 3 END
      WHEN list_has_any(verbs, ['write', 'import'])
        THEN CASE kind WHEN 'sql' THEN 5 ELSE 3 END
      WHEN list_contains(verbs, 'create') THEN CASE kind WHEN 'sql' THEN 6 ELSE 1 END
      WHEN list_has_any(verbs, ['read', 'export']) THEN CASE kind WHEN 'sql' THEN 4 ELSE 2 END
      WHEN list_contains(verbs, 'connect') THEN CASE kind WHEN 'sql' THEN 3 ELSE 99 END
      WHEN len(verbs) = 0 THEN 0
      ELSE 99
    END AS activity_id,
    CASE
      WHEN decision IN ('deny', 'require_approval')
        OR outcome IN ('failed', 'rolled_back', 'blocked', 'no_verdict', 'expired') THEN 2
      WHEN outcome = 'succeeded' THEN 1
      ELSE 0
    END AS status_id,
    CASE
      WHEN decision = 'allow' AND rewrite_digest IS NOT NULL THEN 4
      WHEN decision = 'allow' THEN 1
      WHEN decision IS NOT NULL THEN 2
      ELSE 0
    END AS judged,
    CASE
      WHEN decision = 'allow' AND rewrite_digest IS NOT NULL THEN 11
      WHEN decision = 'allow' AND approval IS NOT NULL THEN 8
      WHEN decision = 'allow' THEN 1
      WHEN decision = 'require_approval' THEN 14
      WHEN decision = 'deny' THEN 2
      ELSE 0
    END AS disposition_id,
    -- The first named table; an id of its own is not known.
    [{'name': effect.name, 'uid': array_to_string([p FOR p IN [effect.namespace, effect.name] IF p <> ''], '.')}
      FOR effect IN intent IF effect.type = 'table' AND effect.name <> ''] AS tables,
    [{'name': effect.name, 'type': coalesce(effect.type, 'unknown')}
      FOR effect IN intent IF effect.name <> ''] AS resources
  FROM exported_between(since, until)
), shared AS (
  SELECT *, to_json({
    'metadata': {
      'version': '1.8.0',
      'product': {'name': 'Sluicegate', 'vendor_name': 'Sluicegate'},
      'profiles': CASE principal_kind WHEN 'agent' THEN ['security_control', 'ai_operation']
        ELSE ['security_control'] END,
      'uid': action_digest,
      'correlation_uid': action_id,
      'log_name': 'actions',
      'logged_time': epoch_ms(archived_at),
      'sequence': seq,
      'tenant_uid': nullif(zone, '')
    },
    'time': epoch_ms(recorded_at),
    'class_uid': class_uid,
    'type_uid': class_uid * 100 + activity_id,
    'activity_id': activity_id,
    'activity_name': CASE activity_id
      WHEN 99 THEN array_to_string(list_sort(list_distinct(verbs)), ', ')
      WHEN 0 THEN 'Unknown'
      ELSE CASE class_uid
        WHEN 1007 THEN 'Launch'
        WHEN 6003 THEN ['Create', 'Read', 'Update', 'Delete'][activity_id]
        ELSE ['Read', 'Update', 'Connect', 'Query', 'Write', 'Create', 'Delete'][activity_id]
      END
    END,
    'severity_id': CASE WHEN decision = 'allow' THEN 1 ELSE 2 END,
    'severity': CASE WHEN decision = 'allow' THEN 'Informational' ELSE 'Low' END,
    'status_id': status_id,
    'status': ['Unknown', 'Success', 'Failure'][status_id + 1],
    'status_code': coalesce(codes[1], outcome),
    'status_detail': coalesce(error, messages[1]),
    'message': principal || ': ' || coalesce(decision, 'no verdict') || coalesce(', ' || outcome, ''),
    'actor': {
      'user': {
        'uid': principal,
        'name': principal,
        'type_id': CASE principal_kind WHEN 'human' THEN 1 ELSE 4 END,
        'type': CASE principal_kind WHEN 'human' THEN 'User' ELSE 'Service' END
      },
      'session': CASE WHEN session <> '' THEN {'uid': session} END
    },
    'action_id': judged,
    'action': ['Unknown', 'Allowed', 'Denied', 'Observed', 'Modified'][judged + 1],
    'disposition_id': disposition_id,
    'disposition': CASE disposition_id WHEN 11 THEN 'Corrected' WHEN 8 THEN 'Approved'
      WHEN 1 THEN 'Allowed' WHEN 14 THEN 'Delayed' WHEN 2 THEN 'Blocked' ELSE 'Unknown' END,
    'is_alert': decision = 'deny',
    'policy': CASE WHEN policy IS NOT NULL THEN {'uid': policy, 'is_applied': true} END,
    'authorizations': CASE WHEN len(rules) > 0 THEN
      [{'decision': decision, 'policy': {'uid': rule}} FOR rule IN rules] END,
    'message_context': CASE principal_kind WHEN 'agent' THEN {
      'uid': action_id,
      'name': principal,
      'ai_role_id': 4,
      'ai_role': 'Agent',
      'application': {'uid': executor, 'name': executor}
    } END,
    'unmapped': {
      'on_behalf_of': on_behalf_of,
      'environment': environment,
      'kind': kind,
      'reason': reason,
      'ticket': ticket,
      'parent': parent,
      'decision': decision,
      'would_deny': would_deny,
      'obliged': obliged,
      'judge': judge,
      'verdict_id': verdict_id,
      'approval': approval,
      'request': request,
      'outcome': outcome,
      'rows_affected': rows_affected,
      'bytes_returned': bytes_returned
    }
  }) AS common
  FROM told
)
SELECT
  recorded_at AS time, action_id, class_uid, seq,
  json_merge_patch('{}', common, CASE class_uid
    WHEN 6005 THEN to_json({
      'class_name': 'Datastore Activity', 'category_uid': 6, 'category_name': 'Application Activity',
      'src_endpoint': {'uid': executor, 'name': executor},
      'dst_endpoint': {'svc_name': system},
      'type_id': CASE WHEN len(tables) > 0 THEN 3 ELSE 1 END,
      'type': CASE WHEN len(tables) > 0 THEN 'Table' ELSE 'Database' END,
      'database': {'name': coalesce(catalog, system), 'type_id': 1, 'type': 'Relational'},
      'table': tables[1],
      'query_info': {'uid': action_digest, 'query_string': text}
    })
    WHEN 1007 THEN to_json({
      'class_name': 'Process Activity', 'category_uid': 1, 'category_name': 'System Activity',
      'device': {'uid': executor, 'name': executor, 'type_id': 0, 'type': 'Unknown'},
      'process': {
        'uid': action_id, 'cmd_line': text, 'name': argv[1], 'path': program,
        'working_directory': cwd
      }
    })
    ELSE to_json({
      'class_name': 'API Activity', 'category_uid': 6, 'category_name': 'Application Activity',
      'src_endpoint': {'uid': executor, 'name': executor},
      'dst_endpoint': {'svc_name': system},
      'api': {
        'operation': coalesce(nullif(split_part(text, ' ', 1), ''), kind),
        'service': {'name': system},
        'request': {'uid': action_id, 'data': text}
      },
      'resources': CASE WHEN len(resources) > 0 THEN resources END
    })
  END) AS event
FROM shared;

CREATE OR REPLACE TEMP VIEW ocsf_actions AS SELECT * FROM ocsf_between(NULL, NULL);

CREATE OR REPLACE TEMP VIEW ocsf_datastore_activity AS
SELECT time, action_id, seq, event FROM ocsf_actions WHERE class_uid = 6005;

CREATE OR REPLACE TEMP VIEW ocsf_api_activity AS
SELECT time, action_id, seq, event FROM ocsf_actions WHERE class_uid = 6003;

CREATE OR REPLACE TEMP VIEW ocsf_process_activity AS
SELECT time, action_id, seq, event FROM ocsf_actions WHERE class_uid = 1007;

CREATE OR REPLACE TEMP VIEW ocsf_detection_finding AS
SELECT
  coalesce(recorded_at, archived_at) AS time, finding_id, seq,
  json_merge_patch('{}', to_json({
    'metadata': {
      'version': '1.8.0',
      'product': {'name': 'Sluicegate', 'vendor_name': 'Sluicegate'},
      'profiles': ['security_control'],
      'uid': value_sha256,
      'correlation_uid': finding_id,
      'log_name': 'findings',
      'logged_time': epoch_ms(archived_at),
      'sequence': seq,
      'tenant_uid': nullif(zone, '')
    },
    'time': epoch_ms(coalesce(recorded_at, archived_at)),
    'category_uid': 2, 'category_name': 'Findings',
    'class_uid': 2004, 'class_name': 'Detection Finding',
    'type_uid': 200401, 'activity_id': 1, 'activity_name': 'Create',
    'severity_id': CASE severity WHEN 'notice' THEN 1 WHEN 'warning' THEN 3 WHEN 'alert' THEN 4 ELSE 0 END,
    'severity': CASE severity WHEN 'notice' THEN 'Informational' WHEN 'warning' THEN 'Medium'
      WHEN 'alert' THEN 'High' ELSE 'Unknown' END,
    'status_id': 1, 'status': 'New',
    'message': message,
    'is_alert': severity = 'alert',
    'action_id': 3, 'action': 'Observed',
    'disposition_id': 15, 'disposition': 'Detected',
    'finding_info': {
      'uid': finding_id,
      'title': code,
      'desc': message,
      'types': [code],
      'created_time': epoch_ms(found_at),
      'analytic': {'uid': code, 'name': code, 'type_id': 1, 'type': 'Rule'},
      'related_events': CASE WHEN len(evidence) > 0 THEN [{'uid': one} FOR one IN evidence IF one IS NOT NULL] END,
      'related_events_count': len(evidence)
    },
    'remediation': CASE WHEN remedy <> '' THEN {'desc': remedy} END,
    'resources': CASE WHEN about <> '' THEN [{'uid': about, 'name': about}] END,
    'unmapped': {'source': source}
  })) AS event
FROM findings;
