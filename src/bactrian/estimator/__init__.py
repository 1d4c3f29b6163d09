"""GaussianMixture1D: the certified fit, in the form of a scikit-learn estimator."""

try:
    import sklearn  # noqa: F401
except ImportError:
    raise ImportError(
        "bactrian.estimator needs scikit-learn, which is not installed: run "
        "pip install 'bactrian[sklearn]', or fit with bactrian.fit, which does without it"
    ) from None

from bactrian.estimator.gaussian_mixture import GaussianMixture1D

__all__ = ["GaussianMixture1D"]
