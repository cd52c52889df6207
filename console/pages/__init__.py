"""
Pages that need nothing else: no script, no network, no other file, and what strangers wrote as text.

The words on them are those of `console/auditing`; here they become HTML and pictures, and are written to files.
"""
