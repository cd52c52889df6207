"""`make demo`: a maintenance agent on a customer database, from the proposal to the archive."""
