"""The mathematics of the derivation: log-likelihood, score and Hessian."""
