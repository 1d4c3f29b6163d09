"""States: what goes into a row comes out of it, also of chosen and of mixed ones."""

from __future__ import annotations

import numpy as np

from bactrian.solve.state import State

RNG = np.random.default_rng(20240702)
SHAPES: dict[str, tuple[int, ...]] = {
    "free": (5,),
    "weights": (2,),
    "means": (2,),
    "sds": (2,),
    "loglike": (),
    "score": (5,),
    "hessian": (5, 5),
    "counts": (2,),
    "spreads": (2, 2),
    "whitener": (5, 5),
    "eigenvalues": (5,),
    "eigenvectors": (5, 5),
    "slopes": (5,),
    "decrement": (),
}
ONE, OTHER = (
    {name: RNG.normal(size=(3, *shape)) for name, shape in SHAPES.items()} for _ in range(2)
)


def test_each_quantity_comes_out_as_it_went_in() -> None:
    state = State.of(**ONE)
    assert len(state) == 3
    for name, array in ONE.items():
        assert np.array_equal(getattr(state, name), array)


def test_ascents_are_chosen_whole() -> None:
    chosen = State.of(**ONE)[np.array([2, 0])]
    for name, array in ONE.items():
        assert np.array_equal(getattr(chosen, name), array[[2, 0]])


def test_the_accepted_ascents_are_the_other_state_s() -> None:
    accept = np.array([True, False, True])
    mixed = State.of(**ONE).where(accept, State.of(**OTHER))
    for name in SHAPES:
        assert np.array_equal(getattr(mixed, name)[[0, 2]], OTHER[name][[0, 2]])
        assert np.array_equal(getattr(mixed, name)[1], ONE[name][1])
