"""Sketches: binned moments, their sums, their nodes, their files."""
