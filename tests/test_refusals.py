"""Arguments of the wrong kind, each refused in words that name the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import bactrian as bt
from bactrian.cli import main
from tests.problems import draw

QUANTITIES = [bt.loglike, bt.responsibilities, bt.score, bt.score_obs, bt.hessian, bt.evaluate]


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_fit_is_no_mixture(quantity: Any) -> None:
    with pytest.raises(bt.ParameterError, match=r"Fit, not a NormalMixture; .* pass its \.mixture"):
        quantity([1.0, 2.0], bt.fit(draw("apart")))


def test_quantities_do_not_advise_options_that_they_lack() -> None:
    mixture = bt.NormalMixture([1.0], [0.0], [1.0])
    with pytest.raises(bt.DataError, match="leave such rows out first"):
        bt.score_obs([np.nan, 1.0], mixture)
    with pytest.raises(bt.DataError, match="pass missing='drop' to leave such rows out"):
        bt.score([np.nan, 1.0], mixture)
    with pytest.raises(bt.DataError, match=r"choose one, e\.g\. column='a'"):
        bt.loglike({"a": [1.0, 2.0], "b": [1.0, 2.0]}, mixture)


@pytest.mark.parametrize("level", ["0.95", 95, 0.0, 1.0])
def test_a_level_is_a_probability(level: Any) -> None:
    with pytest.raises(bt.ParameterError, match=r"not between 0 and 1"):
        bt.fit(draw("apart")).confint(level)


def test_equal_variances_is_true_or_false() -> None:
    with pytest.raises(bt.ParameterError, match="neither True nor False"):
        bt.fit(draw("apart"), equal_variances=cast(Any, "no"))


def test_fits_can_be_compared_and_kept_in_sets() -> None:
    one, other = bt.fit(draw("apart")), bt.fit(draw("apart"))
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_a_column_is_not_its_own_weight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n2\n3\n4\n5\n6\n")
    assert main(["fit", str(path), "--column", "x", "--weights", "x"]) == 2
    assert "name the same column" in capsys.readouterr().err
