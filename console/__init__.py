"""Shows: the command line, and the pages to come."""
