"""The page that ``calibration.py`` writes: what was kept, as Markdown."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import calibration_known
import numpy as np
from calibration_designs import (
    DOUBTFUL,
    NORMAL,
    NULL_SIZES,
    ONE_HUMP,
    P_DIP,
    P_EM,
    PAIR_SIZES,
    PAIRS,
    POWER,
    POWER_SIZES,
    PUBLISHED,
    PUBLISHED_SIZES,
    RATIO,
    ROOT,
    SHAPES,
    SHOWN,
    SINGLE_MODE,
    TWO_HUMPS,
    Array,
    Cell,
)
from scale_page import table

from bactrian.infer.null_law import null_law

PAGE = ROOT / "docs" / "calibration.md"
LEVELS = (0.10, 0.05, 0.01)
LEVEL = 0.05
NAMES = {
    "em": "EM-test",
    "equal": "EM-test, equal variances",
    "ratio": "likelihood ratio, table",
    "bootstrap": "likelihood ratio, bootstrap",
    "dip": "dip test",
}
# EM(3) at 5 % in Table 4 of Chen, Li and Fu (2012), in per cent, of 1,000 samples.
_THEIR_SAMPLES = 1000
THEIRS = {
    200: (25.8, 23.2, 20.0, 33.5, 40.5),
    400: (64.8, 51.3, 44.1, 70.2, 60.2),
}
LITERATURE = {
    "faithful_waiting": ("Old Faithful, waiting", "2 (Azzalini and Bowman 1990, recalled)"),
    "faithful_eruptions": ("Old Faithful, eruptions", "2 (Azzalini and Bowman 1990, recalled)"),
    "acidity": (
        "acidity of lakes",
        "2 with equal sds (vignette of mclust); 3 (Richardson and Green 1997, recalled)",
    ),
    "enzyme": ("enzyme", "3 to 5 (Richardson and Green 1997, recalled)"),
    "galaxies_mass": (
        "galaxies",
        "3 to 7 (Roeder 1990, recalled); 6 (Richardson and Green 1997, recalled)",
    ),
    "stamps": (
        "Hidalgo stamps",
        "at least 7 (Izenman and Sommer 1988, by Ishwaran, James and Sun 2001)",
    ),
    "s12_single_normal": ("drawn from one normal", "1, by construction"),
}


def p_values(law: str, n: int, test: str) -> Array:
    """The p-values of one test in the samples of a design; NaN where there is none."""
    if test in ("equal", "bootstrap", "more"):
        return Cell(law, n, test).found[:, 0]
    found = Cell(law, n, "fitted").found
    if test != "ratio":
        return found[:, P_EM if test == "em" else P_DIP]
    return np.array([null_law().tail(float(t), n).p_value for t in found[:, RATIO]])


def rejected(law: str, n: int, test: str, level: float = LEVEL) -> tuple[float, int]:
    """The share of samples in which a test rejects, and how many samples it was made in."""
    p = p_values(law, n, test)
    p = p[~np.isnan(p)]
    return (float((p <= level).mean()), p.size) if p.size else (math.nan, 0)


def percent(share: float) -> str:
    """A share in per cent, of a few hundred samples or more."""
    return "–" if math.isnan(share) else f"{100.0 * share:.1f}"


def marked(share: float, size: int, level: float) -> str:
    """A share, with an arrow where it is further from the level than two standard errors."""
    if size == 0:
        return "–"
    away = share - level
    outside = abs(away) > 2.0 * math.sqrt(level * (1.0 - level) / size)
    return percent(share) + (("↑" if away > 0.0 else "↓") if outside else "")


def sizes(rows: Iterable[tuple[str, str, int, str]], head: Sequence[str]) -> str:
    """A table of rejections at all levels: of each (label, law, rows, test)."""
    lines = []
    for label, law, n, test in rows:
        found = [rejected(law, n, test, level) for level in LEVELS]
        if found[0][1]:
            cells = [marked(*each, level=level) for each, level in zip(found, LEVELS, strict=True)]
            lines.append([label, f"{n:,}", f"{found[0][1]:,}", *cells])
    return table([*head, *(f"{100.0 * level:g} %" for level in LEVELS)], lines)


def size_table() -> str:
    """Samples of one normal."""
    tests = ("em", "equal", "ratio", "bootstrap")
    rows = [(NAMES[test], "normal", n, test) for test in tests for n in NULL_SIZES]
    return sizes(rows, ("test", "rows", "samples"))


def more_table() -> str:
    """Samples of two components."""
    rows = [(law, law, n, "more") for law in PAIRS for n in PAIR_SIZES]
    return sizes(rows, ("two components", "rows", "samples"))


def said(law: str, n: int, what: int, test: str = "fitted") -> float:
    """How often the headline of the verdict says so, among the samples that have one."""
    found = Cell(law, n, test).found[:, SHOWN if test == "fitted" else 0]
    found = found[~np.isnan(found)]
    return float((found == what).mean()) if found.size else math.nan


def shape_table() -> str:
    """Samples of one hump that is not normal."""
    head = ["law", "rows", "samples", *(NAMES[test] for test in ("em", "equal", "dip")),
            "one hump", "a single mode", "doubtful", "two modes", "two humps"]  # fmt: skip
    lines = []
    for law in SHAPES:
        for n in NULL_SIZES:
            found = [rejected(law, n, test) for test in ("em", "equal", "dip")]
            words = (ONE_HUMP, SINGLE_MODE, DOUBTFUL, TWO_HUMPS)
            if found[0][1]:
                cells = [percent(share) for share, _ in found]
                cells += [percent(said(law, n, what)) for what in words]
                cells.append(percent(said(law, n, TWO_HUMPS, "judged")))
                lines.append([law, f"{n:,}", f"{found[0][1]:,}", *cells])
    return table(head, lines)


def power_table() -> str:
    """Samples of two components, tested for one."""
    tests = ("em", "equal", "ratio", "dip")
    head = ["two components", "rows", "samples", *(NAMES[test] for test in tests)]
    lines = []
    for law in POWER:
        for n in POWER_SIZES:
            found = [rejected(law, n, test) for test in tests]
            if found[0][1]:
                cells = [percent(share) for share, _ in found]
                lines.append([law, f"{n:,}", f"{found[0][1]:,}", *cells])
    return table(head, lines)


def published_table() -> str:
    """Samples of three and four components, tested for two, beside the published shares."""
    lines = []
    for n in PUBLISHED_SIZES:
        for law, theirs in zip(PUBLISHED, THEIRS[n], strict=True):
            share, size = rejected(law, n, "more")
            if size:
                lines.append([law, f"{n:,}", f"{size:,}", percent(share), f"{theirs:.1f}",
                              f"{_apart(share, size, theirs / 100.0):+.1f}"])  # fmt: skip
    head = ["weights", "rows", "samples", "here", "published", "difference in standard errors"]
    return table(head, lines)


def _apart(ours: float, size: int, theirs: float) -> float:
    """The difference of two shares in its standard errors."""
    spread = ours * (1.0 - ours) / size + theirs * (1.0 - theirs) / _THEIR_SAMPLES
    return (ours - theirs) / math.sqrt(spread)


def known_table(found: Sequence[dict[str, Any]]) -> str:
    """The tests of known data sets."""
    head = ["data", "rows", "values", "EM-test, 1", "2", "3", "table, 1", "bootstrap, 1",
            "recommended", "in the literature"]  # fmt: skip
    lines = []
    for one in found:
        name, others = LITERATURE[one["set"]]
        ps = [_p(p) for p in one["em"]]
        ps += [_p(one[test]["p_value"], one[test]["is_bound"]) for test in ("ratio", "bootstrap")]
        kind = ", equal sds" if one["equal"] and one["recommended"] > 1 else ""
        lines.append([name, f"{one['rows']:,}", f"{one['values']:,}", *ps,
                      f"{one['recommended']}{kind}", others])  # fmt: skip
    return table(head, lines)


def _p(p: float | None, is_bound: bool = False) -> str:
    """A p-value to two digits."""
    if p is None:
        return "–"
    if p < 1e-4 and not is_bound:
        return "< 0.0001"
    return ("≤ " if is_bound else "") + f"{p:.2g}"


def times_table(found: dict[str, Any]) -> str:
    """What the tests cost."""
    rows = {
        "em": "EM-test of one normal against two, 272 rows",
        "em_equal": "the same with equal variances",
        "em_more": "EM-test of two components against more, 272 rows",
        "em_sketch": f"EM-test of a sketch of 1,000,000 rows ({found['nodes']:,} nodes)",
        "table": "p-value of the likelihood ratio from the table, 272 rows, the fit being there",
        "bootstrap": "bootstrap of 999 samples of 272 rows, two processes, their start included",
    }
    lines = [[text, _milliseconds(found[key])] for key, text in rows.items()]
    return table(["what", "ms"], lines)


def _milliseconds(value: float) -> str:
    """Two or three digits."""
    return f"{value:.2g}" if value < 100.0 else f"{value:,.0f}"


def span(tests: Sequence[str], laws: Iterable[str], numbers: Iterable[int]) -> str:
    """The range of rejections at 5 % over designs, in per cent."""
    laws, numbers = tuple(laws), tuple(numbers)
    all_ = [rejected(law, n, test) for law in laws for n in numbers for test in tests]
    return _range([share for share, _ in all_])


def short() -> str:
    """The few sentences that most readers came for."""
    quick, careful = (
        [said(law, n, TWO_HUMPS, test) for law in SHAPES for n in NULL_SIZES]
        for test in ("fitted", "judged")
    )
    dips = [rejected(law, n, "dip")[0] for law in SHAPES for n in NULL_SIZES]
    lines = [
        f"- Under one normal, a test at 5 % rejects in {span(('em',), NORMAL, NULL_SIZES)} of the "
        f"samples by the EM-test, in {span(('equal',), NORMAL, NULL_SIZES)} by that for equal "
        f"variances, in {span(('ratio',), NORMAL, NULL_SIZES)} by the likelihood ratio and its "
        f"table, in {span(('bootstrap',), NORMAL, NULL_SIZES)} by its bootstrap.",
        f"- Under two components, the EM-test of two against more rejects at 5 % in "
        f"{span(('more',), PAIRS, PAIR_SIZES)}.",
        "- Under one hump that is not normal the tests reject too, the oftener the more rows there "
        "are: a rejection says that the data are not one normal. The fit has two modes without a "
        f"doubt in {_range(quick)} of the samples of such a law; the headline of the verdict calls "
        f"{_range(careful)} of the samples two humps, and no more than {_range(dips)} where the "
        "dip test is installed.",
    ]
    return "\n".join(textwrap.fill(line, 100, subsequent_indent="  ") for line in lines)


def _range(shares: Sequence[float]) -> str:
    """The smallest and the largest share, in per cent."""
    known = [100.0 * share for share in shares if not math.isnan(share)]
    return f"{min(known):.1f} to {max(known):.1f} %" if known else "–"


def page() -> str:
    """The page."""
    tabled = sorted({column.n_replicates for column in null_law().columns})
    replicates = " to ".join(f"{number:,}" for number in (tabled[0], tabled[-1])[: len(tabled)])
    judged = min(len(Cell(law, n, "judged").found) for law in SHAPES for n in NULL_SIZES)
    parts: list[str] = [HEAD, "## In short", short(), SIZE.format(replicates=replicates)]
    parts += [size_table(), MORE, more_table(), SHAPE.format(judged=judged), shape_table()]
    parts += [POWER_TEXT, power_table()]
    parts += [PUBLISHED_TEXT, published_table()]
    of: Sequence[tuple[str, str, Callable[[Any], str]]] = (
        ("known", KNOWN.format(replicates=calibration_known.N_REPLICATES), known_table),
        ("times", TIMES, times_table),
    )
    for name, text, made in of:
        found = calibration_known.kept(name)
        if found is not None:
            parts += [text, made(found)]
            if name == "times":
                parts.append("\n".join(found["machine"]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def write() -> None:
    """Write it."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


HEAD = """\
# How often the tests of the number of components reject

*Written by `python benchmarks/calibration.py`; do not edit.*

A test of size 5 % should reject in 5 of 100 samples of its hypothesis, and in as many as it can of
others. Here samples were drawn, and all tests of a design saw the same ones. Shares are per cent of
the samples. Where there is a nominal share, ↑ marks one that is larger by more than two binomial
standard errors, ↓ one that is smaller; of a hundred such shares chance alone would mark five. A
share near 50 % has a standard error of 2.2 in 500 samples and of 1.6 in 1,000."""

SIZE = """\
## One normal: how often one is called too few

All tests are of one component against two. The bootstrap draws up to 999 samples and ends when 20
of them have a statistic as large as that of the data. The table rests on {replicates} samples for
each number of rows that it has, drawn with other seeds than these."""

MORE = """\
## Two components: how often two are called too few

The EM-test of two components against more. Its law is that of large samples, and the constant of
its penalty comes from a formula that Chen, Li and Fu (2012) fitted to simulations of such designs.
sds are one unless said otherwise."""

SHAPE = """\
## One hump that is not normal

What the tests reject is one normal. A skewed law, one with heavy tails and one with short tails are
none, and with enough rows a mixture of two normals is the better description of each, though there
is one hump and no group. At 5 %.

The columns after the dip test are what the fit of two components looks like: one hump is enough;
two components but a single mode; two modes with a doubt (few rows in one, or a shallow valley);
two modes without one. The last column is how often the headline of `fit.verdict()` calls these two
humps, because the fit describes the data too (of fewer samples: {judged}; with 99 drawn for the
test). That is without the package `diptest`: where it is installed, two humps are claimed only if
the dip test rejects a single mode as well, no more often than its own column says."""

POWER_TEXT = """\
## Two components: how often one is called too few

At 5 %; sds are one unless said otherwise. The dip test (Hartigan and Hartigan 1985) asks another
question, whether the density has one mode; two equal components have one until they are two sds
apart. Of Chen and Li (2009), whose test this is, only the beginning could be read and none of the
simulated powers, so these designs are our own."""

PUBLISHED_TEXT = """\
## Three and four components: how often two are called too few

Five designs of Table 4 of Chen, Li and Fu (2012, JASA 107, 1096–1105), at 5 %, beside what is
printed there for the same test, EM(3), from 1,000 samples; of the other three the power is close to
100 %. Three components have means −2.5, 0 and 2.5, four have means −3, −1, 1 and 3; sds are one
unless said otherwise. The table was read in a copy that had been converted from the printed page.
The last design can hardly be what gave the printed numbers: in five samples of 200 rows that were
looked at, BIC too preferred three components, by 2 to 16. A number may have been lost in the copy
or in print."""

KNOWN = """\
## Known data

p-values of the EM-test of one component against two, two against more, three against more; of the
likelihood ratio of one against two by the table and by a bootstrap of {replicates} samples; and the
number of components that `bt.compare` recommends among one to seven, with equal and with different
variances, beside numbers in the literature. “Recalled” marks what we did not read again."""

TIMES = """\
## Time

Milliseconds by the library alone, the median of several runs; of the bootstrap one run. Other
programs were running at the time: see the load."""
