"""What auditors ask of the archive, for people and programs: text, CSV and the state of things at a moment."""
