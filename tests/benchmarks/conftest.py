"""What the measurements share: a table of figures, printed at the end, each with its limit where it has one.

    make benchmarks        # or: python -m pytest -n0 -m performance tests/benchmarks

Nothing here runs in `make test`: a busy machine is no fault of the code.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.workbench.conftest import workbench

__all__ = ["workbench"]

_FIGURES = pytest.StashKey[list["Figure"]]()


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        name: what was measured.
        value: the median where several were taken.
        unit: as printed.
        limit: the value must stay below it; None where there is no limit.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def exceeded(self) -> bool:
        return self.limit is not None and self.value >= self.limit


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/benchmarks" in str(item.path):
            item.add_marker(pytest.mark.performance)


def pytest_configure(config):
    config.stash[_FIGURES] = []


@pytest.fixture
def record_figure(request) -> Callable[..., None]:
    """Put a figure into the table; the test fails at its end if a limit was exceeded."""
    taken: list[Figure] = []

    def record(name: str, value: float, unit: str, limit: float | None = None) -> None:
        taken.append(Figure(name, value, unit, limit))

    yield record
    request.config.stash[_FIGURES].extend(taken)
    exceeded = [f"{one.name}: {one.value:.3g} {one.unit}, limit {one.limit:.3g}" for one in taken if one.exceeded]
    assert not exceeded


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash[_FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        limit = "" if figure.limit is None else f"   limit {figure.limit:g}{'   EXCEEDED' if figure.exceeded else ''}"
        terminalreporter.write_line(f"{figure.name:<{width}}  {figure.value:>10.3f} {figure.unit:<6}{limit}")
