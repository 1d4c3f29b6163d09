"""Candidate mixtures from hard partitions of the sorted values, by prefix sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_LEAST_VARIANCE = 1e-4  # of the sample's, so that a partition of ties is not born collapsed


class Candidates(NamedTuple):
    """Weights, means and sds (S, K) of candidate mixtures, in local coordinates."""

    weights: Array
    means: Array
    sds: Array

    def part(self, index: slice | Index) -> Candidates:
        """Return some of the candidates."""
        return Candidates(self.weights[index], self.means[index], self.sds[index])


def join(parts: list[Candidates]) -> Candidates:
    """Return all the candidates of several lists."""
    return Candidates(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Prefix sums of weights, values and squares, the moments of any run of sorted values."""

    counts: Array
    sums: Array
    squares: Array
    variance: float

    @classmethod
    def of(cls, sample: Sample) -> Moments:
        """Return the prefix sums of a sample, centred on its mean."""
        x, w = sample.local, sample.weights
        steps = [w, w * x, w * x * x]
        counts, sums, squares = (np.concatenate([[0.0], s.cumsum()]) for s in steps)
        return cls(counts, sums, squares, sample.local_variance)

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return float(self.counts[-1])

    def quantile_cuts(self, shares: Array) -> Index:
        """Return the distinct positions between values nearest to given shares of the weight."""
        target = shares * self.total
        right = np.clip(np.searchsorted(self.counts, target), 1, self.counts.size - 1)
        nearer = target - self.counts[right - 1] < self.counts[right] - target
        return np.unique(np.where(nearer, right - 1, right))

    def candidates(self, inside: list[tuple[Index, Index]]) -> Candidates:
        """Return mixtures whose components have the moments of unions of runs.

        Each component is given by the begin and end positions (S,) of its runs; a component whose
        end is before its begin is the complement of the run.
        """
        columns = [self._component(begin, end) for begin, end in inside]
        weights, means, variances = (np.stack(c, axis=1) for c in zip(*columns, strict=True))
        sds = np.sqrt(np.maximum(variances, _LEAST_VARIANCE * self.variance))
        return Candidates(weights / weights.sum(axis=1, keepdims=True), means, sds)

    def _component(self, begin: Index, end: Index) -> tuple[Array, Array, Array]:
        """Weight, mean and variance of runs, or of the complements of reversed runs."""
        outside = end < begin
        sums = []
        for prefix in (self.counts, self.sums, self.squares):
            run = prefix[end] - prefix[begin]
            sums.append(np.where(outside, prefix[-1] + run, run))
        count, first, second = sums
        mean = first / count
        return count / self.total, mean, second / count - mean**2


def splits(moments: Moments, cuts: Index, n_components: int = 2) -> Candidates:
    """Return the two-component candidates that split the sorted values at each cut."""
    cuts = cuts[(cuts > 0) & (cuts < moments.counts.size - 1)]
    lowest, highest = np.zeros_like(cuts), np.full_like(cuts, moments.counts.size - 1)
    return moments.candidates([(lowest, cuts), (cuts, highest)])


def intervals(moments: Moments, cuts: Index, longest: int | None = None) -> Candidates:
    """Return the candidates "inside an interval, outside it" between each two cuts.

    With `longest`, only between cuts at most so many places apart.

    The posterior log-odds of two components are quadratic, so every hard assignment by a
    two-component mixture has this form.

    Source: derivation, "Log-odds for two components".
    """
    first, second = np.triu_indices(cuts.size, 1)
    if longest is not None:
        first, second = first[second - first <= longest], second[second - first <= longest]
    begin, end = cuts[first], cuts[second]
    inner = moments.counts[end] - moments.counts[begin]
    proper = (inner > 0.0) & (inner < moments.total)
    begin, end = begin[proper], end[proper]
    return moments.candidates([(begin, end), (end, begin)])


def best_split(moments: Moments) -> Index:
    """Return the cut (1,) of the optimal two-means partition, found by one exact scan."""
    cuts = np.arange(1, moments.counts.size - 1)
    left, total = moments.counts[cuts], moments.total
    gain = moments.sums[cuts] ** 2 / left
    gain += (moments.sums[-1] - moments.sums[cuts]) ** 2 / (total - left)
    return np.atleast_1d(cuts[gain.argmax()])


def groups(moments: Moments, cuts: Index) -> Candidates:
    """Return the one candidate whose components are the runs between consecutive cuts."""
    edges = np.concatenate([[0], cuts, [moments.counts.size - 1]])
    return moments.candidates(
        [(edges[k : k + 1], edges[k + 1 : k + 2]) for k in range(edges.size - 1)]
    )
