"""The environment of the processes that a cluster computes in."""

from __future__ import annotations

import os

_MALLOC_SETTING = "MALLOC_TRIM_THRESHOLD_"
"""Dask sets this for its workers, so that free memory goes back to the system at once. The system then hands it out
again, page by page, for every layer of a network: detectors took ten times the page faults, and longer."""
_CONFIGURATION_KEY = "distributed.nanny.pre-spawn-environ"


def plan_worker_environment() -> dict[str, object]:
    """Return the part of Dask's configuration with the environment of its workers, without what slows detectors."""
    import dask.config  # noqa: PLC0415 - Dask takes a second to import, and only a cluster needs it

    variables = dask.config.get(_CONFIGURATION_KEY)
    return {_CONFIGURATION_KEY: {name: value for name, value in variables.items() if name != _MALLOC_SETTING}}


def restore_memory_allocation() -> None:
    """Take Dask's setting from this worker, for the detectors that it starts; others may have started the worker."""
    os.environ.pop(_MALLOC_SETTING, None)
