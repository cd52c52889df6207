"""Session and catalog statements, read from their tokens alone."""
