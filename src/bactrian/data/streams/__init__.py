"""Rows that come in chunks: streams, large files, databases."""
