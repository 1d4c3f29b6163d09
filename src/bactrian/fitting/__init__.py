"""The front door: fit() and what it returns."""

from bactrian.fitting.entry import fit
from bactrian.fitting.result import Fit, Options

__all__ = ["Fit", "Options", "fit"]
