"""Which of several fits to take, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from bactrian.fitting.homogeneity import is_coarsely_rounded
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.words import count_in_words, p_in_words
from bactrian.present.comparison import family_in_words
from bactrian.solve.cautions import few_and_narrow

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

Criterion = Literal["aic", "aicc", "bic", "icl"]
CRITERIA: tuple[str, ...] = get_args(Criterion)

_LEVEL = 0.05
_FEW_ROWS = 8.0
_HARDLY, _STRONGLY = 2.0, 10.0  # differences of BIC, as Raftery (1995) reads them


def smallest(fits: Sequence[Fit], criterion: str) -> Fit | None:
    """Return the converged fit with the smallest criterion; None where none has a finite one."""
    usable = [f for f in fits if f.converged and math.isfinite(float(getattr(f, criterion)))]
    return min(usable, key=lambda fit: float(getattr(fit, criterion)), default=None)


def recommended(fits: Sequence[Fit]) -> Fit | None:
    """Return the fit with the smallest BIC, if possible one without near-degenerate components."""
    return smallest([f for f in fits if not _near_degenerate(f)], "bic") or smallest(fits, "bic")


def _near_degenerate(fit: Fit) -> bool:
    """Whether a component is narrow on so few rows that it may be an accident of these."""
    state, may = fit.solution.state, fit.options.constraints.can_collapse
    return bool((few_and_narrow(state.counts[0], state.sds[0]) & may).any())


def recommendation(fits: Sequence[Fit], tests: Sequence[HomogeneityTest | None]) -> str:
    """Return which fit to take and why: that with the smallest BIC, and whether others agree.

    A narrow component on a few rows can have any likelihood; fits with one are passed over.

    Notes
    -----
    BIC finds the number of components in large samples (Keribin 2000); a difference of less than
    2 says little, one of more than 10 is strong (Raftery 1995).
    """
    best = recommended(fits)
    if best is None:
        return ""
    both = len({fit.options.equal_variances for fit in fits}) > 1
    sentences = [
        _by_bic(fits, best, both),
        _of_rows(best),
        _by_tests(best, tests),
        _by_icl(fits, best, both),
    ]
    return " ".join(filter(None, sentences))


def _name(fit: Fit, both: bool) -> str:
    """A fit in words."""
    k = fit.options.n_components
    if k == 1 or not both:
        return count_in_words(k)
    return f"{count_in_words(k)} {family_in_words(fit.options.equal_variances)}"


def _by_bic(fits: Sequence[Fit], best: Fit, both: bool) -> str:
    """The fit with the smallest BIC, and by how much."""
    name = _name(best, both)
    lower = smallest(fits, "bic")
    if lower is not None and lower is not best:
        return (
            f"Recommended: {name}. {_name(lower, both).capitalize()} have a BIC that is "
            f"{best.bic - lower.bic:.1f} smaller, but owe it to a narrow component on a few rows, "
            "which may be an accident of these."
        )
    begin = f"Recommended: {name}, with the smallest BIC"
    next_ = smallest([fit for fit in fits if fit is not best], "bic")
    if next_ is None:
        return begin + "."
    ahead = next_.bic - best.bic
    degree = ", which says little" if ahead < _HARDLY else ""
    degree = ", which is strong evidence" if ahead > _STRONGLY else degree
    return f"{begin}: {ahead:.1f} below that of {_name(next_, both)}{degree}."


def _of_rows(best: Fit) -> str:
    """A caution where a component rests on a few rows."""
    fewest = float(best.solution.state.counts[0].min())
    if best.options.n_components == 1 or fewest >= _FEW_ROWS:
        return ""
    rows = "a single row" if fewest < 1.5 else f"{fewest:.0f} rows"
    return f"One of its components rests on {rows}, maybe outliers."


def _by_tests(best: Fit, tests: Sequence[HomogeneityTest | None]) -> str:
    """What the tests between neighbours of the same kind say about the number of components."""
    k, equal = best.options.n_components, best.options.equal_variances
    own = {t.null_components: t for t in tests if t is not None and t.equal_variances == equal}
    if k == 1:  # the same fit in both kinds: all tests of it count
        known = [t for t in tests if t is not None and t.null_components == 1]
        own = {1: min(known, key=lambda t: t.p_value)} if known else {}
    of_others = equal and k > 1 and k not in own and k - 1 not in own
    if of_others:
        own = {t.null_components: t for t in tests if t is not None and not t.equal_variances}
    fewer, more = own.get(k - 1), own.get(k)
    said = []
    if fewer is not None:
        verb = "rejects" if fewer.p_value < _LEVEL else "does not reject"
        said.append(f"{verb} {count_in_words(k - 1)} ({p_in_words(fewer.p_value)})")
    if more is not None:
        verb = "rejects" if more.p_value < _LEVEL else "does not reject"
        said.append(f"{verb} {count_in_words(k)} ({p_in_words(more.p_value)})")
    if not said:
        return ""
    differs = (fewer is not None and fewer.p_value >= _LEVEL) or (
        more is not None and more.p_value < _LEVEL
    )
    verdict = ", so it does not agree with BIC" if differs else ""
    kind = f", {family_in_words(False)}," if of_others else ""
    return f"The EM-test{kind} {' and '.join(said)}{verdict}."


def _by_icl(fits: Sequence[Fit], best: Fit, both: bool) -> str:
    """What the criterion that asks for separated components says, where it differs."""
    apart = smallest(fits, "icl")
    if apart is None or apart is best:
        return ""
    return f"ICL, which asks for components that are apart, prefers {_name(apart, both)}."


def about_rows(fits: Sequence[Fit]) -> tuple[str, ...]:
    """Return which columns of a comparison have no values and why, in sentences."""
    return _undefined(fits[0]) + _of_few(fits)


def _undefined(fit: Fit) -> tuple[str, ...]:
    """Why there are no criteria or no tests of such rows."""
    if fit.sample.squared is not None:
        return (
            "With sampling weights there is no likelihood to compare by, so that criteria and "
            "tests are undefined.",
        )
    if is_coarsely_rounded(fit):
        return (
            "The values are rounded to more than half an sd, for which the EM-test has no law; "
            'homogeneity_test(method="bootstrap") draws samples that are rounded alike.',
        )
    return ()


def _of_few(fits: Sequence[Fit]) -> tuple[str, ...]:
    """Why some have no AICc."""
    without = [fit.n_params for fit in fits if math.isinf(fit.aicc)]
    if not without:
        return ()
    return (
        f"AICc has no value where there are hardly more rows than parameters: {fits[0].n_obs:g} "
        f"rows are too few for that of {min(without)} parameters or more.",
    )
