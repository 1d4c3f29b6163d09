"""What no mixture could gain, in words."""

from __future__ import annotations

from bactrian.infer.rounding import round_up

_FLOOR_DIGITS, _BOUND_DIGITS, _CENTS = 3, 2, -2


def bound_sentence(gain_bound: float | None, sd_floor: float | None, over: str = "") -> str:
    """Return one sentence, or nothing where no bound is known.

    Parameters
    ----------
    gain_bound, sd_floor : float or None
        The most that can be gained, and the least sd of those that might: both are rounded up, so
        that the sentence is true of the numbers in it.
    over : str
        What it is gained over, where that is not the fit above.
    """
    if gain_bound is None or sd_floor is None:
        return ""
    most = round_up(gain_bound, _BOUND_DIGITS, _CENTS)
    than = f" than {over}" if over else ""
    return (
        f"No mixture of any number of components with sds of at least "
        f"{round_up(sd_floor, _FLOOR_DIGITS)} can have a log-likelihood higher{than} by more than "
        f"{most}."
    )
