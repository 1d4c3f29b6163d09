"""The command that draws: `bactrian plot data.csv --column waiting -o picture.svg`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bactrian.cli.commands import put
from bactrian.cli.progress import shown
from bactrian.cli.reading import check_not_the_input, fitted, saved_fit
from bactrian.cli.thresholds import threshold_rule
from bactrian.errors import ParameterError
from bactrian.writing import writable

if TYPE_CHECKING:
    from bactrian.fitting import Fit

KINDS = ("density", "responsibilities", "qq", "pit", "profile", "path")
_SAMPLES = 199
_PARAMETERS = ("weight", "mean", "sd")
# Which options go with which kinds only.
_OWN = {
    "threshold": ("density",),
    "bins": ("density",),
    "parameter": ("profile",),
    "samples": ("qq", "pit"),
    "seed": ("qq", "pit"),
    "level": ("density", "qq", "pit", "profile"),
}


def add_plot(command: argparse.ArgumentParser) -> None:
    """Add the options of plot that no other command has."""
    command.add_argument(
        "--kind", default="density", choices=KINDS,
        help="the rows with the fitted density; posterior probabilities; residuals over normal "
        "quantiles; shares of rows less fitted ones; the profile likelihood of a parameter; the "
        "path of --method over the log-likelihood (default: density)",
    )  # fmt: skip
    command.add_argument(
        "--bins", type=int, metavar="N", help="about how many, of density (default: by fit)"
    )
    command.add_argument(
        "--parameter", metavar="NAME", help="of a profile: 'sd 2' (default: 'mean 1')"
    )
    command.add_argument(
        "--samples", type=int, metavar="B",
        help=f"drawn and fitted for the band of qq and pit, 0 for no band (default: {_SAMPLES})",
    )  # fmt: skip
    command.add_argument("--seed", type=int, help="of these samples, of qq and pit (default: none)")
    command.add_argument(
        "--level",
        type=float,
        help="of intervals and bands, of density, qq, pit and profile (default: 0.95)",
    )
    command.add_argument(
        "-o", "--output", required=True, metavar="FILE",
        help="picture to write, whole or not at all: .svg, .png or .pdf",
    )  # fmt: skip


def plot_command(options: argparse.Namespace) -> int:
    """Fit, draw, write the picture, and say what it is."""
    from bactrian.present.plots.canvas import blank_axes
    from bactrian.present.plots.files import write_figure

    saved = saved_fit(options)
    rule = _checked(options)
    ax = blank_axes()
    with shown(options.quiet) as progress:
        found = saved or fitted(options, progress)
        _draw(found, options, ax, rule, progress)
    write_figure(ax, options.output)
    put(f"{options.output}: {options.kind} of {found.column or 'data'}, {_ended(found)}")
    return 0


def _checked(options: argparse.Namespace) -> dict[str, Any] | None:
    """The rule of the threshold; what cannot be drawn or written is refused before reading."""
    from bactrian.present.plots.files import checked_format

    checked_format(options.output)
    writable(options.output, "fit.svg")
    check_not_the_input(options)
    for name, kinds in _OWN.items():
        if getattr(options, name) is not None and options.kind not in kinds:
            words = f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
            raise ParameterError(
                f"--{name} goes with --kind {words}, and a picture of kind {options.kind} has no "
                "use for it: leave it out."
            )
    if options.level is not None and not 0.0 < options.level < 1.0:
        raise ParameterError(f"--level {options.level:g} is not between 0 and 1; 0.95 is usual.")
    names = [f"{kind} {k + 1}" for k in range(options.components) for kind in _PARAMETERS]
    if options.parameter is not None and options.parameter not in names:
        raise ParameterError(
            f"--parameter {options.parameter!r} is none of {', '.join(map(repr, names))}."
        )
    for name, least in (("bins", 1), ("samples", 0), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise ParameterError(f"--{name} {value} is less than {least}.")
    return threshold_rule(options)


def _draw(
    found: Fit, options: argparse.Namespace, ax: Any, rule: dict[str, Any] | None, progress: Any
) -> None:
    """The picture of the kind asked for."""
    level = 0.95 if options.level is None else options.level
    samples = _SAMPLES if options.samples is None else options.samples
    drawing: dict[str, Any] = {
        "n_replicates": samples,
        "rng": options.seed,
        "level": level,
        "progress": progress,
    }
    if options.kind == "density":
        cut = None if rule is None else found.threshold(**rule, level=level)
        found.plot(ax, bins=options.bins, threshold=cut)
    elif options.kind == "responsibilities":
        found.plot_responsibilities(ax)
    elif options.kind in ("qq", "pit"):
        method = found.plot_qq if options.kind == "qq" else found.plot_pit
        try:
            method(ax, **drawing)
        except ParameterError as error:
            # Elsewhere the samples are those of a bootstrap, and called refits.
            raise ParameterError(str(error).replace("n_replicates=", "--samples ")) from None
    elif options.kind == "profile":
        found.plot_profile(options.parameter or "mean 1", ax, level=level)
    else:
        found.plot_path(ax=ax)


def _ended(found: Fit) -> str:
    """The fit in a few words."""
    components = found.options.n_components
    words = f"{components} component{'s' * (components != 1)}"
    return words if found.converged else f"{words}, {found.outcome.value.replace('_', ' ')}"
