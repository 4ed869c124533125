"""The connection to a cluster: one that is named, or worker processes on this machine.

No address is contacted but the one that is named. Worker processes on this machine listen on 127.0.0.1 alone, and talk
through TLS with a key of their own: whoever reaches a Dask scheduler without one can run any code as its user.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from engine.cluster.worker_environment import plan_worker_environment
from engine.errors import InputError
from engine.storage.scratch import own_temporary_folder

if TYPE_CHECKING:
    from distributed.security import Security

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
    """

    scheduler: str | None = None
    local_workers: int | None = None
    connect_s: float = 20.0

    def check(self) -> None:
        """Check that the choice is one.

        Raises:
            InputError: both are given, or the address is none.
        """
        if self.scheduler is not None and self.local_workers is not None:
            raise InputError("Give --scheduler or --local-cluster, and not both.")
        if self.scheduler is not None and not _ADDRESS.fullmatch(self.scheduler):
            raise InputError(f"The address of a scheduler is tcp://HOST:PORT or tls://HOST:PORT, not {self.scheduler}.")


class ClusterAddress(msgspec.Struct, frozen=True):
    """Where the scheduler of a cluster listens.

    Attributes:
        scheduler: its address.
        connect_s: time that it has to answer.
        certificate: certificate of a cluster of our own, in PEM; it is also its authority.
        key: the private key of that certificate, in PEM.
    """

    scheduler: str
    connect_s: float
    certificate: str | None = None
    key: str | None = None


@contextmanager
def open_cluster(choice: ClusterChoice) -> Iterator[ClusterRunner | None]:
    """Connect to the chosen cluster, or start it; None if there is none. See the two functions below for the errors."""
    with provide_cluster(choice) as address, connect_cluster(address) as runner:
        yield runner


@contextmanager
def provide_cluster(choice: ClusterChoice) -> Iterator[ClusterAddress | None]:
    """Start worker processes on this machine if they are wanted, and return the address of the cluster.

    Raises:
        InputError: the choice is none, or Dask is not installed.
    """
    choice.check()
    if choice.local_workers is not None:
        _check_installed()
        with _start_workers(choice.local_workers, choice.connect_s) as address:
            yield address
    else:
        yield None if choice.scheduler is None else ClusterAddress(choice.scheduler, choice.connect_s)


@contextmanager
def connect_cluster(address: ClusterAddress | None) -> Iterator[ClusterRunner | None]:
    """Connect to a cluster; None if there is none.

    Raises:
        InputError: Dask is not installed, or the scheduler does not answer.
    """
    if address is None:
        yield None
        return
    _check_installed()
    # Dask takes a second to import, and only a cluster needs it.
    from distributed import Client  # noqa: PLC0415

    from engine.cluster.runner import ClusterRunner  # noqa: PLC0415

    try:
        client = Client(
            address.scheduler, timeout=address.connect_s, security=_build_security(address), set_as_default=False
        )
    except OSError as error:
        raise InputError(
            f"The scheduler {address.scheduler} does not answer within {address.connect_s:g} s: start it with "
            "`dask scheduler`, or check the address."
        ) from error
    with client:
        yield ClusterRunner(client)


def _check_installed() -> None:
    if importlib.util.find_spec("distributed") is None:
        raise InputError("A cluster needs Dask: install it with pip install 'veil-workbench[cluster]'.")


def _build_security(address: ClusterAddress) -> Security | None:
    """Return the keys of a cluster of our own; None: those of Dask's own configuration."""
    if address.key is None:
        return None
    from distributed.security import Security  # noqa: PLC0415

    return Security(
        require_encryption=True,
        tls_ca_file=address.certificate,
        tls_client_cert=address.certificate,
        tls_client_key=address.key,
    )


@contextmanager
def _start_workers(count: int, connect_s: float) -> Iterator[ClusterAddress]:
    import dask.config  # noqa: PLC0415
    from distributed import LocalCluster  # noqa: PLC0415
    from distributed.security import Security  # noqa: PLC0415

    security = Security.temporary()
    with (
        own_temporary_folder() as folder,
        dask.config.set(plan_worker_environment()),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            protocol="tls://",
            security=security,
            # Without an address, the pages with figures would be on all interfaces.
            dashboard_address=f"{_LOOPBACK}:0",
            worker_dashboard_address=f"{_LOOPBACK}:0",
            # Pictures lie outside of what Dask counts, and a worker that it restarts would begin again.
            memory_limit=0,
            silence_logs=logging.ERROR,
            local_directory=str(folder),
        ) as cluster,
    ):
        yield ClusterAddress(cluster.scheduler_address, connect_s, security.tls_client_cert, security.tls_client_key)
