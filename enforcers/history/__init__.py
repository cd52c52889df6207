"""
What principals did lately, counted by the judge that owns their partition.

    Judgement ──touched──▶ Ledger ──▶ Account ──▶ SlidingWindow (whole, and one for each session)
    Outcome ────rows──────▶   │          └──▶ uses of grants, requests for approval
                              └──▶ Past for the next judgement, History for the topic

INVARIANT: pure. Time comes in with each call; the same offset is never counted twice.
"""
