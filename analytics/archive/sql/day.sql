-- Tables of one day file. Append-only, without keys or indexes: DuckDB never frees rows deleted
-- from an indexed table, and UUIDv7 in append order needs none.
CREATE TABLE $schema.records (
  seq UBIGINT NOT NULL,
  topic VARCHAR NOT NULL,
  partition INTEGER NOT NULL,
  "offset" BIGINT NOT NULL,
  timestamp_ms BIGINT NOT NULL,
  timestamp_type TINYINT NOT NULL,
  key BLOB,
  headers STRUCT(name VARCHAR, value BLOB)[] NOT NULL,
  value BLOB,
  value_sha256 VARCHAR,
  cluster_id VARCHAR NOT NULL,
  archived_at TIMESTAMPTZ NOT NULL,
  readable BOOLEAN,
  action_id UUID,
$typed
);
CREATE TABLE $schema.offsets (
  topic VARCHAR NOT NULL,
  partition INTEGER NOT NULL,
  next_offset BIGINT NOT NULL
);
CREATE TABLE $schema.state (
  version INTEGER NOT NULL,
  cluster_id VARCHAR NOT NULL,
  first_seq UBIGINT NOT NULL,
  last_seq UBIGINT NOT NULL
);
