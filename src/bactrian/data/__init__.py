"""How rows get in: weighted samples, memory and files."""
