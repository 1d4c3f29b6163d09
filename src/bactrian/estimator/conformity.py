"""The checks of scikit-learn that no estimator of one feature can pass, each with its reason."""

from __future__ import annotations

import scipy

_COLUMNS = (
    "it looks for the columns of an X that it made one-dimensional itself, as it does where an "
    "estimator of one feature takes that"
)
_SEVERAL = "it fits an X of several features, where this estimator takes one feature"
_FLAT = "it wants a one-dimensional X refused, which is one feature and so is taken"


def failed_checks() -> dict[str, str]:
    """Return what ``check_estimator`` takes as ``expected_failed_checks``."""
    columns = [
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimator_sparse_array",
        "check_f_contiguous_array_estimator",
        "check_fit2d_1feature",
        "check_fit2d_1sample",
        "check_fit2d_predict1d",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_transformer_data_not_an_array",
        "check_transformer_general",
    ]
    # SciPy before 1.15 has no one-dimensional compressed arrays.
    if tuple(int(part) for part in scipy.__version__.split(".")[:2]) < (1, 15):
        columns.append("check_estimator_sparse_tag")
    several = [
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weights_not_overwritten",
        "check_sample_weights_shape",
    ]
    reasons = [(columns, _COLUMNS), (several, _SEVERAL), (["check_fit1d"], _FLAT)]
    return {name: reason for names, reason in reasons for name in names}
