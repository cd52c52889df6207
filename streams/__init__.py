"""Connects: Kafka, Faust and the embedded broker."""
