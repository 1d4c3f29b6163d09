"""The front door: fit(), compare() and what they return."""

from bactrian.fitting.comparison import Comparison, compare
from bactrian.fitting.entry import fit
from bactrian.fitting.options import Options
from bactrian.fitting.result import Fit

__all__ = ["Comparison", "Fit", "Options", "compare", "fit"]
