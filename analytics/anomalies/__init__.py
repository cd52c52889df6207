"""Detections over the archive: twelve questions in SQL, and what runs them and tells what they found."""
