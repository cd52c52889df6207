-- One record as Kafka held it: parameter seq.
SELECT timestamp_ms, timestamp_type, key, headers, value FROM archived WHERE seq = $seq
