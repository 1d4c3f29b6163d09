"""How to make a fit and its page again: the calls, what tells the data apart, the versions."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bactrian.fitting.constraints import as_values
from bactrian.fitting.live import spread_of
from bactrian.present.wording import row_count

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def calls_of(fit: Fit, source: str | None, of_page: dict[str, str]) -> str:
    """Return the Python that makes a fit and its page.

    Parameters
    ----------
    fit : Fit
        How it was asked for is in its options.
    source : str or None
        The file the data came from, where that is known.
    of_page : dict
        The arguments of ``page`` that are not the usual ones, as they are written.
    """
    data = "data" if source is None else repr(source)
    arguments = [data, str(fit.options.n_components)]
    arguments += [f"{name}={value!r}" for name, value in _asked(fit).items()]
    if fit.sample.squared is not None:
        arguments += ["sample_weight=weights", 'weight_kind="sampling"']
    shown = ['"fit.html"', *(f"{name}={value}" for name, value in of_page.items())]
    return (
        f"import bactrian as bt\n\nfit = bt.fit({', '.join(arguments)})\n"
        f"fit.page({', '.join(shown)})"
    )


def facts_of(fit: Fit) -> tuple[tuple[str, str], ...]:
    """Return what tells these data from others: labels and numbers."""
    mean, sd = spread_of(fit.sample)
    found = [("rows", row_count(fit.n_obs).removesuffix(" rows"))]
    if fit.n_missing:
        found.append(("rows left out, value missing", f"{fit.n_missing:,}"))
    return (
        *found,
        ("mean", f"{mean:.12g}"),
        ("sd, divisor the number of rows", f"{sd:.12g}"),
        ("log-likelihood, unrounded", repr(fit.loglike)),
    )


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions that numbers may depend on."""
    from bactrian import __version__

    packages = [(name, version(name)) for name in ("numpy", "scipy")]
    return (("bactrian", __version__), ("Python", platform.python_version()), *packages)


def _asked(fit: Fit) -> dict[str, Any]:
    """The arguments of ``fit`` that are not the usual ones."""
    options = fit.options
    found: dict[str, Any] = {} if fit.column is None else {"column": fit.column}
    if options.method != "newton":
        found["method"] = options.method
    if options.max_steps is not None:
        found["max_steps"] = options.max_steps
    held = as_values(options.constraints) or {}
    return found | {name: value for name, value in held.items() if value}
