"""Maximum likelihood for one-dimensional Gaussian mixtures.

>>> import bactrian as bt
>>> fit = bt.fit(bt.datasets.load("faithful")["waiting"])
>>> fit.mixture.means.round(2).tolist()
[54.61, 80.09]
"""

from bactrian import datasets
from bactrian.data.sample import Sample
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.streams.databases import Query
from bactrian.errors import DataError, DataTypeError, ParameterError
from bactrian.fitting import Comparison, Fit, compare, fit
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.estimates import Estimate, Estimates
from bactrian.infer.goodness import GoodnessOfFit
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.nested import NestedTest
from bactrian.infer.thresholds import Threshold
from bactrian.infer.verdict import Verdict
from bactrian.likelihood.quantities import (
    Evaluation,
    evaluate,
    hessian,
    loglike,
    responsibilities,
    score,
    score_obs,
)
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import (
    from_working,
    hessian_to_working,
    score_to_working,
    to_working,
)
from bactrian.solve.certificate import Certificate, Optimum
from bactrian.solve.outcome import Outcome

__version__ = "0.1.0"

__all__ = [
    "Bootstrap",
    "Certificate",
    "Comparison",
    "DataError",
    "DataTypeError",
    "Estimate",
    "Estimates",
    "Evaluation",
    "Fit",
    "GoodnessOfFit",
    "HomogeneityTest",
    "NestedTest",
    "NormalMixture",
    "Optimum",
    "Outcome",
    "ParameterError",
    "Query",
    "Sample",
    "Sketch",
    "Threshold",
    "Verdict",
    "compare",
    "datasets",
    "evaluate",
    "fit",
    "from_working",
    "hessian",
    "hessian_to_working",
    "loglike",
    "responsibilities",
    "score",
    "score_obs",
    "score_to_working",
    "to_working",
]
