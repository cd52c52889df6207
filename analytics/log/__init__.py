"""
The transparency log: one RFC 6962 Merkle tree for each Kafka partition, in the C2SP formats.

    record ──leaf──▶ tree ──▶ tiles        what proofs are made of
                      └─────▶ checkpoint ──signed note──▶ file, topic, witnesses
"""
