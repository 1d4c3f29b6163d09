"""Pictures of a fit: what is drawn is what the library says, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import draw, drawn_fit

pytest.importorskip("matplotlib")

import matplotlib
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from bactrian.present.plots.canvas import blank_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAITING = bt.datasets.load("faithful")["waiting"]


@pytest.fixture(autouse=True)
def _without_display() -> Iterator[None]:
    """New figures need no display, and are closed."""
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def words(ax: Axes) -> list[str]:
    """The words of the legend."""
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def curve(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    """The points of the line whose name begins so."""
    (line,) = [line for line in ax.lines if str(line.get_label()).startswith(label)]
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def bars_of(ax: Any) -> tuple[Any, Any]:
    """The heights of the histogram, and its edges."""
    (steps,) = [patch for patch in ax.patches if isinstance(patch, StepPatch)]
    heights, edges, _ = steps.get_data()
    return heights, edges


def remark(ax: Axes) -> str:
    """The sentence above the picture."""
    return ax.get_title(loc="left").replace("\n", " ")


def labels_in_sight(ax: Axes) -> list[str]:
    """The tick labels within the limits, once drawn."""
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    low, high = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    return [text.get_text() for at, text in ticks if low <= at <= high]


def test_the_densities_are_those_of_the_mixture() -> None:
    fit = drawn_fit("apart")
    ax = fit.plot(blank_axes())
    x, total = curve(ax, "mixture")
    np.testing.assert_allclose(total, fit.mixture.pdf(x), rtol=1e-12)
    parts = [curve(ax, f"component {k}") for k in (1, 2)]
    np.testing.assert_allclose(parts[0][1] + parts[1][1], total, rtol=1e-12, atol=1e-300)
    share = parts[0][1] / np.where(total > 0.0, total, 1.0)
    np.testing.assert_allclose(share, fit.mixture.responsibilities(x)[:, 0], atol=1e-9)
    assert words(ax)[:2] == ["240 rows", "mixture"]


def test_the_histogram_is_of_the_rows() -> None:
    ax = drawn_fit("apart").plot(blank_axes(), bins=12)
    bars, ends = bars_of(ax)
    heights, edges = np.histogram(draw("apart"), 12, density=True)
    np.testing.assert_allclose(bars, heights, rtol=1e-12)
    np.testing.assert_allclose(ends, edges, rtol=1e-12, atol=1e-12)
    assert ax.get_ylim()[0] == 0.0
    assert ax.get_ylim()[1] > max(heights.max(), curve(ax, "mixture")[1].max())


def test_the_column_is_named_and_its_dollar_signs_are_no_formula() -> None:
    fit = bt.fit({"cost $a_b$ in $": WAITING})
    ax = fit.plot(blank_axes())
    assert ax.get_xlabel() == "cost $a_b$ in $"
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert not ax.xaxis.label.get_parse_math()


def test_the_cut_is_marked_with_its_interval_and_its_rates() -> None:
    fit = bt.fit(WAITING)
    cut = fit.threshold()
    ax = fit.plot(blank_axes(), threshold=True)
    x, _ = curve(ax, "cut")
    np.testing.assert_array_equal(x, [cut.value, cut.value])
    band = ax.patches[1].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((cut.low, cut.high), rel=1e-9)
    (about,) = [text for text in words(ax) if text.startswith("cut")]
    assert about.split("\n") == [
        "cut 66.6 (95 %: 64.5 to 68.6)",
        "false positives 2.1 % (1.0 to 4.1 %)",
        "false negatives 1.1 % (0.56 to 1.9 %)",
    ]


def test_another_threshold_is_marked_as_it_is() -> None:
    fit = bt.fit(WAITING)
    cut = fit.threshold(posterior=0.9, level=0.8)
    ax = fit.plot(blank_axes(), threshold=cut)
    assert curve(ax, "cut")[0][0] == cut.value
    assert "(80 %:" in next(text for text in words(ax) if text.startswith("cut"))


def test_an_open_interval_of_a_cut_is_said_and_stays_in_the_picture() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0.0, 1.0, 150), rng.normal(2.5, 1.5, 150)])
    fit = bt.fit(x)
    assert fit.threshold().low == -np.inf
    ax = fit.plot(blank_axes(), threshold=True)
    assert "(95 %: up to" in next(text for text in words(ax) if text.startswith("cut"))
    assert ax.get_xlim()[0] > x.min() - 0.1 * np.ptp(x)


def test_where_there_is_no_cut_the_picture_says_why() -> None:
    fit = bt.fit(np.random.default_rng(2).normal(size=300), equal_variances=True)
    none = fit.threshold(density_minimum=True)
    assert np.isnan(none.value)
    ax = fit.plot(blank_axes(), threshold=none)
    assert "the density has no minimum between the two means" in remark(ax).lower()
    assert not [text for text in words(ax) if text.startswith("cut")]


def test_what_is_said_above_a_small_picture_stays_above_it() -> None:
    fit = bt.fit(np.random.default_rng(2).normal(size=300), equal_variances=True)
    whole: Any = Figure(figsize=(12.0, 4.0), layout="constrained")
    ax = whole.subplots(1, 3)[0]
    fit.plot(ax, threshold=fit.threshold(density_minimum=True))
    whole.draw_without_rendering()
    (title,) = [text for text in ax.get_children() if text is ax._left_title]
    assert title.get_text().count("\n") >= 2
    assert title.get_window_extent().width < 1.1 * ax.get_window_extent().width


def test_one_component_is_drawn_once() -> None:
    ax = bt.fit(WAITING, 1).plot(blank_axes())
    assert words(ax) == ["272 rows", "normal density"]
    assert len(ax.lines) == 1
    with pytest.raises(bt.ParameterError, match="One component cannot be cut"):
        bt.fit(WAITING, 1).plot(blank_axes(), threshold=True)


def test_components_may_be_left_out() -> None:
    assert len(drawn_fit("three").plot(blank_axes(), components=False).lines) == 1
    assert len(drawn_fit("three").plot(blank_axes()).lines) == 4


def test_lines_differ_in_dashes_and_colours() -> None:
    ax = drawn_fit("three").plot(blank_axes())
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in ax.lines}) == 4  # type: ignore[attr-defined]
    assert len({line.get_color() for line in ax.lines}) == 4
    own = drawn_fit("three").plot(blank_axes(), palette=["red", "g", "#123456"])
    assert [line.get_color() for line in own.lines[1:]] == ["red", "g", "#123456"]


def test_a_fit_without_a_maximum_says_so() -> None:
    x = [0.0] * 5 + [1.0, 2.0, 3.0, 4.0, 7.0]
    fit = bt.fit(x)
    assert not fit.converged
    assert remark(fit.plot(blank_axes())) == "No maximum: component collapsed."


def test_a_spike_leaves_the_rows_in_sight() -> None:
    rng = np.random.default_rng(2)
    fit = bt.fit(np.concatenate([rng.normal(size=40), [0.123456] * 8]))
    top = float(fit.mixture.pdf(fit.mixture.means).max())
    ax = fit.plot(blank_axes())
    bars, _ = bars_of(ax)
    assert top > 20.0 * bars.max()
    assert ax.get_ylim() == pytest.approx((0.0, 1.5 * bars.max()))
    assert remark(ax) == f"The density rises to {top:.2g}, beyond this picture."


@pytest.mark.parametrize(
    ("offset", "scale"), [(1e9, 1.0), (0.0, 1e-150), (0.0, 1e150), (-3e15, 1000.0)]
)
def test_far_and_tiny_data_have_the_same_picture_in_their_unit(offset: float, scale: float) -> None:
    x = draw("apart")
    plain = drawn_fit("apart").plot(blank_axes(), bins=9)
    fit = bt.fit(offset + scale * x)
    ax = fit.plot(blank_axes(), bins=9)
    at = curve(ax, "mixture")
    there = (at[0] - offset) / scale
    expected = np.interp(there, *curve(plain, "mixture"))
    np.testing.assert_allclose(at[1] * scale, expected, atol=2e-3)
    shown = labels_in_sight(ax)
    assert len(shown) >= 3
    assert len(set(shown)) == len(shown)
    assert max(map(len, shown)) < 10


@pytest.mark.parametrize("kind", ["sketch", "sampling", "counts"])
def test_other_kinds_of_rows_are_drawn(kind: str) -> None:
    x = draw("apart")
    if kind == "sketch":
        fit, name = bt.fit(bt.Sketch.of(draw("apart", 5000))), "5,000 rows"
    elif kind == "counts":
        values, counts = np.unique(np.round(x), return_counts=True)
        fit, name = bt.fit(values, sample_weight=counts), "240 rows"
    else:
        weights = np.linspace(0.5, 1.5, x.size)
        fit = bt.fit(x, sample_weight=weights, weight_kind="sampling")
        name = f"{weights.sum() ** 2 / (weights**2).sum():.6g} effective rows"
    ax = fit.plot(blank_axes())
    bars, ends = bars_of(ax)
    assert (bars * np.diff(ends)).sum() == pytest.approx(1.0, rel=1e-9)
    assert words(ax)[0] == name


def test_responsibilities_and_their_crossings() -> None:
    fit = bt.fit(WAITING)
    ax = fit.plot_responsibilities(blank_axes())
    for k in (0, 1):
        x, probability = curve(ax, f"component {k + 1}")
        np.testing.assert_allclose(probability, fit.mixture.responsibilities(x)[:, k], atol=1e-9)
    inside = [float(c) for c in fit.mixture.crossings() if 0.0 < c < 200.0]
    assert curve(ax, "0.5 at")[0][0] == pytest.approx(inside[0], rel=1e-12)
    assert inside[0] in curve(ax, "component 1")[0]  # so that the lines meet there
    other = fit.plot_responsibilities(blank_axes(), posterior=0.9)
    assert curve(other, "0.9 at")[0][0] == pytest.approx(fit.threshold(posterior=0.9).value)
    assert curve(other, "_child0")[1][0] == 0.9


def test_three_components_change_at_two_crossings() -> None:
    fit = drawn_fit("three")
    ax: Any = fit.plot_responsibilities(blank_axes())
    crossings = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2][1:]
    # The third is so far out that no row is near.
    np.testing.assert_allclose(crossings, fit.mixture.crossings()[1:], rtol=1e-9)
    assert words(ax)[0] == "changes at -1.46 and 1.88"
    with pytest.raises(bt.ParameterError, match="for two components"):
        fit.plot_responsibilities(blank_axes(), posterior=0.9)


def test_a_comparison_shows_its_criteria_and_rings_the_recommended_fit() -> None:
    found = bt.compare(WAITING, (1, 2, 3))
    ax = found.plot(blank_axes())
    k, bic = curve(ax, "BIC, with equal")
    assert k.tolist() == [1, 2, 3]
    equal = [fit.bic for fit in found if fit.options.equal_variances]
    np.testing.assert_array_equal(bic, [found[1].bic, *equal])
    _, icl = curve(ax, "ICL, with different")
    different = [fit.icl for fit in found if not fit.options.equal_variances]
    np.testing.assert_array_equal(icl, different)
    best = found.recommended
    assert best is not None
    ring = curve(ax, "recommended: 2 with equal variances")
    assert (ring[0][0], ring[1][0]) == (best.options.n_components, best.bic)
    assert ax.get_xticks().tolist() == [1, 2, 3]


def test_a_comparison_of_one_family_and_criterion() -> None:
    ax = bt.compare(WAITING, (1, 2), equal_variances=False).plot(blank_axes(), criteria=["aic"])
    assert words(ax) == ["AIC"]


PICTURES: dict[str, Callable[[bt.Fit, Any], Any]] = {
    "plot": lambda fit, ax: fit.plot(ax, threshold=True),
    "plot_responsibilities": lambda fit, ax: fit.plot_responsibilities(ax),
    "plot_qq": lambda fit, ax: fit.plot_qq(ax, n_replicates=19, rng=1),
    "plot_pit": lambda fit, ax: fit.plot_pit(ax, n_replicates=19, rng=1),
    "plot_profile": lambda fit, ax: fit.plot_profile("mean 1", ax),
    "plot_path": lambda fit, ax: fit.plot_path(ax=ax),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_changes_nothing_but_its_axes(name: str) -> None:
    mine, other = pyplot.subplots()
    before, numbers = dict(matplotlib.rcParams), pyplot.get_fignums()
    ax = blank_axes()
    assert PICTURES[name](drawn_fit("apart"), ax) is ax
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == numbers
    assert pyplot.gcf() is mine
    assert not other.has_data()


@pytest.mark.parametrize("name", PICTURES)
def test_without_axes_pyplot_has_one_figure_more_to_show(name: str) -> None:
    mine, other = pyplot.subplots()
    before = dict(matplotlib.rcParams)
    ax = PICTURES[name](drawn_fit("apart"), None)
    assert ax.figure is not mine
    assert len(pyplot.get_fignums()) == 2
    assert pyplot.gcf() is ax.figure
    assert not other.has_data()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ax": "left"}, "no Matplotlib Axes"),
        ({"ax": np.full((2, 3), "left")}, r"^ax is an array of shape \(2, 3\) .* axes\[0, 0\]"),
        ({"ax": [0]}, "^ax is a list of length 1 and no Matplotlib Axes"),
        ({"ax": Figure()}, "^ax is a Figure and no Matplotlib Axes"),
        ({"bins": 0}, "bins=0 is neither"),
        ({"bins": True}, "bins=True is neither"),
        ({"bins": "auto"}, "bins='auto' is neither"),
        ({"bins": [1.0, 1.0]}, "ascending order"),
        ({"bins": [0.0, np.inf]}, "not finite"),
        ({"bins": 10**9}, "up to 10,000"),
        ({"threshold": 66.6}, "threshold=66.6 is neither True nor a Threshold"),
        ({"palette": ["blue", "no colour"]}, "palette holds 'no colour'"),
        ({"palette": []}, "palette holds"),
        ({"palette": "blue"}, "palette holds 'blue'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(bt.ParameterError, match=message):
        drawn_fit("apart").plot(**options)
    assert pyplot.get_fignums() == []


def test_what_a_comparison_cannot_draw_is_refused() -> None:
    found = bt.compare(draw("apart"), (1, 2), equal_variances=True)
    with pytest.raises(bt.ParameterError, match="criteria names 'dic'"):
        found.plot(criteria=["dic"])  # type: ignore[list-item]
    weighted = bt.compare(
        draw("apart"), (1, 2), sample_weight=np.linspace(0.5, 1.5, 240), weight_kind="sampling"
    )
    with pytest.raises(bt.ParameterError, match="nothing to compare by"):
        weighted.plot()
