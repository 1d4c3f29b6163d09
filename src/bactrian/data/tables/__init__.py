"""Columns and tables of rows: from memory, frames and files."""
