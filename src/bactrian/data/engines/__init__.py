"""Sums taken inside an engine."""
