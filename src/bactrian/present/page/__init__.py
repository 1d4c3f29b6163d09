"""The page of a fit: one HTML file with everything in it."""
