"""What the maximum is worth: covariance, standard errors, intervals."""
