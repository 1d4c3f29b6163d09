"""Whether the bins of a sketch are narrow enough for what was fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.data.sketches.grid import N_MOMENTS
from bactrian.data.sketches.nodes import Nodes, nodes_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.likelihood.rows import terms, working_score_rows
from bactrian.model.mixture import NormalMixture
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]


class Fidelity(NamedTuple):
    """How far the nodes of a sketch may move the estimates from where the rows would put them.

    Attributes
    ----------
    error : float
        Bound for the distance, in joint standard errors.
    shares : (B,) float64
        What each bin adds to it, in the order of the sketches.
    """

    error: float
    shares: Array


def fidelity(parts: Sequence[Sketch], problem: Problem, state: State) -> Fidelity:
    """Return the difference that one node less in each bin makes to the score at a maximum.

    The same moments give a rule with a node less. The score by one rule and by the other differ
    by several times the error of the better one.

    Source: derivation, "Binned moments".
    """
    mixture = NormalMixture(state.weights[0], state.means[0], state.sds[0])
    n_bins = sum(part.bins.size for part in parts)
    errors = np.linalg.cholesky(np.linalg.inv(-state.hessian[0]))
    best, worse = (
        _scores_of_bins(nodes_of(parts, order), n_bins, problem.sample, mixture)
        for order in (N_MOMENTS // 2, N_MOMENTS // 2 - 1)
    )
    difference = errors.T @ problem.constraints.jacobian(state.free)[0].T @ (best - worse)
    return Fidelity(
        float(np.linalg.norm(difference.sum(axis=1))), np.linalg.norm(difference, axis=0)
    )


def _scores_of_bins(nodes: Nodes, n_bins: int, sample: Sample, mixture: NormalMixture) -> Array:
    """The scores (3K - 1, B) in working coordinates, in the local coordinates of a sample."""
    local = nodes.sample.local * (nodes.sample.scale / sample.scale)
    rows = working_score_rows(terms(local, mixture), mixture) * nodes.sample.weights
    return np.stack([np.bincount(nodes.bins, row, n_bins) for row in rows])
