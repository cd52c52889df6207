"""Seeded traffic: realistic records of every topic, with incidents whose labels lie beside the archive."""
