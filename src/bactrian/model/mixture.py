"""The normal mixture: an immutable distribution on the line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bactrian.errors import DataTypeError, ParameterError
from bactrian.model import onnx_graph, quantile, scipy_law, tails
from bactrian.model.checks import normalized, parameter, pointwise, real
from bactrian.model.crossings import crossings
from bactrian.model.extremes import row_terms_anywhere
from bactrian.model.modes import modes

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NormalMixture:
    """A mixture of K >= 1 normal distributions, immutable, its components in the given order.

    Parameters
    ----------
    weights : (K,) array_like
        Mixing weights, >= 0; they sum to one within 1e-8, and are divided by their sum where that
        is off by more than K rounding errors.
    means : (K,) array_like
        Means, finite, in the unit of the data.
    sds : (K,) array_like
        Standard deviations (not variances), > 0 and finite, in the unit of the data.

    Attributes
    ----------
    weights, means, sds : (K,) float64
        Read-only copies.

    Raises
    ------
    ParameterError
        Where the three are not lists of the same length of numbers in these ranges.

    Notes
    -----
    The functions of points or probabilities take a number or an array of any shape, in any real
    type, compute in float64, and return a float or an array of that shape. nan gives nan.
    """

    weights: Array
    means: Array
    sds: Array

    def __init__(self, weights: ArrayLike, means: ArrayLike, sds: ArrayLike) -> None:
        named = {"weights": weights, "means": means, "sds": sds}
        arrays = [parameter(name, value) for name, value in named.items()]
        lengths = [array.size for array in arrays]
        if len(set(lengths)) > 1:
            raise ParameterError(
                "weights, means and sds have {}, {} and {} entries: "
                "give each one entry per component.".format(*lengths)
            )
        arrays[0] = normalized(arrays[0])
        if not (arrays[2] > 0.0).all():
            raise ParameterError(
                f"sds must be positive, but the smallest is {float(arrays[2].min())!r}: "
                "give standard deviations above zero."
            )
        for name, array in zip(named, arrays, strict=True):
            # Over bytes nobody can make the array writable again, as its owner could.
            object.__setattr__(self, name, np.frombuffer((array + 0.0).tobytes()))

    @property
    def n_components(self) -> int:
        """The number K of components."""
        return self.weights.size

    @property
    def variances(self) -> Array:
        """The variances (K,) of the components; beyond scales of 1e±154 they over- or underflow."""
        with np.errstate(over="ignore", under="ignore"):
            variances = np.square(self.sds)
        variances.setflags(write=False)
        return variances

    def logpdf(self, x: ArrayLike) -> Array:
        """Return the natural log of the density at x, right at any distance; -inf at infinity.

        Source: derivation, "Responsibilities".
        """
        return pointwise(lambda x: self._row_terms(x)[0], "x", x)

    def pdf(self, x: ArrayLike) -> Array:
        """Return the density at x, per unit of the data, to a few ulp."""
        return pointwise(lambda x: tails.pdf(x, self._components()), "x", x)

    def cdf(self, x: ArrayLike) -> Array:
        """Return P(X <= x), to a few ulp in the lower tail as in the body."""
        return pointwise(lambda x: tails.cdf(x, self._components()), "x", x)

    def sf(self, x: ArrayLike) -> Array:
        """Return P(X > x), to a few ulp in the upper tail as in the body."""
        return pointwise(lambda x: tails.cdf(-x, tails.mirrored(self._components())), "x", x)

    def ppf(self, p: ArrayLike) -> Array:
        """Return the quantiles of p, the inverse of cdf; nan outside [0, 1]."""
        return pointwise(lambda p: quantile.ppf(p, self._components()), "p", p)

    def isf(self, p: ArrayLike) -> Array:
        """Return the upper quantiles of p, the inverse of sf; nan outside [0, 1]."""
        return pointwise(lambda p: quantile.isf(p, self._components()), "p", p)

    def sample(
        self, size: int | tuple[int, ...] = 1, rng: np.random.Generator | int | None = None
    ) -> Array:
        """Return independent draws, an array of the shape `size`.

        Parameters
        ----------
        size : int or tuple of int
            Shape of the result.
        rng : numpy.random.Generator, int or None
            The source of randomness, a seed for one, or None for a fresh one.
        """
        generator = np.random.default_rng(rng)
        k = generator.choice(self.n_components, size=size, p=self.weights)
        return np.asarray(self.means[k] + self.sds[k] * generator.standard_normal(size))

    def mean(self) -> float:
        """Return the mean of the mixture, in the unit of the data."""
        return self._moments()[0]

    def var(self) -> float:
        """Return the variance of the mixture; inf or zero where it over- or underflows."""
        std = self.std()
        return std * std

    def std(self) -> float:
        """Return the standard deviation of the mixture, at any scale."""
        return self._moments()[1]

    def responsibilities(self, x: ArrayLike) -> Array:
        """Return the probabilities (n, K) of the components given the points x (n,).

        A single point gives (K,). At an infinite point they are those of the largest float.
        """
        points = real("x", x)
        if points.ndim > 1:
            raise DataTypeError(
                f"x has {points.ndim} dimensions: give responsibilities a single point or a "
                "one-dimensional array (x.ravel() makes one)."
            )
        values = self._row_terms(points.ravel())[1].T.copy()
        return values[0] if points.ndim == 0 else values

    def crossings(self) -> Array:
        """Return the sorted points where the most probable component changes.

        Two components have 0, 1 or 2 of them; none where they only touch. More components have
        at most two a pair. A component of weight zero never wins.

        Source: derivation, "Log-odds for two components".
        """
        return crossings(self.weights, self.means, self.sds)

    def modes(self) -> Array:
        """Return the sorted points where the density has a local maximum: at least one.

        Source: derivation, "Thresholds".
        """
        return modes(self)

    def ordered(self) -> NormalMixture:
        """Return the mixture with its components sorted by mean, then sd, then weight."""
        order = np.lexsort((self.weights, self.sds, self.means))
        return NormalMixture(self.weights[order], self.means[order], self.sds[order])

    def affine(self, a: float, b: float) -> NormalMixture:
        """Return the mixture that a + b·X follows, where X follows this one.

        Raises
        ------
        ParameterError
            Where b is zero, or a mean or sd leaves the range of floats.
        """
        if not (math.isfinite(a) and math.isfinite(b)) or b == 0.0:
            raise ParameterError(
                f"a = {a!r} and b = {b!r} do not make a change of unit: "
                "give finite numbers, and b other than zero."
            )
        with np.errstate(over="ignore", under="ignore"):
            means, sds = float(a) + float(b) * self.means, abs(float(b)) * self.sds
        if not (np.isfinite(means).all() and np.isfinite(sds).all() and (sds > 0.0).all()):
            raise ParameterError(
                f"a + b·x with a = {a!r} and b = {b!r} takes a mean or sd out of the range of "
                "floats: choose a unit nearer to that of the data."
            )
        return NormalMixture(self.weights, means, sds)

    to_scipy, to_onnx = scipy_law.to_scipy, onnx_graph.to_onnx  # each in a module of its own

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NormalMixture):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("weights", "means", "sds")
        )

    def __hash__(self) -> int:
        return hash((self.weights.tobytes(), self.means.tobytes(), self.sds.tobytes()))

    def __repr__(self) -> str:
        return (
            f"NormalMixture(weights={self.weights.tolist()}, "
            f"means={self.means.tolist()}, sds={self.sds.tolist()})"
        )

    def __reduce__(self) -> tuple[type[NormalMixture], tuple[Array, Array, Array]]:
        # Pickled arrays come back writable: the constructor makes them read-only again.
        return NormalMixture, (self.weights, self.means, self.sds)

    def _row_terms(self, x: Array) -> tuple[Array, Array]:
        """Log-density (n,) and responsibilities (K, n) at any points (n,)."""
        return row_terms_anywhere(x, self.weights, self.means, self.sds)

    def _components(self) -> tails.Components:
        """The components as areas and quantiles need them."""
        return tails.components(self.weights, self.means, self.sds)

    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation, measured from the heaviest component in the largest unit.

        Taken from the origin they would lose the digits of an offset, and overflow.
        """
        held = self.weights > 0.0
        weights, means, sds = self.weights[held], self.means[held], self.sds[held]
        centre = float(means[weights.argmax()])
        quarters = np.abs(means * 0.25 - centre * 0.25).max()
        shrink = 0.25 if max(quarters, sds.max()) > 2.0**1020 else 1.0
        distances, sds = means * shrink - centre * shrink, sds * shrink
        unit = float(max(np.abs(distances).max(), sds.max()))
        distances, sds = distances / unit, sds / unit
        middle = float(weights @ distances)
        # By roots of weights, as the product of a tiny one and a square would lose its digits.
        roots = np.sqrt(weights)
        parts = np.concatenate([roots * sds, roots * (distances - middle)])
        spread = math.hypot(*parts.tolist())
        return centre + middle * unit / shrink, spread * unit / shrink
