-- One record as Kafka held it: parameter seq.
SELECT timestamp_ms, timestamp_type, key, headers, value FROM records WHERE seq = $seq
