"""Hartigan's dip test through the package diptest, where that is installed."""

from __future__ import annotations

import numpy as np

from bactrian.data.sample import Sample
from bactrian.infer.verdict import DipTest

_LEAST_ROWS, _MOST_ROWS = 4, 72_000  # between which its tables are


def dip_test(sample: Sample) -> DipTest | None:
    """Return the dip test; None without the package, or where it does not know these rows.

    The package is GPL and so never comes with this one: ``pip install diptest``.
    """
    whole = bool((sample.weights == np.floor(sample.weights)).all())
    if sample.width > 0.0 or sample.squared is not None or not whole or sample.total > _MOST_ROWS:
        return None
    try:
        import diptest
    except ImportError:
        return None
    rows = np.repeat(sample.local, sample.weights.astype(np.intp))
    if rows.size < _LEAST_ROWS:
        return None
    statistic, p_value = diptest.diptest(rows)
    return DipTest(float(statistic), float(p_value))
