"""Draw a fit with its cut, a Q-Q plot and the paths of four methods, and save them side by side.

Every method draws on the Axes it is given and returns them, so pictures go into a figure of your
own. What is drawn is there as numbers too, which is how this program checks it.

Install: pip install 'bactrian[plot]'
"""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import bactrian as bt
from bactrian.present.plots.files import as_svg


def main() -> None:
    faithful = bt.datasets.load("faithful")
    fit = bt.fit(faithful, column="waiting")
    figure = Figure(figsize=(12.0, 4.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3)

    assert fit.plot(left, threshold=True) is left
    (total,) = [line for line in left.lines if line.get_label() == "mixture"]
    np.testing.assert_allclose(total.get_ydata(), fit.mixture.pdf(total.get_xdata()))
    assert left.get_xlabel() == "waiting"

    # The band holds 95 % of samples drawn from the fit and fitted likewise, whole curves of them.
    fit.plot_qq(middle, rng=1)
    assert len(middle.collections) == 1

    penguins = bt.datasets.load("penguins")
    by = {
        method: bt.fit(penguins, column="body_mass", method=method)
        for method in ("em", "gradient", "lbfgs", "newton")
    }
    by["em"].plot_path(by["gradient"], by["lbfgs"], by["newton"], ax=right)
    for text in right.get_legend().get_texts():
        print(text.get_text())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.png"
        figure.savefig(path, dpi=150)
        assert path.stat().st_size > 10_000
    assert as_svg(left) == as_svg(left)


if __name__ == "__main__":
    main()
