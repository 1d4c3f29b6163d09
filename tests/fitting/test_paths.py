"""Pictures of ascents: the traces, and the surface under them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.fitting.paths import path_picture
from tests.problems import draw, drawn_fit

pytest.importorskip("matplotlib")

from bactrian.present.plots.canvas import blank_axes
from tests.fitting.test_plots import curve, words


def by(method: Any, name: str = "overlapping") -> bt.Fit:
    """The fit of the same rows by a method."""
    return bt.fit(draw(name), method=method)


def test_the_paths_are_the_traces() -> None:
    fits = by("em"), by("newton"), by("gradient"), by("lbfgs")
    ax = fits[0].plot_path(*fits[1:], ax=blank_axes())
    for fit, name in zip(fits, ("EM", "Newton", "gradient ascent", "L-BFGS"), strict=True):
        last = "" if name == "Newton" else " (1 Newton's)"
        x, y = curve(ax, f"{name}: {fit.solution.n_steps} steps{last}")
        # Here the ascents end with their components in the other order than the fit.
        np.testing.assert_array_equal(x, [step.mixture.means[1] for step in fit.trace])
        np.testing.assert_array_equal(y, [step.mixture.means[0] for step in fit.trace])
    assert [curve(ax, "maximum")[i][0] for i in (0, 1)] == fits[0].mixture.means.tolist()
    assert words(ax)[-1] == "maximum"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mean 1", "mean 2")


def test_no_step_is_above_the_surface() -> None:
    fit = by("em")
    picture = path_picture((fit,), None)
    (path,), found = picture.paths, picture.surface
    for step, x, y in zip(fit.trace, path.first, path.second, strict=True):
        i, j = np.searchsorted(found.first, x) - 1, np.searchsorted(found.second, y) - 1
        around = found.loglike[j : j + 2, i : i + 2]
        # The surface is concave here but for the width of a cell.
        assert step.loglike - fit.loglike <= around.max() + 0.01
    assert np.nanmax(found.loglike) <= 1e-9
    assert np.nanmax(found.loglike) > -0.01


@pytest.mark.parametrize("names", [("weight 1", "sd 2"), ("weight 2", "mean 1"), ("sd 1", "sd 2")])
def test_other_parameters_are_shown_in_their_own_unit(names: tuple[str, str]) -> None:
    fit = bt.fit(50.0 + 3.0 * draw("overlapping"))
    picture = path_picture((fit,), names)
    values = {e.name: e.value for e in fit.confint()}
    assert picture.end == pytest.approx([values[name] for name in names], rel=1e-12)
    for grid, name in zip(picture.surface[:2], names, strict=True):
        assert grid.min() < values[name] < grid.max()
    at = np.unravel_index(np.nanargmax(picture.surface.loglike), picture.surface.loglike.shape)
    best = picture.surface.first[at[1]], picture.surface.second[at[0]]
    for found, grid, end in zip(best, picture.surface[:2], picture.end, strict=True):
        assert abs(found - end) <= np.abs(np.diff(grid)).max()


def test_one_component_and_equal_variances_have_axes_too() -> None:
    one = bt.fit(draw("apart"), 1, method="gradient")
    assert path_picture((one,), None).names == ("mean 1", "sd 1")
    equal = bt.fit(draw("apart"), equal_variances=True, method="em")
    picture = path_picture((equal,), ("mean 1", "sd 1"))
    assert picture.end[1] == pytest.approx(equal.mixture.sds[0], rel=1e-12)
    assert np.nanmax(picture.surface.loglike) <= 1e-9


def test_a_tiny_unit_is_drawn() -> None:
    ax = bt.fit(1e-150 * draw("overlapping"), method="em").plot_path(ax=blank_axes())
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    plain = by("em").plot_path(ax=blank_axes())
    np.testing.assert_allclose(ax.get_xlim(), 1e-150 * np.array(plain.get_xlim()), rtol=1e-4)


def test_steps_that_did_not_arrive_are_drawn_beside_one_that_did() -> None:
    early = bt.fit(draw("overlapping"), method="em", max_steps=3)
    ax = early.plot_path(by("newton"), ax=blank_axes())
    assert words(ax)[0] == "EM: 3 steps"
    with pytest.raises(bt.ParameterError, match="None of these ascents"):
        early.plot_path()


@pytest.mark.parametrize(
    ("others", "options", "message"),
    [
        ((), {"parameters": ("mean 1", "mean 9")}, "'mean 9' is not one of the parameters"),
        ((), {"parameters": ("mean 1", "mean 1")}, "no pair of names"),
        ((), {"parameters": "mean 1"}, "no pair of names"),
        ((), {"parameters": ("weight 1", "weight 2")}, "are one coordinate"),
        (("no fit",), {}, "'no fit' is no fit"),
        ((drawn_fit("rare"),), {}, "not of the same data"),
        ((), {"ax": 0}, "no Matplotlib Axes"),
    ],
)
def test_what_is_not_on_one_surface_is_refused(
    others: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(bt.ParameterError, match=message):
        drawn_fit("apart").plot_path(*others, **options)


def test_a_fit_without_a_path_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="has no path"):
        bt.fit([0.0] * 5 + [1.0, 2.0, 3.0, 4.0, 7.0]).plot_path()
