"""
The auditors are audited: who read what of the archive, when, with which question and how many rows.

    audit command ──asked──▶ reads.jsonl ──answer──▶ person ──answered──▶ reads.jsonl ──▶ topic `findings` ──▶ archive
"""
