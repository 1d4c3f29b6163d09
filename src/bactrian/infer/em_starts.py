"""Where the ascents of the EM-test begin. The same data give the same starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.infer.splits import Parameters
from bactrian.model.mixture import NormalMixture
from bactrian.solve.partitions import Moments, splits

Array = NDArray[np.float64]

# Ways to split a component: distance of the halves in its sds, log of the ratio of an sd to it.
_WAYS = np.array([(1.0, 0.0), (-1.0, 0.0), (0.3, 0.0), (-0.3, 0.0),
                  (2.0, 0.0), (-2.0, 0.0), (0.0, 0.25), (0.0, -0.25)])  # fmt: skip
_LEAST_VARIANCE = 0.3  # of the component's, for each half
_LEAST_SD = 1e-3  # of the component's, where its rows have none
_SEED, _N_RANDOM = 2009, 16
_TENTHS = np.arange(1, 10) / 10.0


def starts(
    sample: Sample, null: NormalMixture, edges: Array, choices: Array
) -> tuple[Parameters, NDArray[np.intp]]:
    """Return mixtures (S, 2m) for every choice of shares, and the choice (S,) that each has.

    Mirrored data have mirrored starts.

    Parameters
    ----------
    sample : Sample
        The weighted values, local.
    null : NormalMixture
        The fitted mixture of the null hypothesis, m components, local.
    edges : (m + 1,) float64
        The means of a pair are to lie between two edges.
    choices : (C, m) float64
        Shares of the first halves of the components.

    Notes
    -----
    Far from the null hypothesis the halves of a component may take another role than it has: one
    that was narrow within a wide one may have to share what is on its side of the middle. Random
    pairs find these, and cuts a few rows far out.
    """
    scattered = [_scattered(sample, null, edges)]
    if null.n_components == 1:
        scattered.append(_cut(sample))
    found: list[Parameters] = []
    for shares in choices:
        parts = [_halved(null, shares), *scattered]
        whole, means, sds = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        both = whole[:, :, None] * np.stack([shares, 1.0 - shares], axis=1)
        found.append((both.reshape(len(whole), -1), means, sds))
    choice = np.repeat(np.arange(len(choices)), [len(part[0]) for part in found])
    weights, means, sds = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return (weights, means, sds), choice


def _halved(null: NormalMixture, shares: Array) -> Parameters:
    """The null hypothesis with all its components split in one way, which keeps their means.

    Like the others, these are weights (S, m) of pairs with means and sds (S, 2m).
    """
    apart, wider = _WAYS[:, :1], _WAYS[:, 1:]
    left = np.maximum(1.0 - shares * (1.0 - shares) * apart**2, _LEAST_VARIANCE)
    first = null.means + (1.0 - shares) * apart * null.sds
    second = null.means - shares * apart * null.sds
    sd, size = null.sds * np.sqrt(left), len(_WAYS)
    wide, narrow = sd * np.exp(wider), sd * np.exp(-wider * shares / (1.0 - shares))
    return (
        np.tile(null.weights, (size, 1)),
        np.stack([first, second], axis=2).reshape(size, -1),
        np.stack([wide, narrow], axis=2).reshape(size, -1),
    )


def _scattered(sample: Sample, null: NormalMixture, edges: Array) -> Parameters:
    """Pairs at random quantiles of the rows between their edges, and their mirror images."""
    m, rng = null.n_components, np.random.default_rng([_SEED, null.n_components])
    place, spread = rng.random((_N_RANDOM, m, 2)), rng.uniform(-2.0, 0.0, (_N_RANDOM, m, 2))
    means = np.concatenate([place, 1.0 - place[:, ::-1]])
    sds = np.exp(np.concatenate([spread, spread[:, ::-1]]))
    rows = np.empty(m)
    for k in range(m):
        inside = (sample.local >= edges[k]) & (sample.local <= edges[k + 1])
        x, w = sample.local[inside], sample.weights[inside]
        if x.size < 2:
            x, w = edges[k : k + 2], np.ones(2)
        rows[k] = w.sum()
        means[:, k] = np.interp(means[:, k], (w.cumsum() - 0.5 * w) / rows[k], x)
        sd = np.sqrt(w @ (x - w @ x / rows[k]) ** 2 / rows[k])
        sds[:, k] *= max(float(sd), _LEAST_SD * float(null.sds[k]))
    size = len(means)
    whole = np.tile(rows / rows.sum(), (size, 1))
    whole[::2] = null.weights
    return whole, means.reshape(size, -1), sds.reshape(size, -1)


def _cut(sample: Sample) -> Parameters:
    """The rows cut in two, at tenths of them or near an end; either part comes first."""
    moments = Moments.of(sample)
    ends = 2.0 ** np.arange(int(np.log2(max(moments.total / 8.0, 1.0))) + 1) / moments.total
    found = splits(moments, moments.quantile_cuts(np.concatenate([_TENTHS, ends, 1.0 - ends])))
    means, sds = (np.concatenate([each, each[:, ::-1]]) for each in (found.means, found.sds))
    return np.ones((len(means), 1)), means, sds
