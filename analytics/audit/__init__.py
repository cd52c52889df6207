"""What auditors ask of a period: who changed what, everything that was done, and what was out of the ordinary."""
