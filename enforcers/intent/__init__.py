"""Reads what an action would do: action → Intent, one package per kind."""
