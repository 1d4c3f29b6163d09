"""The certified maxima of the reference sets are found, to the digits that doubles allow.

What "equal" means is derived in `tests.reference_fits`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import bactrian as bt
from tests.reference_fits import (
    Listed,
    cases,
    criterion,
    ended_at,
    entry_of,
    exact_errors,
    fitted,
    is_open,
    listed,
    loglike_bound,
    not_named,
    our_errors,
    our_parameters,
    rounding_bound,
    ten_digits_bound,
)
from tests.reference_sets import certified, load, models, raw_names

# Three components on many distinct values take seconds each.
MANY_VALUES = 450


def is_slow(name: str, model: str) -> bool:
    """Whether a case is left to the slow tests."""
    return model[0] == "3" and int(certified()[name]["n_distinct"]) >= MANY_VALUES


def marked(pairs: list[tuple[str, str]]) -> list[object]:
    """The pairs as parameters, the slow ones marked."""
    return [
        pytest.param(*pair, marks=[pytest.mark.slow] if is_slow(*pair) else [], id="-".join(pair))
        for pair in pairs
    ]


CASES = cases()
DECIDED = [case for case in CASES if not is_open(*case)]
OPEN = [case for case in CASES if is_open(*case)]


def check_loglike(fit: bt.Fit, exact: Listed) -> None:
    """The log-likelihood is that of the maximum."""
    assert abs(fit.loglike - exact.loglike) <= loglike_bound(exact)


def check_parameters(name: str, fit: bt.Fit, exact: Listed) -> None:
    """The parameters are those of the maximum, to rounding and to ten digits."""
    errors = np.abs(our_parameters(fit) - exact.parameters)
    assert (errors <= rounding_bound(name, fit, exact)).all()
    assert (errors <= ten_digits_bound(name, exact)).all()


def check_standard_errors(name: str, fit: bt.Fit, exact: Listed) -> None:
    """Both kinds of standard errors have eight correct digits."""
    known = exact_errors(name, exact)
    if fit.mixture.n_components == 1:
        np.testing.assert_allclose(our_errors(fit)[1:], known[1:], rtol=1e-8)
        return
    np.testing.assert_allclose(our_errors(fit), known, rtol=1e-8)
    assert exact.sandwich is not None
    # A component of one row has no spread of scores: its sandwich error is rounding of zero.
    bound = 1e-8 * exact.sandwich + rounding_bound(name, fit, exact)
    assert (np.abs(our_errors(fit, "sandwich") - exact.sandwich) <= bound).all()


def check_certificate(fit: bt.Fit) -> None:
    """The certificate says of a maximum that it is one."""
    certificate = fit.certificate
    assert fit.outcome is bt.Outcome.CONVERGED
    # Half the decrement is what is left to gain, its root the distance in standard errors: the
    # ascent stops at 1e-12 and takes one more Newton step, which squares the distance.
    assert 0.0 <= certificate.decrement <= 1e-20
    assert (certificate.eigenvalues > 0.0).all()
    # |s_i| se_i <= d sqrt(H_ii Sigma_ii): at most the variance inflation of complete data, which
    # is below 1 + 1 / pi_K for a logit and 1 for the others, over the smallest eigenvalue.
    inflation = (1.0 + 1.0 / fit.mixture.weights[-1]) / certificate.eigenvalues[0]
    assert 0.0 <= certificate.max_score <= math.sqrt(certificate.decrement * inflation)
    first, *others = certificate.optima
    assert first.status == "chosen"
    assert [o.status for o in others].count("chosen") == 0
    for optimum in certificate.optima:
        assert optimum.gap == pytest.approx(
            fit.loglike - optimum.loglike, abs=1e-9 + 1e-12 * abs(fit.loglike)
        )
    assert 1 <= sum(o.hits for o in certificate.optima) <= certificate.n_starts


def check_em_rate(fit: bt.Fit, name: str, model: str) -> None:
    """One minus the smallest eigenvalue is the rate of EM that the reference found."""
    rate = entry_of(name, model).get("em_rate")
    if rate is not None:
        # The complement is compared: near one it is what counts, and cancellation in 1 - rate
        # leaves an absolute error of a few eps times the number of rows' sums.
        bound = 1e-6 * (1.0 - rate) + 1e-10
        assert abs(fit.certificate.eigenvalues[0] - (1.0 - rate)) <= bound


def check_figures(fit: bt.Fit, name: str, model: str) -> None:
    """The criteria made from the log-likelihood count the parameters."""
    entry = entry_of(name, model)
    assert fit.n_params == entry["npar"]
    np.testing.assert_allclose([fit.aic, fit.bic], [entry["AIC"], entry["BIC"]], rtol=1e-12)


def check_highest(name: str, model: str) -> None:
    """With equal variances nothing is degenerate: the highest maximum is the estimate."""
    best = max(listed(name, model), key=lambda maximum: maximum.loglike)
    assert fitted(name, model).loglike >= best.loglike - max(1e-6, loglike_bound(best))


@pytest.mark.parametrize(("name", "model"), marked(DECIDED))
def test_the_certified_maximum_is_found(name: str, model: str) -> None:
    fit, exact = fitted(name, model), listed(name, model)[0]
    check_loglike(fit, exact)
    check_parameters(name, fit, exact)
    check_standard_errors(name, fit, exact)
    check_certificate(fit)
    check_em_rate(fit, name, model)
    check_figures(fit, name, model)


@pytest.mark.parametrize(("name", "model"), marked([c for c in OPEN if c[1][0] == "2"]))
def test_where_two_maxima_compete_one_of_them_is_found_and_the_others_named(
    name: str, model: str
) -> None:
    fit, exact = fitted(name, model), ended_at(name, model)
    assert exact is not None
    assert exact.kind in {"certified", "other"}
    check_loglike(fit, exact)
    check_parameters(name, fit, exact)
    check_standard_errors(name, fit, exact)
    check_certificate(fit)
    assert not_named(name, model) == []
    if model.endswith("E"):
        check_highest(name, model)


@pytest.mark.parametrize(("name", "model"), marked([c for c in OPEN if c[1][0] == "3"]))
def test_where_maxima_of_three_components_compete_none_listed_ranks_higher(
    name: str, model: str
) -> None:
    fit, (exact, *others) = fitted(name, model), listed(name, model)
    check_certificate(fit)
    if ended_at(name, model) is exact:
        check_loglike(fit, exact)
        check_parameters(name, fit, exact)
        check_standard_errors(name, fit, exact)
    assert exact not in not_named(name, model)
    ours = fit.certificate.optima[0].criterion
    regular = [exact, *(other for other in others if not other.spurious)]
    best = max(criterion(name, maximum) for maximum in regular)
    # Maxima listed as doubles have six correct digits.
    assert ours >= best - 1e-6
    if model.endswith("E"):
        check_highest(name, model)


@pytest.mark.parametrize("name", ["s13_constant", "s15_binary"])
def test_data_without_a_maximum_are_refused(name: str) -> None:
    values, counts = load(name)
    distinct = np.unique(values).size
    words = {1: "constant", 2: "2 distinct values"}[distinct]
    with pytest.raises(bt.DataError, match=words):
        bt.fit(values, 2, sample_weight=counts)
    assert entry_of(name, "2V")["status"].startswith("no MLE")


@pytest.mark.parametrize("model", ["2V", "3V"])
def test_a_collapse_on_an_outlier_is_told_in_words(model: str) -> None:
    fit = fitted("s11_outlier", model)
    assert entry_of("s11_outlier", model)["status"] == "no regular local maximum found"
    assert fit.outcome is bt.Outcome.COMPONENT_COLLAPSED
    assert not fit.converged
    assert math.isfinite(fit.loglike)
    assert np.isfinite(our_parameters(fit)).all()
    assert all(math.isnan(e.standard_error) for e in fit.confint())
    assert np.isnan(fit.covariance()).all()
    assert "equal_variances=True" in str(fit)
    assert "No admissible maximum exists" in str(fit).replace("\n", " ")


def test_the_remedy_for_the_outlier_works() -> None:
    fit, exact = fitted("s11_outlier", "2E"), listed("s11_outlier", "2E")[0]
    check_loglike(fit, exact)
    check_parameters("s11_outlier", fit, exact)
    assert fit.outcome is bt.Outcome.CONVERGED
    # The component of the outlier is one row, and the reader is told so.
    assert any("1.0 rows" in warning for warning in fit.certificate.warnings)


def test_every_raw_set_and_model_is_tried() -> None:
    without = {("s13_constant", "1"), ("s13_constant", "2V"), ("s15_binary", "2V")}
    without |= {("s11_outlier", "2V"), ("s11_outlier", "3V")}
    every = {
        (name, entry["model"])
        for name in raw_names(large=True)
        for entry in models(name)
        if entry["model"] in {"1", "2V", "2E", "3V", "3E"}
    }
    assert every - set(CASES) == without
    assert len(CASES) > 200
