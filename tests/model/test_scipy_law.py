"""The same law in SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture

MIXTURES = [
    NormalMixture([1.0], [3.0], [2.0]),
    NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]),
    NormalMixture([0.2, 0.3, 0.5], [-3.0, 0.0, 4.0], [1.0, 0.1, 2.0]),
]


@pytest.mark.skipif(not hasattr(scipy.stats, "Mixture"), reason="SciPy is older than 1.15")
@pytest.mark.parametrize("mixture", MIXTURES, ids=["one", "two", "three"])
def test_it_is_the_same_law(mixture: NormalMixture) -> None:
    law = mixture.to_scipy()
    assert isinstance(law, scipy.stats.Mixture)
    x = np.linspace(-8.0, 12.0, 41)
    np.testing.assert_allclose(law.pdf(x), mixture.pdf(x), rtol=1e-12, atol=0.0)
    np.testing.assert_allclose(law.cdf(x), mixture.cdf(x), rtol=1e-12, atol=0.0)
    np.testing.assert_allclose(law.ccdf(x), mixture.sf(x), rtol=1e-12, atol=0.0)
    assert law.mean() == pytest.approx(mixture.mean(), rel=1e-12, abs=1e-12)
    assert law.variance() == pytest.approx(mixture.var(), rel=1e-12)


def test_an_older_scipy_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(scipy.stats, "Mixture", raising=False)
    with pytest.raises(ParameterError, match=r"SciPy \S+ has no mixtures: .*'scipy>=1.15'"):
        MIXTURES[0].to_scipy()
