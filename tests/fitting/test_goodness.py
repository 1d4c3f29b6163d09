"""What a fit says about its rows: refusals in words, and progress."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import draw, drawn_fit


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_replicates": 0}, "n_replicates=0 is not a positive whole number; 199 is usual"),
        ({"n_replicates": 1.5}, "n_replicates=1.5"),
        ({"workers": 0}, "workers=0"),
        ({"rng": -1}, "rng=-1"),
    ],
)
def test_what_is_out_of_range_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(bt.ParameterError, match=words):
        drawn_fit("apart").goodness_of_fit(**options)


def test_a_fit_that_is_no_maximum_is_refused() -> None:
    fit = bt.fit(draw("apart"), max_steps=1, method="em")
    assert not fit.converged
    with pytest.raises(bt.ParameterError, match="no maximum"):
        fit.goodness_of_fit()


def test_progress_is_told() -> None:
    calls: list[tuple[float, float | None]] = []

    def progress(done: float, total: float | None) -> None:
        """Keep what is told."""
        calls.append((done, total))

    drawn_fit("apart").goodness_of_fit(30, rng=1, progress=progress)
    assert calls[-1] == (30, 30)


def test_a_fit_is_left_as_it_was() -> None:
    fit = drawn_fit("apart")
    before = str(fit)
    first = fit.goodness_of_fit(5, rng=np.random.default_rng(1))
    assert fit.goodness_of_fit(5, rng=np.random.default_rng(1)) == first
    assert str(fit) == before
