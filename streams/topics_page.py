"""Makes docs/topics.md from the table of topics."""

from __future__ import annotations

from streams.topics import DAY_MS, TOPICS, Topic


def topics_page() -> str:
    """Return docs/topics.md."""
    head = (
        "# Topics\n\nMade from `streams/topics.py` by `make docs`; do not edit.\n\n"
        "A reserved topic is made, and archived if anything should be in it; in this release nothing else\n"
        "writes or reads it. No topic that administrators write is compacted: see\n"
        "[decision 8](decisions/0008-control-topics-are-never-compacted.md).\n\n"
        "Nothing starts where a topic exists with another number of partitions, another clean-up, timestamp or\n"
        "compression, too small records, or a retention that ends what still holds. `sluicegate up` alters such\n"
        "settings on a broker that it started itself, and says so; on any other cluster it names the topic, what was\n"
        "found and the command that mends it. Partitions are never added: principals would move away from what is\n"
        "known of them. How long work is kept is the operator's choice.\n\n"
        "| topic | what it holds | key | partitions | writers | readers | kept | timestamp |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(_row(topic) for topic in TOPICS)


def _row(topic: Topic) -> str:
    cells = (
        f"`{topic.name}`",
        f"reserved: {topic.purpose}" if topic.reserved else topic.purpose,
        topic.key,
        str(topic.partitions),
        ", ".join(topic.writers),
        ", ".join(topic.readers),
        _kept(topic),
        topic.timestamp_type,
    )
    return f"| {' | '.join(cells)} |\n"


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "compacted"
    kept = "for ever" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} days"
    back = topic.looks_back_ms
    return kept if back is None else f"{kept}; judges look {back // DAY_MS} days back"
