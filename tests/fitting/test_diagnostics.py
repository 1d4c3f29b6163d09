"""Pictures that judge a fit, against the library's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import draw, drawn_fit

pytest.importorskip("matplotlib")

from bactrian.present.plots.canvas import blank_axes
from tests.fitting.test_plots import curve, remark, words


def test_residuals_are_drawn_over_normal_quantiles_with_their_band() -> None:
    fit = drawn_fit("apart")
    ax = fit.plot_qq(blank_axes(), n_replicates=19, rng=1)
    _, residuals = curve(ax, "rows")
    np.testing.assert_allclose(residuals, fit.quantile_residuals(np.sort(draw("apart"))), atol=1e-9)
    assert words(ax) == ["95 % of 19 samples\ndrawn and fitted stay inside", "as in the mixture",
                         "rows"]  # fmt: skip
    (band,) = ax.collections
    again = fit.plot_qq(blank_axes(), n_replicates=19, rng=1).collections[0]
    np.testing.assert_array_equal(band.get_paths()[0].vertices, again.get_paths()[0].vertices)
    heights = np.asarray(band.get_paths()[0].vertices)[:, 1]
    assert heights.min() < residuals.min()
    assert heights.max() > residuals.max()


def test_the_shares_start_and_end_at_zero_and_reach_the_largest_distance() -> None:
    fit = drawn_fit("apart")
    x, excess = curve(fit.plot_pit(blank_axes(), n_replicates=0), "rows")
    assert (x[0], excess[0], x[-1], excess[-1]) == (0.0, 0.0, 1.0, 0.0)
    d = fit.goodness_of_fit(1, rng=1).max_distance
    assert np.abs(excess).max() == pytest.approx(d - 0.5 / fit.n_obs, abs=1e-12)


@pytest.mark.parametrize("kind", ["plot_qq", "plot_pit"])
def test_rounded_rows_far_from_zero_and_a_sketch_are_drawn(kind: str) -> None:
    for x in (1e6 + np.round(draw("apart"), 1), bt.Sketch.of(draw("apart", 5000))):
        ax = getattr(bt.fit(x), kind)(blank_axes(), n_replicates=19, rng=1)
        at, values = curve(ax, "rows")
        assert np.isfinite(values).all()
        assert (np.diff(at) >= 0.0).all()
        assert at.size > 20


def test_a_thinned_picture_keeps_the_tails() -> None:
    fit = bt.fit(x := draw("apart", 8000))
    ax = fit.plot_qq(blank_axes(), n_replicates=0)
    at, residuals = curve(ax, "rows")
    assert at.size < 500
    extremes = fit.quantile_residuals(np.array([x.min(), x.max()]))
    np.testing.assert_allclose(residuals[[0, -1]], extremes, rtol=1e-9)
    share, excess = curve(fit.plot_pit(blank_axes(), n_replicates=0), "rows")
    assert share.size < 500
    d = fit.goodness_of_fit(1, rng=1).max_distance
    assert np.abs(excess).max() == pytest.approx(d - 0.5 / fit.n_obs, abs=1e-12)


def test_a_profile_has_its_level_line_and_the_ends_of_its_interval() -> None:
    fit = drawn_fit("apart")
    found = fit.confint(method="profile")["sd 2"]
    ax = fit.plot_profile("sd 2", blank_axes())
    x, fallen = curve(ax, "profile likelihood")
    (level,) = set(curve(ax, "95 %:")[1])
    ends = [line.get_xdata()[0] for line in ax.lines[:2]]  # type: ignore[index]
    assert ends == [found.low, found.high]
    for end in ends:
        assert np.interp(end, x, fallen) == pytest.approx(level, abs=0.02)
    assert curve(ax, "maximum at")[0][0] == found.value
    assert ax.get_xlabel() == "sd 2"


def test_a_function_and_another_level() -> None:
    fit = bt.fit({"waiting": bt.datasets.load("faithful")["waiting"]})
    gap = fit.derive(lambda m: m.means[1] - m.means[0], method="plain_profile", level=0.8)
    ax = fit.plot_profile(
        lambda m: m.means[1] - m.means[0], blank_axes(), level=0.8, method="plain_profile",
        name="distance",
    )  # fmt: skip
    assert ax.lines[0].get_xdata()[0] == pytest.approx(gap.low, rel=1e-9)  # type: ignore[index]
    assert ax.get_xlabel() == "distance"
    assert words(ax)[0].startswith("80 %: ")
    assert fit.plot_profile("mean 2", blank_axes()).get_xlabel() == "mean 2 (waiting)"


def test_an_open_interval_is_said() -> None:
    ax = bt.fit(draw("overlapping", 80)).plot_profile("mean 2", blank_axes())
    assert remark(ax).startswith("The interval is open above: ")


def test_tiny_units_keep_their_ticks() -> None:
    ax = bt.fit(1e-150 * draw("apart")).plot_profile("mean 2", blank_axes())
    x, _ = curve(ax, "profile likelihood")
    assert ax.get_xlim() == pytest.approx((x[0], x[-1]), rel=1e-12, abs=0.0)
    assert 5e-150 < x[0] < x[-1] < 7e-150


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("plot_qq", {"n_replicates": -1}, "n_replicates=-1"),
        ("plot_qq", {"n_replicates": 5}, "19 the least"),
        ("plot_pit", {"level": 95}, "level=95"),
        ("plot_pit", {"rng": -1}, "rng=-1"),
        ("plot_pit", {"workers": 0}, "workers=0"),
        ("plot_profile", {"quantity": "mean 3"}, "There is no parameter 'mean 3'"),
        ("plot_profile", {"method": "wald"}, "method='wald' draws no profile"),
        ("plot_profile", {"level": 2.0}, "level=2.0"),
        ("plot_profile", {"quantity": 3}, "3 is no function"),
        ("plot_profile", {"quantity": abs, "scale": "cube"}, "scale='cube'"),
        ("plot_profile", {"ax": 1}, "no Matplotlib Axes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    method: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(bt.ParameterError, match=message):
        getattr(drawn_fit("apart"), method)(**options)


def test_a_fit_that_is_no_maximum_has_residuals_only() -> None:
    fit = bt.fit(draw("apart"), method="em", max_steps=1)
    for draw_it in (fit.plot_qq, fit.plot_pit, fit.plot_profile):
        with pytest.raises(bt.ParameterError, match="no maximum"):
            draw_it()
    assert remark(fit.plot_qq(blank_axes(), n_replicates=0)) == "No maximum: max steps."
