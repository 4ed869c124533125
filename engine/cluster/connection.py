"""The connection to a cluster: one that is named, or worker processes on this machine.

No address is contacted but the one that is named. Worker processes on this machine listen on 127.0.0.1 alone, and talk
through TLS with a key of their own: whoever reaches a Dask scheduler without one can run any code as its user.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.storage.scratch import own_temporary_folder

if TYPE_CHECKING:
    from distributed import Client

    from engine.cluster.runner import ClusterRunner

_ADDRESS = re.compile(r"(tcp|tls)://[^/\s]+:\d+")
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ClusterChoice:
    """Where local detectors run.

    Attributes:
        scheduler: address of a Dask scheduler, as "tcp://host:8786". None: no cluster is contacted.
        local_workers: number of worker processes on this machine. None: none are started.
        connect_s: time that a scheduler has to answer.

    Raises:
        InputError: both are given, or the address is none.
    """

    scheduler: str | None = None
    local_workers: int | None = None
    connect_s: float = 20.0

    def __post_init__(self) -> None:
        if self.scheduler is not None and self.local_workers is not None:
            raise InputError("Give --scheduler or --local-cluster, and not both.")
        if self.scheduler is not None and not _ADDRESS.fullmatch(self.scheduler):
            raise InputError(f"The address of a scheduler is tcp://HOST:PORT or tls://HOST:PORT, not {self.scheduler}.")

    @property
    def is_cluster(self) -> bool:
        """True if detections run on a cluster."""
        return self.scheduler is not None or self.local_workers is not None


@contextmanager
def open_cluster(choice: ClusterChoice) -> Iterator[ClusterRunner | None]:
    """Connect to the chosen cluster, or start it; None if there is none.

    Raises:
        InputError: Dask is not installed, or the scheduler does not answer.
    """
    if not choice.is_cluster:
        yield None
        return
    try:
        # Dask takes a second to import, and only a cluster needs it.
        from engine.cluster.runner import ClusterRunner  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            f"A cluster needs Dask ({error}): install it with pip install 'veil-workbench[cluster]'."
        ) from error
    connect = (
        _connect(choice.scheduler, choice.connect_s) if choice.scheduler else _start_workers(choice.local_workers or 1)
    )
    with connect as client:
        yield ClusterRunner(client)


@contextmanager
def _connect(address: str, timeout_s: float) -> Iterator[Client]:
    from distributed import Client  # noqa: PLC0415

    try:
        client = Client(address, timeout=timeout_s, set_as_default=False)
    except OSError as error:
        raise InputError(
            f"The scheduler {address} does not answer within {timeout_s:g} s: start it with `dask scheduler`, "
            "or check the address."
        ) from error
    with client:
        yield client


@contextmanager
def _start_workers(count: int) -> Iterator[Client]:
    from distributed import Client, LocalCluster  # noqa: PLC0415
    from distributed.security import Security  # noqa: PLC0415

    with (
        own_temporary_folder() as folder,
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            protocol="tls://",
            security=Security.temporary(),
            # Without an address, the pages with figures would be on all interfaces.
            dashboard_address=f"{_LOOPBACK}:0",
            worker_dashboard_address=f"{_LOOPBACK}:0",
            # Pictures lie outside of what Dask counts, and a worker that it restarts would begin again.
            memory_limit=0,
            silence_logs=logging.ERROR,
            local_directory=str(folder),
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
