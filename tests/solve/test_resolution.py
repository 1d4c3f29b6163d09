"""The rounding of values is seen where there is one, and not where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.data.sample import Sample
from bactrian.solve.resolution import least_sd, rounding_unit
from tests.problems import draw


@pytest.mark.parametrize("step", [0.1, 0.25, 1.0, 1.0 / 3.0, 5e-3])
@pytest.mark.parametrize("offset", [0.0, -17.3, 1e4])
def test_multiples_of_a_step_with_ties_are_rounded(step: float, offset: float) -> None:
    values = offset + step * np.round(draw("overlapping", 2000) / step)
    sample = Sample.of(values)
    assert rounding_unit(sample) * sample.scale == pytest.approx(step, rel=1e-5)
    assert least_sd(sample) == rounding_unit(sample) / 4.0


def test_a_step_is_found_where_no_two_values_are_neighbours() -> None:
    values = np.repeat([0.0, 2.0, 5.0, 9.0], 10)
    sample = Sample.of(values)
    # Gaps of 2, 3 and 4: the step is their common measure.
    assert rounding_unit(sample) * sample.scale == pytest.approx(1.0)


def test_untied_values_are_not_rounded() -> None:
    assert rounding_unit(Sample.of(draw("overlapping", 500))) == 0.0


def test_a_few_ties_are_an_accident() -> None:
    values = np.round(draw("overlapping", 200), 3)
    tied = np.concatenate([values, values[:5]])
    assert 1.0 - np.unique(tied).size / tied.size < 0.05
    assert rounding_unit(Sample.of(tied)) == 0.0


def test_values_without_a_common_step_are_not_rounded() -> None:
    values = np.repeat(draw("overlapping", 100), 2)
    assert rounding_unit(Sample.of(values)) == 0.0


def test_one_value_has_no_step() -> None:
    assert rounding_unit(Sample.of(np.full(5, 3.7))) == 0.0


def test_far_from_zero_the_storage_decides_what_is_resolved() -> None:
    near = Sample.of(draw("overlapping", 300))
    far = Sample.of(draw("overlapping", 300) + 1e12)
    assert least_sd(near) == 1e-8
    assert least_sd(far) * far.scale == 8.0 * np.spacing(far.values[-1])
