"""Benchmarks: every figure is a ratio to a floor that was taken in the same run on the same file system."""
