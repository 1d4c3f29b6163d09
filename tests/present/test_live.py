"""The page in a real browser: what it computes, how it is moved, and that it fetches nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from tests.browser import chromium

Array = NDArray[np.float64]

TOLERANCE = 1e-9
FLOOR = (
    "(({ floor, scale }) => floor * scale)"
    "(JSON.parse(document.getElementById('live-data').textContent))"
)
ROOT = Path(__file__).parent.parent.parent
DOCUMENTED = " ".join((ROOT / "docs" / "page.md").read_text("utf-8").split())


class Opened:
    """A page in the browser, with what it said and what it asked for."""

    def __init__(self, page: Any, fit: bt.Fit, path: Path) -> None:
        self.page, self.fit, self.path = page, fit, path
        self.said: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())

    def run(self, code: str) -> Any:
        """The value of an expression of the page's script."""
        return self.page.evaluate(code)

    @property
    def shown(self) -> dict[str, Any]:
        """What is shown, unrounded."""
        return dict(self.run("Live.quantities()"))

    @property
    def distance(self) -> float:
        """The distance to the maximum."""
        return float(self.shown["distance"])

    @property
    def local(self) -> bt.NormalMixture:
        """The mixture in local units."""
        found = self.run("Live.mixture()")
        return bt.NormalMixture(found["weights"], found["means"], found["sds"])

    def put(self, name: str, value: float) -> None:
        """Type a number."""
        self.page.fill(f"#{name}", repr(value))
        self.page.press(f"#{name}", "Enter")

    def click(self, name: str, times: int = 1) -> list[float]:
        """Press a button, many times if need be; the log-likelihood before and after each."""
        press = f"document.getElementById('{name}').click()"
        read = "Live.quantities().loglike"
        code = f"() => {{ const seen = [{read}]; for (let i = 0; i < {times}; i++) {{ {press}; "
        return list(self.run(f"{code} seen.push({read}); }} return seen; }}"))

    def place(self, name: str) -> tuple[float, float]:
        """Where a handle is, in pixels."""
        handle = self.page.locator(f"#handle-{name}")
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        return box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]

    def drag(self, name: str, across: float) -> None:
        """Drag a handle by so many pixels; it must follow."""
        x, y = self.place(name)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 0.5 * across, y)
        self.page.mouse.move(x + across, y)
        self.page.mouse.up()
        assert self.place(name)[0] == pytest.approx(x + across, abs=1.0)


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser, installed where it is not there and may be."""
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """How a fit is opened; every page must have been silent and have fetched nothing."""
    contexts: list[Any] = []
    pages: list[Opened] = []

    def open_(fit: bt.Fit, command: str | None = None, **options: Any) -> Opened:
        context = browser.new_context(**({"viewport": {"width": 1000, "height": 1000}} | options))
        contexts.append(context)
        path = fit.page(
            tmp_path / f"{len(pages)}.html", n_replicates=0, thresholds=(), command=command
        )
        pages.append(Opened(context.new_page(), fit, path))
        return pages[-1]

    yield open_
    for page in pages:
        assert page.said == []
        assert page.requests == [page.path.as_uri()]
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def faithful() -> bt.Fit:
    return bt.fit(bt.datasets.load("faithful"), column="waiting")


@pytest.fixture(scope="module")
def rows() -> Array:
    return np.asarray(bt.datasets.load("faithful")["waiting"], dtype=float)


def near(found: Any, expected: Any, size: float | None = None) -> bool:
    """Whether numbers agree to TOLERANCE of the largest of them, or of a given size."""
    expected = np.asarray(expected)
    size = float(np.abs(expected).max()) if size is None else size
    return bool((np.abs(np.asarray(found) - expected) <= TOLERANCE * size).all())


def check_against_the_library(page: Opened) -> None:
    """The page's numbers are the library's, on the sample of the fit in its local units."""
    sample, mixture, shown = page.fit.sample, page.local, page.shown
    w = sample.weights
    natural = bt.evaluate(sample.local, mixture, sample_weight=w)
    working = bt.evaluate(sample.local, mixture, coordinates="working", sample_weight=w)
    k, scale = mixture.n_components, sample.scale
    terms = float(w @ np.abs(np.asarray(mixture.logpdf(sample.local))))
    assert near(shown["loglike"], natural.loglike - sample.total * math.log(scale), size=terms)
    assert near(shown["distance"], page.fit.solution.loglike - shown["loglike"], size=10 * terms)
    slopes = shown["slopes"]
    sizes = np.abs(bt.score_obs(sample.local, mixture)).T @ w
    units = np.repeat([1.0, scale, scale**2], k)
    found = np.concatenate([slopes["weights"], slopes["means"], slopes["variances"]])
    assert (np.abs(found * units - natural.score) <= TOLERANCE * sizes).all()
    assert near(slopes["softmax"][:-1], working.score[: k - 1], size=sample.total)
    hessian = page.run("Likelihood.hessian(Live.sample, Live.mixture())")
    assert near(hessian, working.hessian)
    some = sample.local[:: max(1, len(sample) // 7)]
    r = page.run(f"{some.tolist()}.map((x) => Likelihood.responsibilities(x, Live.mixture()))")
    assert near(r, bt.responsibilities(some, mixture))


def test_at_the_fit_and_wherever_it_is_put_the_numbers_are_those_of_the_library(
    opened: Open, faithful: bt.Fit, rows: Array
) -> None:
    page = opened(faithful)
    check_against_the_library(page)
    assert page.distance == 0.0
    for values in ((60.0, 4.0, 0.2), (52.5, 9.0, 0.7), (75.0, 2.0, 0.05)):
        for name, value in zip(("mean-1", "sd-1", "weight-1"), values, strict=True):
            page.put(name, value)
        check_against_the_library(page)
        shown = page.shown
        mixture = bt.NormalMixture(shown["weights"], shown["means"], shown["sds"])
        assert [shown["means"][0], shown["sds"][0], shown["weights"][0]] == pytest.approx(values)
        natural = bt.evaluate(rows, mixture)
        assert near(shown["loglike"], natural.loglike)
        assert near(shown["distance"], faithful.loglike - natural.loglike, size=1e3)
        assert near(shown["slopes"]["means"], natural.score[2:4])
        assert near(shown["slopes"]["variances"], natural.score[4:])
        label = page.page.locator("#live-distance")
        assert float(label.get_attribute("data-value")) == shown["distance"]
        assert label.inner_text() == f"{shown['distance']:,.4f}"


def test_handles_are_dragged_by_the_mouse(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    before = page.local
    page.drag("means-1", 60)
    moved = page.local
    assert moved.means[0] > before.means[0] + 0.1
    assert moved.means[1] == before.means[1]
    assert (moved.sds == before.sds).all()
    page.drag("sds-2", 40)
    assert page.local.sds[1] > moved.sds[1] + 0.05
    assert page.local.means[1] == moved.means[1]
    page.drag("borders-1", 100)
    assert page.local.weights[0] > moved.weights[0] + 0.05
    check_against_the_library(page)
    assert page.distance > 1.0


def test_handles_are_dragged_by_a_finger(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful, has_touch=True, viewport={"width": 400, "height": 800})
    (x, y), before = page.place("means-2"), page.local.means[1]
    client = page.page.context.new_cdp_session(page.page)
    for kind, places in (("Start", [x]), ("Move", [x - 15]), ("Move", [x - 30]), ("End", [])):
        points = [{"x": place, "y": y} for place in places]
        client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    assert page.local.means[1] < before - 0.1
    assert page.place("means-2")[0] == pytest.approx(x - 30, abs=1.0)
    # Else the finger would scroll the page.
    assert page.run("getComputedStyle(document.querySelector('.handle')).touchAction") == "none"
    check_against_the_library(page)


def test_handles_are_moved_by_keys(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    before = page.local
    for name, key, index, way in (
        ("means-1", "ArrowRight", "means", 0.05 * before.sds[0]),
        ("means-1", "PageDown", "means", -0.5 * before.sds[0]),
        ("sds-1", "Shift+ArrowUp", "sds", 0.005 * before.sds[0]),
        ("borders-1", "ArrowLeft", "weights", -0.01),
    ):
        page.click("go-fit")
        handle = page.page.locator(f"#handle-{name}")
        handle.focus()
        page.page.keyboard.press(key)
        moved = getattr(page.local, index)[0] - getattr(before, index)[0]
        assert moved == pytest.approx(way, rel=1e-6)
        assert handle.get_attribute("role") == "slider"
        shown = float(handle.get_attribute("aria-valuenow"))
        assert shown == pytest.approx(page.shown[index][0])
    check_against_the_library(page)


def test_home_and_end_go_to_the_ends_of_the_range(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    for name, index in (("means-2", "means"), ("sds-1", "sds"), ("borders-1", "weights")):
        page.click("go-fit")
        handle = page.page.locator(f"#handle-{name}")
        handle.focus()
        place = int(name[-1]) - 1
        for key, end in (("End", "max"), ("Home", "min")):
            page.page.keyboard.press(key)
            assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(
                float(handle.get_attribute(f"aria-value{end}")), rel=1e-12
            )
            ends = {
                "means": (43.0 - 0.06 * 53.0, 96.0 + 0.06 * 53.0),
                "sds": (page.run(FLOOR), 1.12 * 53.0),
                "weights": (0.001, 0.999),
            }[index]
            assert page.shown[index][place] == pytest.approx(ends[end == "max"])
            check_against_the_library(page)


@pytest.mark.parametrize(
    ("name", "value", "taken", "ends"),
    [
        ("mean-1", 1e9, 99.18, "mean 1 is not between 39.82 and 99.18"),
        ("mean-2", -1.0, 39.82, "mean 2 is not between 39.82 and 99.18"),
        ("sd-2", 1e3, 59.36, "sd 2 is not between .* and 59.4"),
        ("weight-1", -5.0, 0.001, "weight 1 is not between 0.001 and 0.999"),
        ("weight-2", 0.3, 0.3, None),
        ("mean-1", 50.0, 50.0, None),
    ],
)
def test_of_a_number_beyond_the_range_the_nearest_is_taken_and_that_is_said(
    opened: Open, faithful: bt.Fit, name: str, value: float, taken: float, ends: str | None
) -> None:
    page = opened(faithful)
    page.put(name, value)
    index, place = f"{name.split('-')[0]}s", int(name[-1]) - 1
    assert page.shown[index][place] == pytest.approx(taken, rel=1e-12)
    said = page.page.locator("#live-status").inner_text()
    expected = f"The number you gave for {ends}: the nearest of these was taken\\."
    assert re.fullmatch(expected if ends else "", said)


def test_slopes_along_the_weights_are_the_number_of_rows_at_the_maximum(opened: Open) -> None:
    page = opened(bt.fit(np.random.default_rng(5).normal([0.0] * 947 + [5.0] * 2000)))
    for k in (1, 2):
        assert page.page.locator(f"#slope-weights-{k}").inner_text() == "2,947"
        assert page.page.locator(f"#slope-softmax-{k}").inner_text() == "0"
    assert "are all equal, to the number of rows" in page.page.locator("#likelihood").inner_text()


def test_no_bracket_is_taller_than_what_it_holds(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    page.page.locator("#live summary").click()
    heights = page.run(
        """[...document.querySelectorAll("#live mo")]
          .filter((e) => "()".includes(e.textContent))
          .map((e) => e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).fontSize))
        """
    )
    assert len(heights) == 10
    assert max(heights) < 1.6


def test_long_commands_are_folded(opened: Open, faithful: bt.Fit) -> None:
    command = f"bactrian page {'folder/' * 30}rows.csv --column waiting --threshold {'x' * 300}"
    page = opened(faithful, command=command)
    block = page.page.locator("#reproduce pre").first
    for media in ("screen", "print"):
        page.page.emulate_media(media=media)
        assert block.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    assert block.evaluate("(e) => getSelection().selectAllChildren(e) || `${getSelection()}`") == (
        command
    )


def test_sliders_move_what_they_stand_for(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    for name, index in (("mean-2", "means"), ("sd-2", "sds"), ("weight-2", "weights")):
        before = page.shown[index][1]
        page.page.focus(f"#{name}-slider")
        page.page.keyboard.press("ArrowLeft")
        assert page.shown[index][1] < before
    check_against_the_library(page)


def test_an_em_step_is_the_average_that_responsibilities_weigh(
    opened: Open, faithful: bt.Fit, rows: Array
) -> None:
    page = opened(faithful)
    page.click("go-poor")
    shown = page.shown
    mixture = bt.NormalMixture(shown["weights"], shown["means"], shown["sds"])
    r = bt.responsibilities(rows, mixture)
    means = r.T @ rows / r.sum(axis=0)
    variances = (r * (rows[:, None] - means) ** 2).sum(axis=0) / r.sum(axis=0)
    page.click("step-em")
    shown = page.shown
    assert shown["weights"] == pytest.approx(r.mean(axis=0), rel=TOLERANCE)
    assert shown["means"] == pytest.approx(means, rel=TOLERANCE)
    assert shown["sds"] == pytest.approx(np.sqrt(variances), rel=TOLERANCE)


@pytest.mark.parametrize("kind", ["em", "gradient"])
def test_steps_never_lower_the_log_likelihood(opened: Open, faithful: bt.Fit, kind: str) -> None:
    page = opened(faithful)
    page.click("go-poor")
    seen = page.click(f"step-{kind}", times=40)
    assert min(np.diff(seen)) >= -1e-11 * abs(faithful.loglike)
    assert seen[-1] > seen[0] + 1.0


def test_newton_steps_end_at_the_maximum(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    page.click("go-poor")
    assert "after 9 steps" in DOCUMENTED
    seen = page.click("step-newton", times=9)
    assert min(np.diff(seen)) >= -1e-11 * abs(faithful.loglike)
    assert abs(page.distance) <= TOLERANCE
    assert page.shown["means"] == pytest.approx(faithful.mixture.means, rel=1e-9)
    assert page.shown["sds"] == pytest.approx(faithful.mixture.sds, rel=1e-9)
    assert page.page.locator("#live-distance").inner_text() == "0"
    page.click("go-poor")
    page.click("step-em", times=9)
    assert "after 9 EM steps the log-likelihood is still more than 57" in DOCUMENTED
    assert page.distance > 57.0


def test_a_newton_step_near_the_maximum_is_slope_over_curvature(
    opened: Open, faithful: bt.Fit
) -> None:
    page = opened(faithful)
    page.put("mean-1", float(faithful.mixture.means[0]) + 0.05)
    sample = faithful.sample
    start = page.local
    found = bt.evaluate(sample.local, start, coordinates="working", sample_weight=sample.weights)
    step = np.linalg.solve(-found.hessian, found.score)
    page.click("step-newton")
    odds = [np.log(m.weights[0] / m.weights[1]) for m in (start, page.local)]
    assert odds[1] - odds[0] == pytest.approx(step[0], rel=1e-7)
    assert page.local.means - start.means == pytest.approx(step[1:3], rel=1e-7)
    assert np.log(page.local.variances / start.variances) == pytest.approx(step[3:], rel=1e-7)


def test_buttons_go_where_they_say(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful)
    page.put("mean-1", 60.0)
    page.page.click("#step-em")
    start, *_, end = page.click("step-em", times=4)
    assert end > start
    assert page.page.locator("#live-trace circle").count() == 6
    page.page.click("#go-start")
    assert page.shown["means"][0] == 60.0
    assert page.page.locator("#live-trace circle").count() == 1
    page.page.click("#go-fit")
    assert page.distance == 0.0


@pytest.mark.parametrize("k", [1, 3, 5])
def test_any_number_of_components(opened: Open, k: int) -> None:
    fit = bt.fit(bt.datasets.load("galaxies"), k)
    page = opened(fit)
    assert abs(page.distance) <= TOLERANCE
    check_against_the_library(page)
    page.drag("means-1", 25)
    if k > 1:
        page.drag(f"borders-{k - 1}", -8)
    check_against_the_library(page)
    for kind in ("em", "gradient", "newton"):
        before, after = page.click(f"step-{kind}")
        assert after >= before


@pytest.mark.parametrize(("offset", "scale"), [(1e9, 1.0), (0.0, 1e-12), (-3e5, 1e150)])
def test_offsets_and_units_cost_no_digits(
    opened: Open, rows: Array, offset: float, scale: float
) -> None:
    fit = bt.fit(offset * scale + scale * rows)
    page = opened(fit)
    check_against_the_library(page)
    page.drag("means-1", 40)
    page.click("step-gradient")
    check_against_the_library(page)
    page.click("step-newton", times=12)
    assert abs(page.distance) <= TOLERANCE
    page.put("mean-1", float(offset * scale + 60.0 * scale))
    assert page.shown["means"][0] == pytest.approx(offset * scale + 60.0 * scale, rel=1e-14)
    assert page.page.locator("#live-chart .axis .tick").count() >= 3


def test_equal_variances_stay_equal(opened: Open, rows: Array) -> None:
    fit = bt.fit(rows, equal_variances=True)
    page = opened(fit)
    page.drag("sds-1", 30)
    page.drag("means-2", -50)
    assert page.local.sds[0] == page.local.sds[1]
    for kind, times in (("em", 1), ("gradient", 1), ("newton", 12)):
        assert min(np.diff(page.click(f"step-{kind}", times=times))) >= -1e-9
        assert page.local.sds[0] == pytest.approx(page.local.sds[1], rel=1e-12)
    assert abs(page.distance) <= TOLERANCE


@pytest.mark.parametrize("n", [10_000, 200_000])
def test_many_rows_make_no_long_file(opened: Open, n: int) -> None:
    x = bt.NormalMixture([0.3, 0.7], [0.0, 3.0], [1.0, 0.8]).sample(n, rng=3)
    fit = bt.fit(x)
    page = opened(fit)
    library = (Path(bt.__file__).parent / "present" / "page" / "files" / "d3.min.js").stat().st_size
    assert page.path.stat().st_size - library < 400_000
    page.put("mean-1", 0.5)
    shown = page.shown
    mixture = bt.NormalMixture(shown["weights"], shown["means"], shown["sds"])
    found = bt.evaluate(x, mixture)
    assert near(shown["loglike"], found.loglike)
    assert near(shown["slopes"]["means"], found.score[2:4])
    page.click("step-newton", times=8)
    assert abs(page.distance) <= 1e-12 * abs(fit.loglike)


def test_a_step_into_a_collapse_is_refused_in_words(opened: Open) -> None:
    rng = np.random.default_rng(1)
    page = opened(bt.fit(np.concatenate([rng.normal(0.0, 1.0, 40), rng.normal(5.0, 1.0, 40)])))
    place = float(page.fit.sample.values[3])
    page.put("sd-1", 0.002)
    page.put("mean-1", place)
    seen = page.click("step-em", times=30)
    assert "single value" in page.page.locator("#live-status").inner_text()
    assert seen[-1] == seen[-2]
    assert math.isfinite(seen[-1])
    assert page.shown["means"][0] == pytest.approx(place)


def test_a_name_is_only_a_name(opened: Open, rows: Array) -> None:
    name = "<script>alert(1)</script>\u2028</title>${x}'\""
    fit = bt.fit({name: rows}, column=name)
    page = opened(fit)
    dialogs: list[Any] = []
    page.page.on("dialog", lambda dialog: dialogs.append(dialog))
    assert page.page.locator("h1").inner_text().startswith("<script>alert(1)</script>")
    assert page.page.locator("script").count() == 5
    assert dialogs == []
    check_against_the_library(page)


def test_a_fit_that_is_no_maximum_has_a_page_that_says_so(opened: Open) -> None:
    fit = bt.fit([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.5, 5.0])
    assert not fit.converged
    page = opened(fit)
    assert "No verdict" in page.page.locator("#verdict").inner_text()
    assert "The fit is no maximum" in page.page.locator("#live").inner_text()
    page.click("go-poor")
    check_against_the_library(page)


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` by the rule of WCAG."""
    parts = np.array([float(part) for part in re.findall(r"[\d.]+", colour)[:3]]) / 255.0
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """Contrast of two colours by the rule of WCAG."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_all_is_legible_in_light_and_dark_and_on_a_narrow_screen(
    opened: Open, faithful: bt.Fit
) -> None:
    papers = []
    for scheme in ("light", "dark"):
        page = opened(faithful, color_scheme=scheme, viewport={"width": 400, "height": 800})
        paper, *inks = page.run(
            """(() => {
              const paint = (e, name) => getComputedStyle(e)[name];
              const all = document.querySelectorAll("body *:not(title, desc, script)");
              const texts = [...all].filter(
                (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
              const inks = texts.map((e) => paint(e, e.closest("svg") ? "fill" : "color"));
              const lines = [...document.querySelectorAll(".curves .component, .grip")];
              return [paint(document.body, "backgroundColor"), ...new Set(inks),
                      ...lines.map((e) => paint(e, "stroke"))];
            })()"""
        )
        assert len(inks) >= 5
        assert min(contrast(paper, ink) for ink in inks) >= 4.5
        papers.append(paper)
        assert page.run("document.scrollingElement.scrollWidth") <= 400
    assert luminance(papers[0]) > 0.9
    assert luminance(papers[1]) < 0.02


def test_keys_reach_all_that_can_be_moved_and_all_of_it_has_a_name(
    opened: Open, faithful: bt.Fit
) -> None:
    page = opened(faithful, reduced_motion="reduce")
    wanted = set(
        page.run("[...document.querySelectorAll('button, input, .handle')].map((e) => e.id)")
    )
    reached = set()
    for _ in range(70):
        page.page.keyboard.press("Tab")
        reached.add(page.run("document.activeElement.id"))
    assert len(wanted) == 6 + 12 + 5
    assert wanted <= reached
    named = page.run(
        """[...document.querySelectorAll("button, input, .handle, [role=img], [role=group]")].every(
          (e) => e.getAttribute("aria-label") || e.textContent.trim() || (e.labels || []).length)"""
    )
    assert named
    assert page.page.locator("header, nav, main, footer").count() == 4
    assert page.run("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_it_prints(opened: Open, faithful: bt.Fit) -> None:
    page = opened(faithful, color_scheme="dark")
    assert len(page.page.pdf(format="A4")) > 30_000
    page.page.emulate_media(media="print", color_scheme="dark")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (
        page.run("getComputedStyle(document.getElementById('step-em').parentNode).display")
        == "none"
    )
