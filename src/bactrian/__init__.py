"""Maximum likelihood for one-dimensional Gaussian mixtures."""
