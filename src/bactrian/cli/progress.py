"""How far a long pass is: rows, rows per second and time left, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bactrian.data.passes import Progress

_DELAY = 1.0  # seconds; quicker passes show nothing


@contextmanager
def shown(quiet: bool, unit: str = " rows") -> Iterator[Progress | None]:
    """What to tell of progress, in units; None where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    with tqdm(
        unit=unit,
        unit_scale=bool(unit),  # 1.2M of rows, but 3 of 10 fits
        leave=False,
        delay=_DELAY,
        file=sys.stderr,
        dynamic_ncols=True,
    ) as bar:  # fmt: skip

        def progress(done: int, total: int | None) -> None:
            """Move the bar; a new pass begins again at its left end."""
            if done < bar.n:
                bar.reset()
            bar.total = total
            bar.update(done - bar.n)

        yield progress
