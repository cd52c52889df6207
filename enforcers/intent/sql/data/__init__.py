"""Lists of the SQL reader: what acts, and what is sensitive."""
