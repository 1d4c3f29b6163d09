"""What holds for every test: examples do not change between runs; a full install skips nothing."""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator
from typing import Any, TypeVar

import pytest
from hypothesis import settings

# A test that fails by luck tells nobody what broke. To look for new examples, run pytest with
# --hypothesis-profile=default.
settings.register_profile("same examples in every run", derandomize=True, deadline=None)
settings.load_profile("same examples in every run")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# The reasons that hold in a complete environment too: what pip does not bring.
NO_JAVA = "Java is not there and cannot be installed"
NO_CHROMIUM = "Chromium is not there and cannot be installed"
NO_POSTGRESQL = "PostgreSQL is not there and cannot be installed"
NOT_BY_PIP = (NO_JAVA, NO_POSTGRESQL, NO_CHROMIUM)
FORBID_SKIPS = bool(os.environ.get("BACTRIAN_FORBID_SKIPS"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where every optional package is installed."""
    report = yield
    return _without_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself."""
    report = yield
    return _without_skip(report)


def _without_skip(report: Report) -> Report:
    """The report, failed if it was skipped and skips are forbidden."""
    if FORBID_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        if any(reason in str(report.longrepr) for reason in NOT_BY_PIP):
            return report
        report.outcome = "failed"
        report.longrepr = f"skipped in a complete environment: {report.longrepr}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give what is to be started once to one process.

    The tests of clusters, which go first; of the site, which is built once; and of the browser.
    """
    if config.getoption("dist") != "load":
        return None
    scheduling: Any = importlib.import_module("xdist.scheduler").LoadScopeScheduling

    class Scheduler(scheduling):  # type: ignore[misc]  # its base is imported only where it is
        """Tests one by one, and together those of clusters, of the site, and of pages."""

        def _split_scope(self, nodeid: str) -> str:
            """What a test belongs to."""
            shared = ("test_clusters.py", "test_site.py", "test_live.py")
            return next((name for name in shared if name in nodeid), nodeid)

    return Scheduler(config, log)
