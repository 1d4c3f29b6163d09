"""What an answer is worth: intervals three ways, a known parameter, weights of a survey.

The waiting times of Old Faithful have two humps. How far apart are they, and how sure is that? Is
one as wide as the other? What if short waits had been missed half of the time, and weights make up
for it?

Install: pip install bactrian
"""

import numpy as np

import bactrian as bt


def distance(mixture: bt.NormalMixture) -> float:
    """How far the second hump is from the first."""
    return float(mixture.means[1] - mixture.means[0])


def main() -> None:
    waits = bt.datasets.load("faithful")["waiting"]
    fit = bt.fit(waits)

    refits = fit.bootstrap(200, rng=1)
    for method in ("wald", "profile", refits):
        found = fit.derive(distance, "distance", method=method)
        print(f"{found.method:>9}: {found} minutes, {found.low:.2f} to {found.high:.2f}")
        assert abs(found.value - 25.4762) < 1e-4
        assert 23.5 < found.low < 24.3
        assert 26.6 < found.high < 27.3

    # Without its factor for few rows, a profile interval ends where a fit that holds the parameter
    # there loses 1.92 of log-likelihood.
    mean = fit.confint(method="plain_profile")["mean 1"]
    held = bt.fit(waits, fixed={"means": [mean.low, None]})
    assert abs(fit.loglike - held.loglike - 1.9207294) < 1e-6

    test = bt.fit(waits, equal_variances=True).test_against(fit)
    print(f"one common sd: likelihood ratio {test.statistic:.2g}, p = {test.p_value:.3f}")
    assert test.df == 1
    assert test.p_value > 0.99

    # Every other short wait is dropped, and the others stand for two.
    short = waits < 67
    kept = ~short | (np.cumsum(short) % 2 == 0)
    shares = np.where(short, 2.0, 1.0)[kept]
    survey = bt.fit(waits[kept], sample_weight=shares, weight_kind="sampling")
    naive = bt.fit(waits[kept])
    weight = survey.confint()["weight 1"]
    without = naive.mixture.weights[0]
    print(f"share of short waits: {weight} with the weights, {without:.3f} without")
    assert weight.low < fit.mixture.weights[0] < weight.high
    assert without < weight.low


if __name__ == "__main__":
    main()
