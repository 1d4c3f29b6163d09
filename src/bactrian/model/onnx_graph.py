"""A mixture as an ONNX model of its posterior. The one module that knows the package onnx."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bactrian.errors import ParameterError
from bactrian.model.odds import odds_between, range_of

if TYPE_CHECKING:
    from bactrian.model.mixture import NormalMixture

_OPSET, _IR_VERSION = 17, 8  # of 2022, so that older runtimes read the model too


def to_onnx(mixture: NormalMixture, *, as_column: bool = False) -> Any:
    """Return the posterior as an ``onnx.ModelProto``, in float64; ``onnx.save`` writes it.

    Its input is ``x`` (n,). Its outputs are ``responsibilities`` (n, K), those of
    ``NormalMixture.responsibilities`` to rounding at any distance, NaN at NaN; and ``label`` (n,)
    int64, the position of the largest, counted from 0, and -1 at NaN.

    Parameters
    ----------
    as_column : bool
        Whether the input is a column (n, 1), which is what servers of models and pipelines of
        scikit-learn hand over.

    Raises
    ------
    ParameterError
        If onnx is not installed, or the components are too different in scale.

    Notes
    -----
    Source: derivation, "Log-odds for two components".
    """
    try:
        import onnx
    except ImportError:
        raise ParameterError(
            "An ONNX model is made with onnx, which is not installed: run "
            "pip install 'bactrian[onnx]'."
        ) from None
    from onnx import TensorProto, helper, numpy_helper

    constants = _constants(mixture)
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **node[3]) for node in _NODES],
        "posterior",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", 1] if as_column else ["n"])],
        [
            helper.make_tensor_value_info(
                "responsibilities", TensorProto.DOUBLE, ["n", mixture.n_components]
            ),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="bactrian",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


# Operator, inputs, outputs. The log-odds (n, K, K) of component j against k are two lines in u,
# and one over the sum of their exponentials over j is the posterior of k.
_NODES: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
    ("Reshape", ["x", "as_column"], ["column"], {}),
    ("IsNaN", ["column"], ["is_nan"], {}),
    ("Where", ["is_nan", "zero", "column"], ["number"], {}),
    ("Max", ["number", "low"], ["above"], {}),
    ("Min", ["above", "high"], ["inside"], {}),
    ("Reshape", ["inside", "as_cube"], ["cube"], {}),
    ("Sub", ["cube", "mean"], ["distance"], {}),
    ("Div", ["distance", "sd"], ["u"], {}),
    ("Mul", ["u", "a"], ["a_u"], {}),
    ("Add", ["a_u", "b"], ["one_line"], {}),
    ("Mul", ["u", "c"], ["c_u"], {}),
    ("Add", ["c_u", "d"], ["other_line"], {}),
    ("Mul", ["one_line", "other_line"], ["product"], {}),
    ("Add", ["product", "level"], ["log_odds"], {}),
    ("Exp", ["log_odds"], ["odds"], {}),
    ("ReduceSum", ["odds", "first"], ["total"], {"keepdims": 0}),
    ("Reciprocal", ["total"], ["share"], {}),
    ("Where", ["is_nan", "nan", "share"], ["responsibilities"], {}),
    ("ArgMax", ["share"], ["largest"], {"axis": 1, "keepdims": 0}),
    ("Reshape", ["is_nan", "as_row"], ["is_nan_row"], {}),
    ("Where", ["is_nan_row", "none", "largest"], ["label"], {}),
]


def _constants(mixture: NormalMixture) -> dict[str, Any]:
    """The numbers of the graph; those of pairs are (K, K), of component j against k."""
    k = mixture.n_components
    pairs = [[odds_between(mixture, j, i) for i in range(k)] for j in range(k)]
    found = {
        name: np.array([[getattr(odds, name) for odds in row] for row in pairs])
        for name in ("level", "mean", "sd", "a", "b", "c", "d")
    }
    # Of two components of weight zero neither is ever more probable than one that has any.
    found["level"][np.isnan(found["level"])] = 0.0
    low, high = range_of(mixture)
    return {
        **found,
        "low": np.array(low), "high": np.array(high),
        "zero": np.array(0.0), "nan": np.array(math.nan), "none": np.array(-1),
        "first": np.array([1]), "as_column": np.array([-1, 1]),
        "as_cube": np.array([-1, 1, 1]), "as_row": np.array([-1]),
    }  # fmt: skip
