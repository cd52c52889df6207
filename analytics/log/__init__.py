"""
The transparency log: one RFC 6962 Merkle tree for each Kafka partition, in the C2SP formats, and one over their heads.

    record ──leaf──▶ tree of its partition ──checkpoint──▶ entry ──leaf──▶ tree of the archive
                      └─────▶ tiles    what proofs are made of              └──checkpoint──▶ signed note

A partition's head is not signed; it is in the archive's tree, whose head is: once a commit, in
`log/checkpoint` and on the topic `checkpoints`, for witnesses to sign as well. Nothing here reads or
writes: `analytics.archive` keeps the trees.
"""
