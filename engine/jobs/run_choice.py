"""Which run a worker takes next: a pure function of the waiting runs, the leases and the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from engine.jobs.leases import Lease
from engine.jobs.queue_settings import QueueSettings
from engine.runs import Run

MAX_ATTEMPTS = 3
"""Times that a run is taken up by itself; after that, it probably ended its workers, and a person has to resume it."""


def choose_run(waiting: Sequence[Run], leases: Sequence[Lease], settings: QueueSettings, host: str) -> Run | None:
    """Choose the run that a worker on a machine takes next. None: there is none that it may take now.

    Args:
        waiting: the runs that wait, in the order of the queue.
        leases: all leases, also those that are over.
        settings: the limits.
        host: the machine of the worker.
    """
    live = [lease for lease in leases if lease.is_live]
    if sum(lease.holder.host == host for lease in live) >= settings.runs_per_machine:
        return None
    taken = {lease.run for lease in live}
    by_account: Mapping[str, int] = Counter(lease.account for lease in live)
    limit = settings.runs_per_person
    return next(
        (run for run in waiting if run.id not in taken and (limit is None or by_account[run.request.account] < limit)),
        None,
    )


def find_abandoned(runs_by_id: Mapping[str, Run], leases: Sequence[Lease], host: str) -> list[Run]:
    """Find the runs whose worker died with them, as in a power cut: their leases were never released.

    Args:
        runs_by_id: all runs.
        leases: all leases.
        host: this machine.
    """
    dead = (lease for lease in leases if not lease.is_live and lease.attempt < MAX_ATTEMPTS)
    found = (runs_by_id.get(lease.run) for lease in dead)
    return [run for run in found if run is not None and is_takeable(run, host)]


def is_takeable(run: Run, host: str) -> bool:
    """Return whether a worker that holds the lease of a run may begin it."""
    if run.folder.cancel_marker.exists():
        return False
    # The lease says more than the state about a run on another machine, whose processes cannot be seen.
    is_elsewhere = run.status == "running" and run.state.host not in {None, host}
    return run.status in {"queued", "interrupted"} or is_elsewhere
