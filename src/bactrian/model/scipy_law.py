"""A mixture as SciPy's own random variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bactrian.errors import ParameterError

if TYPE_CHECKING:
    from bactrian.model.mixture import NormalMixture


def to_scipy(mixture: NormalMixture) -> Any:
    """Return the mixture as a ``scipy.stats.Mixture`` of ``scipy.stats.Normal``.

    Raises
    ------
    ParameterError
        If SciPy is older than 1.15, which has no mixtures.
    """
    from scipy import __version__, stats

    if not hasattr(stats, "Mixture"):
        raise ParameterError(
            f"SciPy {__version__} has no mixtures: update it with pip install 'scipy>=1.15'."
        )
    components = [
        stats.Normal(mu=mean, sigma=sd)
        for mean, sd in zip(mixture.means.tolist(), mixture.sds.tolist(), strict=True)
    ]
    return stats.Mixture(components, weights=mixture.weights)
