"""Pages that need nothing else: no script, no network, no other file, and what strangers wrote as text."""
