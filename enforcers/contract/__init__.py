"""What travels: actions, verdicts and outcomes; their bytes, digests and signatures."""
