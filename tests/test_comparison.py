"""Fits with several numbers of components, made from one reading of the data."""

from __future__ import annotations

import io
import json
import math
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import narwhals as nw
import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.cli import main
from tests.reference_sets import columns as load_columns

Array = NDArray[np.float64]

WAITING = bt.datasets.load("faithful")["waiting"]


def reference(name: str) -> tuple[Array, Array]:
    """The values of a reference set and how often each was seen."""
    columns = load_columns(name)
    x = columns["x"]
    return x, columns.get("count", np.ones_like(x))


@cache
def compared(name: str, numbers: range) -> bt.Comparison:
    """The comparison for a reference set, made once."""
    x, counts = reference(name)
    return bt.compare(x, numbers, sample_weight=counts)


def test_each_fit_is_the_one_made_alone() -> None:
    found = bt.compare(WAITING, [1, 2, 3])
    assert len(found) == 5
    for k in (1, 2, 3):
        alone = bt.fit(WAITING, k)
        assert found[k].loglike == alone.loglike
        assert found[k].icl == alone.icl
    assert [fit.options.n_components for fit in found] == [1, 2, 3, 2, 3]
    assert [fit.options.equal_variances for fit in found] == [False] * 3 + [True] * 2
    assert found.best() is found.fits[3]
    assert found.recommended is found.fits[3]
    assert found.best("aicc") is found.fits[3]


@pytest.mark.parametrize("equal", [False, True])
def test_one_kind_may_stand_alone(equal: bool) -> None:
    found = bt.compare(WAITING, [1, 2], equal_variances=equal)
    assert [fit.options.equal_variances for fit in found] == [equal, equal]
    assert found[2].loglike == bt.fit(WAITING, equal_variances=equal).loglike
    assert "variances" not in str(found)


def test_the_criteria_are_those_of_their_definitions() -> None:
    x, k = WAITING, 5
    fit = bt.fit(x)
    minus = -2.0 * fit.loglike
    assert fit.aicc == pytest.approx(minus + 2 * k + 2 * k * (k + 1) / (x.size - k - 1), rel=1e-14)
    r = fit.mixture.responsibilities(x)
    entropy = -float((r * np.log(r)).sum())
    assert fit.entropy == pytest.approx(entropy, rel=1e-10)
    assert fit.icl == pytest.approx(minus + k * math.log(x.size) + 2.0 * entropy, rel=1e-12)
    assert bt.fit(x, 1).entropy == 0.0
    assert math.copysign(1.0, bt.fit(x, 1).entropy) == 1.0
    assert bt.fit([1.0, 2.0, 4.0, 8.0, 16.0, 15.0], 2).aicc == math.inf


def test_no_aicc_of_few_rows_is_shown_or_chosen() -> None:
    found = bt.compare([1.0, 2.0, 4.0, 8.0, 16.0, 15.0])
    shown = str(found)
    assert "inf" not in shown
    lines = [line.split() for line in shown.splitlines() if line[:1].isdigit()]
    assert [line[4] for line in lines[:4]] == ["46.45*", "–", "82.15", "–"]
    assert "6 rows are too few for that of 5 parameters or more." in " ".join(shown.split())
    assert [row["aicc"] is None for row in found.to_dict()["fits"]] == [False, True, False, True]
    assert found.best("aicc") is found[1]
    few = bt.compare([1.0, 2.0, 4.0, 8.0, 16.0, 15.0], [2], equal_variances=False)
    assert "*" not in str(few).splitlines()[3].split()[4]
    with pytest.raises(bt.ParameterError, match="'aicc' has no value for any of the fits"):
        few.best("aicc")
    assert few.best("bic") is few[2]
    assert "AICc has no value" not in str(bt.compare(WAITING, [1, 2]))


def test_progress_is_told_of_every_fit_and_every_test() -> None:
    told: list[tuple[int, int | None]] = []
    found = bt.compare(WAITING[:30], [1, 2, 3], progress=lambda *seen: told.append(seen))
    assert len(found) == 5
    assert told == [(done, 10) for done in range(1, 11)]
    told.clear()
    few = bt.compare([1.0, 2.0, 4.0, 8.0, 16.0, 15.0], progress=lambda *seen: told.append(seen))
    assert [seen[0] for seen in told] == list(range(1, 6 + len(few)))
    assert told[-1] == (5 + len(few), 5 + len(few))


def test_a_terminal_sees_how_far_a_comparison_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    path = tmp_path / "x.csv"
    path.write_text("x\n" + "".join(f"{x}\n" for x in WAITING[:30]), encoding="utf-8")
    monkeypatch.setattr("bactrian.cli.progress._DELAY", 0.0)
    seen = []
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        assert main(["compare", str(path)]) == 0
        seen.append(stream.getvalue())
    assert re.search(r" \d/10 \[", seen[0])
    assert "rows" not in seen[0]
    assert seen[1] == ""


def test_a_weight_counts_rows_in_every_criterion() -> None:
    values, counts = np.unique(WAITING, return_counts=True)
    one, other = bt.compare(WAITING, [1, 2]), bt.compare(values, [1, 2], sample_weight=counts)
    for row, same in zip(one.rows, other.rows, strict=True):
        assert np.allclose(row[2:9], same[2:9], rtol=1e-12)
        assert (row.p_value is None) == (same.p_value is None)
        if row.p_value is not None:
            assert row.p_value == pytest.approx(same.p_value, rel=1e-6)


def test_neighbours_of_one_kind_are_tested() -> None:
    found = bt.compare(WAITING, [3, 1, 2, 7])
    tested = [
        None if test is None else (test.null_components, test.equal_variances)
        for test in found.tests
    ]
    # In the order asked for: of equal variances a law is known for one component only.
    assert tested == [(2, False), None, (1, False), None, None, (1, True), None]
    assert found.tests[2] is not None
    alone = bt.fit(WAITING).homogeneity_test()
    assert found.tests[2].statistic == pytest.approx(alone.statistic, abs=1e-8)


def test_the_table_marks_the_smallest_criteria() -> None:
    lines = str(bt.compare(WAITING, range(1, 4))).splitlines()
    assert lines[0] == "Mixtures of normal components, fitted to data (272 rows)"
    assert lines[2].split() == [
        "K", "params", "log-likelihood", "AIC", "AICc", "BIC", "ICL", "entropy", "p"
    ]  # fmt: skip
    assert lines[3] == "with different variances:"
    assert lines[7] == "with equal variances:"
    assert [line.count("*") for line in lines[4:10]] == [0, 0, 0, 0, 4, 0]
    assert "-1034.0017" in lines[5]
    assert max(map(len, lines)) <= 88
    assert " ".join(lines[-2:]) == (
        "No mixture of any number of components with sds of at least 5.87 can have a "
        "log-likelihood higher than that with 2 with equal variances by more than 0.15."
    )


def test_an_outcome_without_a_maximum_is_named_in_the_table() -> None:
    found = bt.compare(np.append(WAITING[:50], 1e9), [1, 2], equal_variances=False)
    assert "component collapsed" in str(found)
    assert found.tests == (None, found.tests[1])
    assert found.recommended is found[1]


@pytest.mark.parametrize(
    ("name", "numbers", "k", "equal"),
    [
        ("faithful_waiting", range(1, 6), 2, True),
        ("acidity", range(1, 6), 2, True),
        ("enzyme", range(1, 5), 2, False),
        ("galaxies_rg", range(1, 7), 3, False),
        ("s12_single_normal", range(1, 5), 1, False),
    ],
)
def test_known_data_are_given_their_number_of_components(
    name: str, numbers: range, k: int, equal: bool
) -> None:
    best = compared(name, numbers).recommended
    assert best is not None
    assert (best.options.n_components, best.options.equal_variances) == (k, equal)


def test_the_reason_names_what_was_passed_over_and_what_the_tests_say() -> None:
    words = compared("galaxies_rg", range(1, 7)).recommendation
    assert words.startswith("Recommended: three components with different variances. Six comp")
    assert "narrow component on a few rows" in words
    assert "rejects two components (p = 1.5e-05) and does not reject three components" in words
    enzyme = bt.compare(reference("enzyme")[0], range(1, 4), equal_variances=False)
    assert "rejects two components" in enzyme.recommendation
    assert enzyme.recommendation.endswith("so it does not agree with BIC.")


def test_numbers_that_the_rows_are_too_few_for_are_left_out_and_named() -> None:
    found = bt.compare([1.0, 2.0, 3.0, 4.0, 9.0, 7.0], [1, 2, 4], equal_variances=True)
    assert [fit.options.n_components for fit in found] == [1, 2]
    assert found.notes[0].startswith("Left out, four components: There are 6 rows for 8 param")
    assert "Left out, four components" in str(found)
    with pytest.raises(bt.DataError, match="There are 2 rows"):
        bt.compare([1.0, 2.0], [3, 4])
    with pytest.raises(KeyError, match=r"there are .*1, .*equal.*and .*2, .*equal"):
        found[3]


def test_a_fit_of_either_kind_is_found_by_its_name() -> None:
    found = bt.compare(WAITING, [1, 2])
    assert found[2] is found[2, "different"] is found.fits[1]
    assert found[2, "equal"] is found.fits[2]
    assert found[1, "different"] is found[1]
    with pytest.raises(KeyError, match=r"no fit is .*1, .*equal"):
        found[1, "equal"]


def test_large_criteria_make_no_wide_table() -> None:
    rng = np.random.default_rng(1)
    x = 1e6 + 1e3 * np.where(rng.random(500) < 0.35, rng.normal(0, 1, 500), rng.normal(2, 1.3, 500))
    found = bt.compare(x, [1, 2], sample_weight=np.full(500, 6000.0))
    lines = str(found).splitlines()
    assert max(map(len, lines)) <= 88
    assert f"{found[2].bic:.0f}" in lines[5]
    assert f"{found[2].bic:.1f}" not in lines[5]


def test_what_has_no_test_or_no_criteria_is_said() -> None:
    coarse = bt.compare(np.round(np.random.default_rng(0).normal(size=400)), [1, 2])
    assert coarse.tests == (None, None, None)
    assert "the EM-test has no law" in str(coarse)
    survey = bt.compare(WAITING, [1, 2], sample_weight=WAITING, weight_kind="sampling")
    assert "criteria and tests are undefined" in str(survey).replace("\n", " ")
    assert survey.recommended is None


def test_a_recommended_component_of_few_rows_is_pointed_out() -> None:
    assert (
        "One of its components rests on 3 rows"
        in compared("galaxies_rg", range(1, 7)).recommendation
    )
    newcomb = bt.compare(reference("newcomb")[0], [1, 2, 3]).recommendation
    assert "The EM-test, with different variances, does not reject two" in newcomb


def test_the_table_is_plain_values_html_and_a_frame() -> None:
    found = bt.compare(WAITING, [1, 2])
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [row["n_components"] for row in record["fits"]] == [1, 2, 2]
    assert record["fits"][1]["means"] == found[2].mixture.means.tolist()
    assert record["recommendation"] == found.recommendation
    page = ElementTree.fromstring(found._repr_html_())
    assert [len(body.findall("tr")) for body in page.iter("tbody")] == [3, 2]
    for backend in ("pandas", "polars", "pyarrow"):
        frame = nw.from_native(found.to_frame(backend))
        assert frame["bic"].to_list() == [row.bic for row in found.rows]
        assert frame["mean 2"].to_list()[1:] == [fit.mixture.means[1] for fit in found.fits[1:]]
    with pytest.raises(bt.ParameterError, match="choose one of 'pandas', 'polars'"):
        found.to_frame("excel")  # type: ignore[arg-type]


def test_a_sketch_and_a_stream_are_read_once_for_all_fits() -> None:
    rng = np.random.default_rng(0)
    x = np.append(rng.normal(0.0, 1.0, 3000), rng.normal(4.0, 1.0, 2000))
    found = bt.compare(bt.Sketch.of(x), [1, 2])
    assert found[2].loglike == pytest.approx(bt.fit(x).loglike, rel=1e-12)


def test_one_number_may_stand_alone() -> None:
    assert len(bt.compare(WAITING, 2)) == 2
    assert len(bt.compare(WAITING, [1, 1])) == 1


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="names no number"):
        bt.compare(WAITING, [])
    with pytest.raises(bt.ParameterError, match="not a positive whole number"):
        bt.compare(WAITING, [0, 1])
    with pytest.raises(bt.ParameterError, match="is unknown; choose one of aic"):
        bt.compare(WAITING, [1]).best("mse")  # type: ignore[arg-type]
    outlier = np.append(WAITING[:50], 1e9)
    collapsed = bt.compare(outlier, [2], equal_variances=False)
    assert "No mixture" not in str(collapsed)
    assert collapsed.recommendation == ""
    with pytest.raises(bt.ParameterError, match="None of the fits converged"):
        collapsed.best()
