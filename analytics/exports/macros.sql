-- A moment in UTC, whatever time zone the session has.
CREATE OR REPLACE TEMP MACRO exported_time(moment) AS
  strftime(make_timestamp(epoch_us(moment)), '%Y-%m-%dT%H:%M:%S.%fZ');

-- The CloudEvents type of what a record holds; null where nobody could read it.
CREATE OR REPLACE TEMP MACRO exported_type(holds) AS CASE holds
  WHEN 'action' THEN 'io.sluicegate.action.proposed.v1'
  WHEN 'verdict' THEN 'io.sluicegate.verdict.issued.v1'
  WHEN 'denial' THEN 'io.sluicegate.verdict.issued.v1'
  WHEN 'outcome' THEN 'io.sluicegate.outcome.reported.v1'
  WHEN 'request' THEN 'io.sluicegate.approval.requested.v1'
  WHEN 'grant_request' THEN 'io.sluicegate.grant.requested.v1'
  WHEN 'vote' THEN 'io.sluicegate.approval.voted.v1'
  WHEN 'grant' THEN 'io.sluicegate.grant.issued.v1'
  WHEN 'control' THEN 'io.sluicegate.control.issued.v1'
  WHEN 'enrolment' THEN 'io.sluicegate.principal.enrolled.v1'
  WHEN 'publication' THEN 'io.sluicegate.policy.published.v1'
  WHEN 'finding' THEN 'io.sluicegate.finding.raised.v1'
  WHEN 'checkpoint' THEN 'io.sluicegate.checkpoint.published.v1'
END;
