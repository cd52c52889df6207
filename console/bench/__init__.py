"""Benchmarks: ratios against a raw echo that is measured in the same run."""
