"""Colours: known to the page by their roles, told apart by colour-blind readers and in print."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import bactrian as bt
from bactrian.present.plots import palette

# Machado, Oliveira and Fernandes (2009): what linear RGB becomes without one kind of cone.
SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def lab(color: str, sight: str) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(SIGHTS[sight]) @ linear, 0.0, 1.0)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    f = np.cbrt(np.asarray(to_xyz) @ seen / [0.9505, 1.0, 1.089])
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_first_four_colours_are_told_apart(sight: str) -> None:
    for one, other in combinations(palette.LINES[:4], 2):
        # A difference of ten is seen at a glance.
        assert np.linalg.norm(lab(one, sight) - lab(other, sight)) > 10.0


def test_no_two_of_36_lines_are_the_same() -> None:
    styles = [palette.style(k) for k in range(36)]
    assert len({(s.color, str(s.dashes)) for s in styles}) == 36
    assert len({str(s.dashes) for s in styles[:6]}) == 6


def test_every_colour_has_one_role() -> None:
    used = [*palette.LINES, palette.ROWS, palette.ROWS_EDGE, palette.BAND, palette.MUTED]
    assert len(set(used)) == len(used)
    assert set(used) < set(palette.ROLES)
    assert len(set(palette.ROLES.values())) == len(palette.ROLES)
    assert all(color == color.lower() for color in palette.ROLES)


def test_what_is_no_palette_is_refused() -> None:
    pytest.importorskip("matplotlib")
    palette.check_palette(["red", (0.1, 0.2, 0.3), "#0072b2"])
    for wrong in ("red", [], ["not a colour"], 3, {"a": "red"}):
        with pytest.raises(bt.ParameterError, match="is no colour"):
            palette.check_palette(wrong)
