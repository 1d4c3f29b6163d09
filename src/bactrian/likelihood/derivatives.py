"""Score and Hessian in working coordinates, assembled from the sums over rows."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.sums import Sums, own_features, pair_indices, sum_rows

Array = NDArray[np.float64]


class Derivatives(NamedTuple):
    """Log-likelihood, score and Hessian of a batch of S mixtures in working coordinates.

    Attributes
    ----------
    loglike : (S,) float64
        Sum over rows of w log f.
    score : (S, 3K - 1) float64
        Slopes with respect to the logits log(pi_k / pi_K), the means, the log variances.
    hessian : (S, 3K - 1, 3K - 1) float64
        Second derivatives in the same coordinates.
    counts : (S, K) float64
        Rows of each component, N_k = sum of w r_k.
    spreads : (S, 2, K) float64
        Sums of w r_k u_k and of w r_k (u_k^2 - 1) / 2: what an EM step needs besides.
    """

    loglike: Array
    score: Array
    hessian: Array
    counts: Array
    spreads: Array


class Expectations(NamedTuple):
    """What an EM step needs: log-likelihood (S,), counts (S, K) and spreads (S, 2, K)."""

    loglike: Array
    counts: Array
    spreads: Array


def expectations(x: Array, w: Array, weights: Array, means: Array, sds: Array) -> Expectations:
    """Return the first-order sums at parameters of shape (S, K).

    Source: derivation, "EM, gradient ascent and Newton".
    """
    loglike, products = sum_rows(x, w, weights, means, sds, second_order=False)
    flat = products.reshape(len(products), -1)
    single = flat[:, own_features(weights.shape[1])]
    return Expectations(loglike, single[:, 0], single[:, 1:])


def derivatives(x: Array, w: Array, weights: Array, means: Array, sds: Array) -> Derivatives:
    """Return the derivatives at parameters of shape (S, K).

    Source: derivation, "Working coordinates" and "Hessian in working coordinates".
    """
    return from_sums(sum_rows(x, w, weights, means, sds), weights, sds)


def from_sums(sums: Sums, weights: Array, sds: Array) -> Derivatives:
    """Return the derivatives at parameters (S, K) whose sums over the rows are known.

    Parameters
    ----------
    sums : Sums
        Of the second order.
    weights, sds : (S, K) float64
        Of the mixtures at which they were taken.
    """
    loglike, products = sums
    size, k = weights.shape
    flat = [products.reshape(size, -1), *_prior_pairs(products[:, :k, 0], weights)]
    found = _assembly(k).applied(np.concatenate(flat, axis=1))
    slopes = found[:, 3 * k :].reshape(size, 3 * k, 3 * k - 1)
    along_means, of_means = slopes[:, :, k - 1 : 2 * k - 1], slopes[:, k : 2 * k]
    along_means /= sds[:, None, :]
    of_means /= sds[:, :, None]
    spreads = found[:, k : 3 * k].reshape(size, 2, k)
    return Derivatives(loglike, slopes[:, 0], slopes[:, 1:], found[:, :k], spreads)


def _prior_pairs(counts: Array, weights: Array) -> tuple[Array, Array]:
    """For each pair (S, P): pi_k N_j - pi_j N_k, and W pi_j pi_k, where W is the sum of all N.

    The logits' scores are sums of the former and not N_k - W pi_k, where a rare component would
    drown in the rounding of W; their Hessian has sums of the latter and never pi - pi^2.
    """
    first, second = pair_indices(weights.shape[1])
    left, right = weights[:, first], weights[:, second]
    total = np.add.reduce(counts, axis=1, keepdims=True)
    return right * counts[:, first] - left * counts[:, second], total * left * right


class _Terms(NamedTuple):
    """A sparse linear map: the columns (t, m) that enter into m results, and their signs.

    Results of fewer than t terms are filled up with the first column, times zero.
    """

    columns: NDArray[np.intp]
    signs: Array

    def applied(self, flat: Array) -> Array:
        """The results (S, m) of the map for rows of columns."""
        terms = flat.take(self.columns, axis=1)
        terms *= self.signs
        return np.asarray(np.add.reduce(terms, axis=1))


@lru_cache
def _assembly(n_components: int) -> _Terms:
    """The constant map from the sums over rows to counts, spreads, score and Hessian.

    The results are free of units; the last logit, which is the gauge, is left out of them. The
    score stands above the Hessian, so that both are divided by the sds at once.
    """
    k_all, width = range(n_components), 2 * n_components + 1
    pairs = list(combinations(k_all, 2))
    first_pair = n_components * width
    first_slope = first_pair + len(pairs) * width**2
    first_prior = first_slope + len(pairs)
    terms: dict[tuple[int, ...], list[tuple[int, float]]] = defaultdict(list)
    for p, (j, k) in enumerate(pairs):
        _add_pair(terms, n_components, (j, k), first_pair + p * width**2)
        for left, right in product((j, k), repeat=2):
            sign = -1.0 if left == right else 1.0
            terms[left, right].append((first_prior + p, sign))
        terms[(j,)].append((first_slope + p, 1.0))
        terms[(k,)].append((first_slope + p, -1.0))
    for k, (count, first, second) in enumerate(own_features(n_components).T.tolist()):
        mean, spread = n_components + k, 2 * n_components + k
        terms[(mean,)].append((first, 1.0))
        terms[(spread,)].append((second, 1.0))
        terms[mean, mean].append((count, -1.0))
        terms[mean, spread].append((first, -1.0))
        terms[spread, mean].append((first, -1.0))
        terms[spread, spread] += [(count, -0.5), (second, -1.0)]
    return _in_rows(terms, n_components)


def _in_rows(terms: dict[tuple[int, ...], list[tuple[int, float]]], n_components: int) -> _Terms:
    """The terms in the order of the results: counts, spreads, score, Hessian row by row."""
    kept = [k for k in range(3 * n_components) if k != n_components - 1]
    wanted = [(a,) for a in kept] + list(product(kept, repeat=2))
    found = [[(column, 1.0)] for column in own_features(n_components).ravel().tolist()]
    found += [terms[key] for key in wanted]
    most = max(map(len, found))
    padded = np.array([group + [(0, 0.0)] * (most - len(group)) for group in found])
    columns, signs = padded.transpose(2, 1, 0)
    return _Terms(columns.astype(np.intp), signs.copy())


def _add_pair(
    terms: dict[tuple[int, ...], list[tuple[int, float]]],
    n_components: int,
    pair: tuple[int, int],
    first: int,
) -> None:
    """Add what the products of one pair of components contribute to the Hessian.

    Minus them to the blocks across, plus them to both components' own blocks.
    """
    width = 2 * n_components + 1

    def feature(a: int, k: int) -> int:
        return a and 1 + k + (a - 1) * n_components

    for a, b in product(range(3), repeat=2):
        for left, right in product(pair, repeat=2):
            column = first + feature(a, left) * width + feature(b, right)
            key = (a * n_components + left, b * n_components + right)
            terms[key].append((column, 1.0 if left == right else -1.0))
