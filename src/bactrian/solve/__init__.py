"""Finding the maximum, and what makes us sure of it."""
