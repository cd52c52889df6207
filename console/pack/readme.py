"""`README.txt` of a pack."""

from __future__ import annotations

README = """An auditor pack of Sluicegate
=============================

index.html       scope, population, integrity, gaps, exceptions, access, sample; open it in any browser
population.csv   every change of the period; values that a spreadsheet could run begin with an apostrophe
exceptions.csv   every unusual case with its records
enrolments.csv   who might propose what: each word about it in the period, and what held when it began
grants.csv       rights for a limited time, told likewise
everything.json  all of it for programs
proof/           the records behind the sample, as Kafka held them, with their proofs

Check it without us
-------------------

    python3 -I proof/verify_archive.py proof

needs Python 3.10 and nothing else. Take verify_archive.py from a release of Sluicegate rather than from here,
give it the archiver's key that you were handed elsewhere (--key), and a checkpoint that you kept yourself
(--checkpoint): only that shows that the history was not written anew by whoever has the key.

Draw the sample again: of every row of population.csv take the SHA-256 of

    SEED:ACTION ID:DIGEST      (columns action_id and action_digest; the seed stands in index.html)

and sort by it; the first rows are the sample.

Keep a checkpoint for next time: proof/checkpoint. Send it to somebody who has no key of the archiver.

The same archive, period, sample and seed give the same pack, but for the time at the end of index.html and in
everything.json.

What it does not show
---------------------

Actions that went round the gates; whether what somebody wrote as a reason is true; anything before the first
checkpoint that somebody else kept. Who may speak is the trust file as it was when the pack was made; who may
propose, and what was granted, is what administrators said in the archive. A file of principals has no history and
is not here.

Words
-----

Times are the broker's (recorded_at), unless a line says whose clock it is. A record behind the sample counts once,
however many actions rest on it. decision `none`: no verdict that counts; outcome `none`: nobody reported one;
outcome `unknown`: the executor reported that it does not know.
"""
NO_PROOF = """There are no proofs in this pack: {why}
"""
