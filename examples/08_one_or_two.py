"""One hump or two? A test, a table of several numbers of components, a verdict in words.

Waiting times at Old Faithful have two humps. The velocities of 82 galaxies are best described by
three components, two of which rest on a few galaxies. A skewed column needs two components and has
one hump.
"""

from __future__ import annotations

import numpy as np

import bactrian as bt


def main() -> None:
    """Test, compare, and put into words."""
    waiting = bt.fit(bt.datasets.load("faithful")["waiting"])
    test = waiting.homogeneity_test()
    print(test)
    assert test.p_value < 1e-20
    assert waiting.homogeneity_test(2).p_value > 0.1

    velocity = bt.datasets.load("galaxies")["velocity"]
    comparison = bt.compare(velocity, range(1, 5))
    print(f"\n{comparison}")
    best = comparison.recommended
    assert best is comparison[3]

    skewed = bt.fit(np.random.default_rng(3).gamma(4.0, size=300))
    print()
    for name, fit in (("waiting", waiting), ("velocity", best), ("skewed", skewed)):
        print(f"{name}: {fit.verdict(n_replicates=99, rng=1).headline}")


if __name__ == "__main__":
    main()
