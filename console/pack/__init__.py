"""
The auditor pack: everything about a period in one directory, which can be checked without us.

    gathering (asks once) ──▶ page, CSV, JSON, proofs ──▶ making (a directory, whole or not at all)
"""
