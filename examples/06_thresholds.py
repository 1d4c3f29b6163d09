"""Cut between two overlapping groups that nobody labelled, and check the cut against the labels.

The heights of adults in the United States have one hump, yet the mixture finds the two sexes in
them. Its cut has a standard error, and so have the error rates at the cut: how many women are
above it, how many men below. The survey did note the sex; the fit is not told.

Install: pip install bactrian
"""

import csv
from pathlib import Path

import numpy as np

import bactrian as bt

LABELLED = Path(__file__).resolve().parent.parent / (
    "tests/reference/csv/nhanes_adult_height_labelled.csv"
)


def main() -> None:
    heights = bt.datasets.load("heights")
    fit = bt.fit(heights["height"], sample_weight=heights["count"])
    assert fit.mixture.modes().size == 1  # there is no gap in which to put a cut

    cut = fit.threshold()
    print(f"cut at {cut.cut} cm, {cut.low:.1f} to {cut.high:.1f}")
    np.testing.assert_allclose(fit.mixture.responsibilities(cut.value), [0.5, 0.5])

    with LABELLED.open(encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    height, women, men = np.array(rows, dtype=float).T
    assert height.tolist() == heights["height"].tolist()
    above = height > cut.value
    women_above, men_below = women[above].sum() / women.sum(), men[~above].sum() / men.sum()
    wrong = (women[above].sum() + men[~above].sum()) / fit.n_obs
    for rate, actual in (
        (cut.false_positive_rate, women_above),
        (cut.false_negative_rate, men_below),
        (cut.error_rate, wrong),
    ):
        print(f"{rate.name} {rate}, {rate.low:.3f} to {rate.high:.3f}; actually {actual:.3f}")
        assert rate.low < actual < rate.high

    # Hardly a woman is to be called a man: another cut, whose error rate is chosen.
    strict = fit.threshold(false_positive_rate=0.05)
    actual = women[height > strict.value].sum() / women.sum()
    print(f"cut at {strict.cut} cm: 0.05 of the women should be above, {actual:.4f} are")
    assert abs(actual - 0.05) < 0.005


if __name__ == "__main__":
    main()
