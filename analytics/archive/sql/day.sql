-- Tables of one day file. Append-only, without keys or indexes: DuckDB never frees rows deleted
-- from an indexed table, and UUIDv7 in append order needs none.
-- `raw` is what Kafka held; the view `records` over it is what readers get: see typed.sql.
-- How a column is compressed is said for each: to find out anew, as DuckDB does at every checkpoint,
-- takes half as long again. What is random is not compressed at all.
CREATE TABLE $schema.raw (
  seq UBIGINT USING COMPRESSION BITPACKING NOT NULL,
  topic VARCHAR USING COMPRESSION DICT_FSST NOT NULL,
  partition INTEGER USING COMPRESSION BITPACKING NOT NULL,
  "offset" BIGINT USING COMPRESSION BITPACKING NOT NULL,
  timestamp_ms BIGINT USING COMPRESSION BITPACKING NOT NULL,
  timestamp_type TINYINT USING COMPRESSION RLE NOT NULL,
  key BLOB USING COMPRESSION DICT_FSST,
  headers STRUCT(name VARCHAR, value BLOB)[] NOT NULL,
  value BLOB USING COMPRESSION ZSTD,
  cluster_id VARCHAR USING COMPRESSION DICT_FSST NOT NULL,
  archived_at TIMESTAMPTZ USING COMPRESSION RLE NOT NULL,
  -- The log. A record's place in its partition's tree, and what the leaf covers beside that place.
  leaf_index UBIGINT USING COMPRESSION BITPACKING NOT NULL,
  digest BLOB USING COMPRESSION UNCOMPRESSED NOT NULL,
  -- Roots of the perfect subtrees of heights 8, 16, 24 … that this leaf completed, lowest first.
  nodes BLOB USING COMPRESSION DICT_FSST,
  -- On the last record of a partition in a commit: the tree's root, and its place in the archive's own tree.
  head BLOB USING COMPRESSION DICT_FSST,
  head_index UBIGINT USING COMPRESSION RLE,
  head_nodes BLOB USING COMPRESSION DICT_FSST
);
-- Where each partition stands: peaks are the roots of the perfect subtrees of a tree of so many leaves.
CREATE TABLE $schema.positions (
  topic VARCHAR NOT NULL,
  partition INTEGER NOT NULL,
  next_offset BIGINT NOT NULL,
  leaves UBIGINT NOT NULL,
  peaks BLOB NOT NULL,
  last_seq UBIGINT NOT NULL
);
-- `before`: the archive's own tree before the newest commit, whose note a crash may have kept from the disk.
CREATE TABLE $schema.state (
  version INTEGER NOT NULL,
  cluster_id VARCHAR NOT NULL,
  first_seq UBIGINT NOT NULL,
  last_seq UBIGINT NOT NULL,
  heads UBIGINT NOT NULL,
  head_peaks BLOB NOT NULL,
  before UBIGINT NOT NULL,
  before_peaks BLOB NOT NULL
);
