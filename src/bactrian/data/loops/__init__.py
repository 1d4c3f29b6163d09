"""Loops over large columns: compiled, and their twins in NumPy."""
