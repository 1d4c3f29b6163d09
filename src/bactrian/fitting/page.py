"""The page of a fit: its facts gathered, its file written. ``page`` is a method of ``Fit``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.calls import arguments_of
from bactrian.fitting.figures import figures_of
from bactrian.fitting.homogeneity import LEAST_REPLICATES
from bactrian.fitting.live import live_of
from bactrian.fitting.reproduction import calls_of, facts_of, versions
from bactrian.fitting.requirements import whole_number
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.goodness import GoodnessOfFit
from bactrian.infer.intervals import Method
from bactrian.infer.thresholds import Threshold
from bactrian.infer.verdict import Verdict
from bactrian.present.page.contents import Page
from bactrian.present.page.document import as_page
from bactrian.writing import writable, write_whole

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

_REPLICATES, _SEED = 199, 1
_QUICK_PROFILES, _QUICK_TEST = 2, 4  # components up to which these take seconds
_SLOW = (
    f"No verdict. For more than {_QUICK_TEST} components it takes minutes, and is shown where it "
    "is given: fit.page(verdict=fit.verdict())."
)


class _Judgement(NamedTuple):
    """The verdict in sentences, what is to be known about it, and the test it rests on."""

    sentences: tuple[str, ...]
    note: str
    goodness: GoodnessOfFit | None


@overload
def page(
    fit: Fit, path: str | os.PathLike[str], *, level: float = ..., method: Method | Bootstrap = ...,
    thresholds: Sequence[Threshold] | None = ..., verdict: Verdict | None = ...,
    n_replicates: int = ..., rng: np.random.Generator | int | None = ..., workers: int = ...,
    progress: Progress | None = ..., source: str | None = ..., command: str | None = ...,
) -> Path: ...  # fmt: skip


@overload
def page(
    fit: Fit, path: None = None, *, level: float = ..., method: Method | Bootstrap = ...,
    thresholds: Sequence[Threshold] | None = ..., verdict: Verdict | None = ...,
    n_replicates: int = ..., rng: np.random.Generator | int | None = ..., workers: int = ...,
    progress: Progress | None = ..., source: str | None = ..., command: str | None = ...,
) -> str: ...  # fmt: skip


def page(
    fit: Fit,
    path: str | os.PathLike[str] | None = None,
    *,
    level: float = 0.95,
    method: Method | Bootstrap = "wald",
    thresholds: Sequence[Threshold] | None = None,
    verdict: Verdict | None = None,
    n_replicates: int = _REPLICATES,
    rng: np.random.Generator | int | None = _SEED,
    workers: int = 1,
    progress: Progress | None = None,
    source: str | None = None,
    command: str | None = None,
) -> Path | str:
    """Write all there is to say about the fit as one HTML file that needs nothing else.

    It opens from the disk, fetches nothing, and has a live likelihood: the reader moves means, sds
    and weights, and sees the log-likelihood of all the rows, its slopes, and the steps of EM,
    gradient ascent and Newton's method.

    Parameters
    ----------
    path : path-like, optional
        The file, which is written whole or not at all and takes the place of one of that name.
        Without it the text of the file is returned.
    level, method
        Of the intervals, as for ``confint``.
    thresholds : sequence of Threshold, optional
        What ``threshold`` returned; by default the cuts between neighbours at equal posterior
        probability, of two components with intervals by the profile likelihood.
    verdict : Verdict, optional
        What ``verdict`` returned, so that it is not made again; needed for more than four
        components, where it takes minutes.
    n_replicates : int
        Samples drawn for the goodness of fit, and again for the band of the residuals, which takes
        most of the time; 0 leaves both out.
    rng, workers, progress
        As for ``goodness_of_fit``; the seed is 1 unless told, so that the same call makes the same
        file.
    source : str, optional
        The file that the data came from, to be named in the call that makes the fit again; by
        default that which was fitted, if it was one.
    command : str, optional
        What makes the page again, to be shown in place of the calls.

    Returns
    -------
    pathlib.Path or str
        Where the file is; its text where no path was given.

    Raises
    ------
    DataError
        If the file cannot be written there.
    ParameterError
        If a number is out of its range, or the verdict is of another number of components.
    """
    target = None if path is None else writable(path, "fit.html")
    samples = _checked_samples(n_replicates)
    drawing = {"rng": rng, "workers": workers, "progress": progress}
    judged = _judged(fit, verdict, samples, drawing)
    cuts = _thresholds(fit, thresholds, level, method)
    asked = {
        "level": level,
        "method": method,
        "thresholds": thresholds if thresholds is None else list(thresholds),
        "verdict": verdict,
        "n_replicates": samples,
        "rng": rng,
    }
    text = as_page(
        Page(
            summary=fit.summary(level, method),
            verdict=judged.sentences,
            verdict_note=judged.note,
            goodness=judged.goodness,
            thresholds=cuts,
            certificate=fit.certificate,
            live=live_of(fit),
            figures=figures_of(fit, cuts[0] if len(cuts) == 1 else None, samples, drawing),
            calls=command or calls_of(fit, source, arguments_of(page, asked), method),
            facts=facts_of(fit),
            versions=versions(),
        )
    )
    if target is None:
        return text
    write_whole(target, text)
    return target


def _checked_samples(n_replicates: Any) -> int:
    """How many samples are to be drawn; none, or enough of them."""
    if n_replicates == 0 and not isinstance(n_replicates, bool):
        return 0
    number = whole_number(n_replicates, "n_replicates", "0 leaves it out, 199 is usual")
    if number < LEAST_REPLICATES:
        raise ParameterError(
            f"n_replicates={number} is too few to tell; 199 is usual, {LEAST_REPLICATES} the "
            "least, and 0 leaves the goodness of fit out."
        )
    return number


def _judged(fit: Fit, verdict: Any, n_replicates: int, drawing: dict[str, Any]) -> _Judgement:
    """The verdict, or why there is none."""
    outcome, k = fit.outcome, fit.options.n_components
    if verdict is not None:
        if not isinstance(verdict, Verdict) or verdict.n_components != k:
            raise ParameterError(
                f"verdict={verdict!r} is none of this fit; pass what fit.verdict() returned."
            )
        return _of_verdict(verdict)
    if not fit.converged:
        return _Judgement((f"No verdict. {outcome.cause} {outcome.remedy}".strip(),), "", None)
    if k > _QUICK_TEST:
        return _Judgement((_SLOW,), "", None)
    try:
        if k > 1:
            return _of_verdict(fit.verdict(n_replicates=n_replicates, **drawing))
        goodness = fit.goodness_of_fit(n_replicates, **drawing) if n_replicates else None
    except ParameterError as error:
        # What the tests refuse, such as sampling weights, is no reason to have no page.
        return _Judgement((f"No verdict. {error}",), "", None)
    return _of_one(goodness)


def _of_verdict(verdict: Verdict) -> _Judgement:
    """The sentences of a verdict."""
    return _Judgement(verdict.sentences, _cost(verdict.goodness), verdict.goodness)


def _of_one(goodness: GoodnessOfFit | None) -> _Judgement:
    """What there is to say of one component."""
    first = "One normal curve was fitted, so that nothing is said about a second hump."
    if goodness is None:
        return _Judgement((first,), _cost(None), None)
    does = "describes" if goodness.p_value >= 0.05 else "does not describe"
    said = f"It {does} the data (Anderson-Darling, p = {goodness.p_value:.2g})."
    return _Judgement((first, said), _cost(goodness), goodness)


def _cost(goodness: GoodnessOfFit | None) -> str:
    """What was drawn at random for the verdict."""
    if goodness is None:
        return "Goodness of fit was left out, which takes most of the time."
    return (
        f"The p-value of the goodness of fit rests on {goodness.n_replicates:,} samples that were "
        f"drawn from the fit and fitted likewise; its Monte-Carlo error is "
        f"{goodness.anderson_darling.p_error:.1g}."
    )


def _thresholds(
    fit: Fit, given: Sequence[Threshold] | None, level: float, method: Method | Bootstrap
) -> tuple[Threshold, ...]:
    """The cuts that were given, or those between neighbours."""
    if given is not None:
        return tuple(given)
    if not fit.converged:
        return ()
    n_components = fit.options.n_components
    way = "profile" if method == "wald" and n_components <= _QUICK_PROFILES else method
    pairs = [(k, k + 1) for k in range(1, n_components)]
    return tuple(fit.threshold(components=pair, level=level, method=way) for pair in pairs)
