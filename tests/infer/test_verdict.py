"""The verdict: each of its sentences where it is true, and only there."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import bactrian as bt
from bactrian.fitting.dip import dip_test
from bactrian.infer.goodness import SimulatedStatistic
from bactrian.infer.verdict import DipTest, Verdict, standardized_moments, valley_depth

Array = NDArray[np.float64]

WAITING = bt.datasets.load("faithful")["waiting"]


def verdict(x: Array, k: int = 2, n_replicates: int = 0) -> Verdict:
    """The verdict on rows; without the goodness of fit unless it is asked for."""
    return bt.fit(x, k).verdict(n_replicates=n_replicates, rng=1)


def shape(name: str) -> Array:
    """Rows from a law that is no mixture of two distinct humps."""
    rng = np.random.default_rng(3)
    if name == "outliers":
        return np.append(rng.normal(size=200), [60.0, 85.0])
    law, n = {
        "normal": (stats.norm(), 300),
        "gamma": (stats.gamma(4.0), 300),
        "t": (stats.t(5.0), 400),
        "uniform": (stats.uniform(), 400),
        "flat": (stats.beta(4.0, 4.0), 2000),
        "shallow": (stats.beta(2.2, 2.2), 3000),
    }[name]
    return np.asarray(law.rvs(n, random_state=rng))


def test_two_humps_are_called_that() -> None:
    found = verdict(WAITING, n_replicates=99)
    assert found.headline == (
        "Two humps: two components are clearly better than one (p = 1.3e-26), and the density has "
        "two modes."
    )
    assert found.sentences[1] == (
        "The two means are 4.34 sds apart (95 % interval 3.89 to 4.84); the smaller component has "
        "98 of 272 rows (36 %). Between its modes the density falls to 25 % of the lower."
    )
    assert found.sentences[2].startswith("The fitted mixture describes the data (Anderson-Darling")
    assert max(map(len, str(found).splitlines())) <= 88


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gamma", "a single mode: the data are skewed, not visibly bimodal."),
        ("t", "a single mode: the data are heavy-tailed, not visibly bimodal."),
        ("flat", "a single mode: the data are flatter than a normal curve, not visibly bimodal."),
        ("shallow", "so shallow that they are hardly two humps."),
        ("outliers", "but 2 of 202 rows may be outliers and no hump."),
    ],
)
def test_components_that_are_no_humps_are_called_what_they_are(name: str, said: str) -> None:
    found = verdict(shape(name))
    assert found.is_rejected
    assert found.headline.endswith(said)
    assert found.headline.startswith("Two components are clearly better than one (p = ")


def test_humps_of_a_mixture_that_does_not_describe_the_data_are_doubted() -> None:
    doubted = verdict(shape("uniform"), n_replicates=99)
    assert doubted.goodness is not None
    assert doubted.goodness.p_value < 0.05
    assert doubted.headline.endswith(
        "it does not describe the data well, so its humps may not be theirs."
    )
    assert "differ by up to 0.037" in doubted.sentences[2]
    untested = replace(doubted, goodness=None, dip=None)
    assert untested.headline.endswith("whether it describes the data was not tested.")
    seen = replace(untested, dip=DipTest(0.1, 0.001))
    assert seen.headline.startswith("Two humps: ")
    assert doubted.goodness.anderson_darling.p_value < 0.05
    sound = replace(doubted.goodness, anderson_darling=SimulatedStatistic(0.3, 0.5, 0.05))
    unsure = replace(doubted, goodness=sound)
    assert unsure.headline.endswith("though the dip test does not rule out a single one.")
    trusted = replace(unsure, dip=None)
    assert trusted.headline.startswith("Two humps: ")


def test_one_normal_curve_is_one_hump() -> None:
    found = verdict(shape("normal"))
    assert not found.is_rejected
    assert found.headline == "One hump: nothing shows that one normal curve is too few (p = 0.68)."
    assert len(found.sentences) == 1 + (found.dip is not None)


def test_more_components_are_counted_in_words() -> None:
    velocity = bt.datasets.load("galaxies")["velocity"]
    found = verdict(velocity, 3)
    assert found.headline.startswith("Three components are clearly better than two (p = 1.5e-05)")
    assert found.separation is None
    assert "The smallest component has 3 of 82 rows (3.7 %)." in found.sentences
    assert verdict(WAITING, 3).headline.startswith("Two components will do: nothing shows that two")


def test_it_rests_on_the_test_that_is_given() -> None:
    fit = bt.fit(shape("normal"))
    test = replace(fit.homogeneity_test(), p_value=0.01)
    assert fit.verdict(test=test, n_replicates=0).is_rejected
    with pytest.raises(bt.ParameterError, match="this test is of 2 against 3"):
        fit.verdict(test=fit.homogeneity_test(2), n_replicates=0)


def test_the_valley_is_the_least_density_between_the_modes() -> None:
    mixture = bt.NormalMixture([0.3, 0.7], [0.0, 4.0], [1.0, 1.5])
    low, high = mixture.modes().tolist()
    between = mixture.pdf(np.linspace(low, high, 100_001))
    ratio = float(between.min() / min(between[0], between[-1]))
    assert valley_depth(mixture) == pytest.approx(ratio, rel=1e-8)
    assert valley_depth(bt.NormalMixture([0.3, 0.7], [0.0, 1.0], [1.0, 1.5])) is None


def test_shapes_are_measured_as_scipy_measures_them() -> None:
    mixture = bt.NormalMixture([0.2, 0.5, 0.3], [-3.0, 0.5, 4.0], [0.5, 2.0, 1.0])
    x = np.linspace(-20.0, 25.0, 400_001)
    law = stats.rv_histogram((mixture.pdf(0.5 * (x[1:] + x[:-1])), x))
    skewness, kurtosis = standardized_moments(mixture)
    assert skewness == pytest.approx(float(law.stats(moments="s")), abs=1e-6)
    assert kurtosis == pytest.approx(float(law.stats(moments="k")), abs=1e-6)
    scaled = standardized_moments(mixture.affine(1e9, 1e150))
    assert scaled == pytest.approx((skewness, kurtosis), rel=1e-9)


def test_the_dip_is_that_of_the_package_and_left_out_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diptest = pytest.importorskip("diptest")
    found = dip_test(bt.fit(WAITING).sample)
    assert found is not None
    assert (found.statistic, found.p_value) == pytest.approx(diptest.diptest(WAITING))
    assert "rejects a single mode (p = 0.0018)" in verdict(WAITING).sentences[-1]
    values, counts = np.unique(WAITING, return_counts=True)
    assert dip_test(bt.fit(values, sample_weight=counts).sample) == found
    assert dip_test(bt.fit(bt.Sketch.of(WAITING)).sample) is None
    halves = bt.fit(WAITING, sample_weight=np.full(272, 1.5), weight_kind="frequency")
    assert dip_test(halves.sample) is None
    monkeypatch.setitem(sys.modules, "diptest", None)
    assert dip_test(bt.fit(WAITING).sample) is None


def test_it_is_strict_json() -> None:
    record = json.loads(json.dumps(verdict(WAITING, n_replicates=39).to_dict(), allow_nan=False))
    assert record["n_modes"] == 2
    assert record["test"]["method"] == "em"
    assert record["separation"]["value"] == bt.fit(WAITING).shape()["separation"].value


def test_what_has_no_verdict_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="leaves nothing to decide"):
        bt.fit(WAITING, 1).verdict()
    fit = bt.fit(WAITING)
    with pytest.raises(bt.ParameterError, match="19 is too few to tell"):
        fit.verdict(n_replicates=19)
    with pytest.raises(bt.ParameterError, match="0 leaves it out"):
        fit.verdict(n_replicates=-1)
    with pytest.raises(bt.ParameterError, match="pass what fit"):
        fit.verdict(test="em")  # type: ignore[arg-type]
    held = bt.fit(WAITING, fixed={"means": [55, None]})
    with pytest.raises(bt.ParameterError, match="fits without constraints"):
        held.verdict()
    collapsed = bt.fit(np.append(WAITING[:50], 1e9))
    with pytest.raises(bt.ParameterError, match="no maximum is no verdict"):
        collapsed.verdict()
