"""A point at which the formulas of the derivation are evaluated: rows and a mixture, in mpmath."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from mpmath import mp, mpf

# Digits carried, and the half width of a central difference. The difference errs by step² = 1e-36
# and, taken twice, by 1e-60 / step² = 1e-24 from rounding: both far below what is asserted.
DIGITS = 60
STEP = mpf(10) ** -18

NATURAL = (r"\pi", r"\mu", r"\sigma^2")
INDEX_RANGES = {
    "i": "m", "j": "K", "k": "K", "l": "K", "a": "P", "b": "P", "c": "3K", "d": "3K", "p": "7",
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """Rows, the parameters of a mixture, and values for the letters that stand for any number."""

    x: tuple[mpf, ...]
    pi: tuple[mpf, ...]
    mu: tuple[mpf, ...]
    var: tuple[mpf, ...]
    alpha: tuple[mpf, ...]
    letters: dict[str, mpf]
    memory: dict[Any, Any] = field(default_factory=dict, repr=False)
    step: mpf = STEP

    @classmethod
    def of(
        cls, x: Iterable[Any], pi: Iterable[Any], mu: Iterable[Any], var: Iterable[Any]
    ) -> Point:
        """Return the point with these rows and natural parameters."""
        rows, weights = tuple(map(mpf, x)), tuple(map(mpf, pi))
        alpha = tuple(mp.log(p / weights[-1]) for p in weights)
        letters = {
            "x": mpf("0.37"), r"\mu": mpf("-0.81"), r"\sigma": mpf("1.3"), "t": mpf("0.2"),
            r"\lambda": mpf(len(rows)), "h": mpf(8), "n": mpf("-0.5"),
            "s": mpf("0.7"),
        }  # fmt: skip
        return cls(rows, weights, tuple(map(mpf, mu)), tuple(map(mpf, var)), alpha, letters)

    def remember(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return the value under this key, computed when it is first asked for."""
        if key not in self.memory:
            self.memory[key] = compute()
        return self.memory[key]

    def indices(self, letter: str) -> range:
        """Return the values that an index runs over: rows, components or parameters."""
        n = len(self.mu)
        sizes = {"m": len(self.x), "K": n, "P": 3 * n - 1, "3K": 3 * n, "7": 7}
        return range(1, sizes[INDEX_RANGES[letter]] + 1)

    def value(self, name: str, at: list[int]) -> mpf:
        """Return a datum, a parameter, a size or a letter that stands for any number."""
        if not at:
            sizes = {"m": mpf(len(self.x)), "K": mpf(len(self.mu)), r"\pi": +mp.pi}
            return sizes[name] if name in sizes else self.letters[name]
        if name == r"\rho":  # any positive numbers with sum one in each row
            shares = [mpf(1 + (at[0] + 2 * k) % 5) for k in self.indices("k")]
            return shares[at[1] - 1] / mp.fsum(shares)
        (index,) = at
        name, index = self.locate(name, index)
        if name in (r"\sigma", r"\tau"):
            return (mp.sqrt if name == r"\sigma" else mp.log)(self.var[index - 1])
        stored = {"x": self.x, r"\pi": self.pi, r"\mu": self.mu, r"\alpha": self.alpha}
        return (stored | {r"\sigma^2": self.var})[name][index - 1]

    def locate(self, name: str, index: int) -> tuple[str, int]:
        """Return the parameter that is the index-th of a whole list of parameters."""
        if not 1 <= index:
            raise IndexError(index)
        n = len(self.mu)
        if name == r"\theta":
            block, k = divmod(index - 1, n)
            return NATURAL[block], k + 1
        if name == r"\eta":
            if index < n:
                return r"\alpha", index
            block, k = divmod(index - n, n)
            return (r"\mu", r"\tau")[block], k + 1
        return name, index

    def moved(self, name: str, at: list[int], sign: int) -> Point:
        """Return the point with one variable moved by a step up or down."""
        moved: Point = self.remember(
            ("moved", name, *at, sign), lambda: self._moved(name, at, sign)
        )
        return moved

    def _moved(self, name: str, at: list[int], sign: int) -> Point:
        h = sign * self.step
        if not at:
            letter, value = (r"\sigma", self.letters[r"\sigma"]) if "^" in name else (name, mpf(0))
            new = mp.sqrt(value**2 + h) if "^" in name else self.letters[name] + h
            return replace(self, letters=self.letters | {letter: new}, memory={})
        name, index = self.locate(name, at[0])
        k = index - 1
        changed: dict[str, Any] = {}
        if name in (r"\pi", r"d\pi"):
            changed["pi"] = _put(self.pi, k, self.pi[k] + h)
            if name == r"d\pi":  # the last weight gives what the k-th one takes
                changed["pi"] = _put(changed["pi"], -1, changed["pi"][-1] - h)
        elif name == r"\mu":
            changed["mu"] = _put(self.mu, k, self.mu[k] + h)
        elif name == r"\alpha":
            alpha = changed["alpha"] = _put(self.alpha, k, self.alpha[k] + h)
            total = mp.fsum(map(mp.exp, alpha))
            changed["pi"] = tuple(mp.exp(a) / total for a in alpha)
        else:
            v = self.var[k]
            moves = {r"\sigma^2": v + h, r"\sigma": (mp.sqrt(v) + h) ** 2, r"\tau": v * mp.exp(h)}
            changed["var"] = _put(self.var, k, moves[name])
        return replace(self, memory={}, **changed)


def _put(values: tuple[mpf, ...], k: int, new: mpf) -> tuple[mpf, ...]:
    """Return the values with one of them replaced."""
    position = k % len(values)
    return (*values[:position], new, *values[position + 1 :])
