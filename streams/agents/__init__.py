"""Faust agents, one file each."""
