"""How each database tells its structure; one file a database, each with `read_structure`."""
