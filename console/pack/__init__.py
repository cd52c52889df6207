"""The auditor pack: everything about a period in one directory, which can be checked without us."""
