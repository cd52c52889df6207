"""Decide by rules: an Intent and who proposes it in, a Decision out."""
