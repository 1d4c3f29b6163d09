"""The posterior as an ONNX model, run by another program."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

MIXTURES = {
    "one": NormalMixture([1.0], [3.0], [2.0]),
    "two": NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]),
    "equal sds": NormalMixture([0.35, 0.65], [0.0, 2.0], [1.1, 1.1]),
    "weights of zero": NormalMixture([0.0, 0.4, 0.0, 0.6], [0.0, 1.0, 2.0, 3.0], [9, 1, 1, 2]),
    "four": NormalMixture([0.1, 0.4, 0.3, 0.2], [-3.0, 0.0, 2.0, 9.0], [1.0, 0.2, 2.0, 1.0]),
    "offset 1e9": NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 2.0]),
    "sd ratio 1e6": NormalMixture([0.5, 0.5], [0.0, 1.0], [1e-6, 1.0]),
}
FAR = [1e20, 1e160, 1e300, 1.7e308, math.inf]
each = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)


def points(mixture: NormalMixture) -> Array:
    """Points near and far."""
    near = mixture.means[:, None] + mixture.sds[:, None] * np.linspace(-45.0, 45.0, 61)
    return np.concatenate([near.ravel(), mixture.crossings(), FAR, np.negative(FAR)])


def answers(model: Any, x: Array) -> list[Array]:
    """What onnxruntime makes of x."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(model.SerializeToString())
    found: list[Array] = session.run(["responsibilities", "label"], {"x": x})
    return found


@each
def test_it_gives_the_responsibilities(mixture: NormalMixture) -> None:
    pytest.importorskip("onnx")
    x = points(mixture)
    found, label = answers(mixture.to_onnx(), x)
    expected = mixture.responsibilities(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)
    assert label.dtype == np.int64
    clear = np.sort(np.column_stack([expected, np.zeros(x.size)]), axis=1)
    is_clear = clear[:, -1] - clear[:, -2] > 1e-9
    assert (label == expected.argmax(axis=1))[is_clear].all()


def test_nan_is_nan_and_belongs_to_nothing() -> None:
    pytest.importorskip("onnx")
    found, label = answers(MIXTURES["two"].to_onnx(), np.array([0.0, math.nan]))
    assert np.isnan(found).tolist() == [[False, False], [True, True]]
    assert label.tolist() == [0, -1]


def test_its_input_may_be_a_column() -> None:
    pytest.importorskip("onnx")
    x = np.array([0.0, 1.0, 2.0])
    one, other = MIXTURES["four"].to_onnx(), MIXTURES["four"].to_onnx(as_column=True)
    for found, expected in zip(answers(other, x[:, None]), answers(one, x), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert answers(one, x[:0])[0].shape == (0, 4)


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "posterior.onnx"
    onnx.save(MIXTURES["two"].to_onnx(), path)
    model = onnx.load(path)
    assert model.producer_name == "bactrian"
    np.testing.assert_allclose(
        answers(model, np.array([1.0]))[0][0], MIXTURES["two"].responsibilities(1.0), rtol=1e-14
    )


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ParameterError, match=r"not installed: run pip install 'bactrian\[onnx\]'"):
        MIXTURES["two"].to_onnx()
