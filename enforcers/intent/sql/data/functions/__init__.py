"""Names of harmless functions, one file per family of dialects."""
