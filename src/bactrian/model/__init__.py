"""What a mixture is: a distribution, its coordinates, its row-by-row mathematics."""
