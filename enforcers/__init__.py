"""Decides and acts: contract, intent, policy, judge, gate and executors. Knows no Kafka and no archive."""
