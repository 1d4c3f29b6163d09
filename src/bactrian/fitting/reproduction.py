"""How to make a fit and its page again: the calls, what tells the data apart, the versions."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bactrian.fitting.calls import folded, literal
from bactrian.fitting.constraints import as_values
from bactrian.fitting.live import spread_of
from bactrian.infer.bootstrap import Bootstrap
from bactrian.present.wording import row_count

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def calls_of(
    fit: Fit, source: str | None, of_page: Sequence[str], method: str | Bootstrap = "wald"
) -> str:
    """Return the Python that makes a fit and its page.

    Parameters
    ----------
    fit : Fit
        How it was asked for is in its options.
    source : str or None
        The file the data came from, if not as it was asked for.
    of_page : sequence of str
        The arguments of ``page`` that are not the usual ones, as they are written.
    method : str or Bootstrap
        Of the intervals; refits are made once, since other ones could have other ends.
    """
    lines = ["import bactrian as bt", "", folded("fit = bt.fit", _of_fit(fit, source))]
    shown = ['"fit.html"', *of_page]
    if isinstance(method, Bootstrap):
        made = f"method={literal(method)}"
        lines.append(made.replace("method=", "refits = ", 1))
        shown = [argument.replace(made, "method=refits") for argument in shown]
    return "\n".join([*lines, folded("fit.page", shown)])


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


def _of_fit(fit: Fit, source: str | None) -> list[str]:
    """The arguments of ``fit``; data and weights that were in memory by a name."""
    asked = fit.options.asked
    path = asked.data if source is None else source
    found = ["data" if path is None else literal(path), str(fit.options.n_components)]
    found += [f"{name}={literal(value)}" for name, value in _options(fit).items()]
    if asked.sample_weight is not None:
        named = literal(asked.sample_weight) if asked.sample_weight else "weights"
        found.append(f"sample_weight={named}")
    if asked.weight_kind is not None:
        found.append(f"weight_kind={literal(asked.weight_kind)}")
    return found if asked.missing == "error" else [*found, f"missing={literal(asked.missing)}"]


def _options(fit: Fit) -> dict[str, Any]:
    """The options that are not the usual ones."""
    options = fit.options
    found: dict[str, Any] = {} if fit.column is None else {"column": fit.column}
    if options.method != "newton" or options.is_local:
        found["method"] = options.method
    if options.start is not None:
        found["start"] = options.start
    if options.max_steps is not None:
        found["max_steps"] = options.max_steps
    held = as_values(options.constraints) or {}
    return found | {name: value for name, value in held.items() if value}
