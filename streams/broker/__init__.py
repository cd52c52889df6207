"""
Gives Sluicegate a Kafka: the servers in the settings, Docker if asked, else Apache Kafka embedded.

    with EmbeddedBroker(Path("data")) as broker:
        broker.bootstrap          # 127.0.0.1:23456
"""

from streams.broker.embedded import EmbeddedBroker

__all__ = ["EmbeddedBroker"]
