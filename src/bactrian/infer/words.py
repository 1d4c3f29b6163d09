"""Numbers in words: counts of components, p-values."""

from __future__ import annotations

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LEAST = 1e-3


def count_in_words(n_components: int, *, short: bool = False) -> str:
    """Return "one component", "two components"; "two" alone if it is to be short."""
    small = n_components < len(_NUMBERS)
    number = _NUMBERS[n_components] if small else f"{n_components:d}"
    if short:
        return number
    return f"{number} component{'' if n_components == 1 else 's'}"


def p_in_words(p_value: float, is_bound: bool = False) -> str:
    """Return a p-value such as "p = 0.034", "p < 0.001", "p = 2.1e-12".

    Parameters
    ----------
    p_value : float
        Between 0 and 1; one that no double can hold is given as zero.
    is_bound : bool
        Whether the true one is at most this.
    """
    if p_value == 0.0:
        return "p < 1e-300"
    if is_bound:
        return f"p < {_upwards(p_value)}"
    if p_value < _LEAST:
        return f"p = {p_value:.1e}"
    return f"p = {p_value:.2g}" if p_value < 0.995 else "p = 1"


def _upwards(p_value: float) -> str:
    """A bound with one digit, not below the number."""
    shown = float(f"{p_value:.0e}")
    if shown < p_value:
        shown += 10.0 ** (float(f"{p_value:e}".split("e")[1]))
    return f"{shown:.0e}" if shown < _LEAST else f"{shown:g}"
