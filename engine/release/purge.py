"""Removing what shows people from a run, and keeping what proves what was done with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from engine import access, audit, runs
from engine.access import Person
from engine.errors import SignOffError, TargetError
from engine.record import Document
from engine.release.recovery import find_interrupted_release, log_withdrawal
from engine.release.snapshot import lock_run_for_signing
from engine.runs import Run
from engine.storage.data_folder import DataFolder


class PurgeReport(Document, frozen=True):
    """What was removed: paths relative to the data folder, and how many bytes they held."""

    run: str
    removed: tuple[str, ...]
    bytes: int
    kept_elsewhere: str | None


def purge(data: DataFolder, run_id: str, person: Person, reason: str) -> PurgeReport:
    """Remove the library's copy of a run's source, what was made to look at, and what an interrupted release left.

    What was made to look at are thumbnails, drafts and copies for browsers.

    The record, the amendments, the signatures, the releases and the log stay: they show nobody. A source that lies
    outside of the library is not Veil's to remove; the result names it.

    Args:
        data: the data folder.
        run_id: the run.
        person: an administrator.
        reason: why; goes on record.

    Raises:
        AccessError: the role does not allow it.
        RunError: there is no such run.
        SignOffError: the run is at work, or there is no reason.
        TargetError: something cannot be removed.
        AuditError: it cannot be put on record; then nothing is removed.
    """
    person = access.authorise(data, person, "purge")
    if not reason.strip():
        raise SignOffError("A purge says why; give a reason.")
    run = runs.load_run(data, run_id)
    if run.status in {"queued", "running"}:
        raise SignOffError(f"The run {run.id} is at work; wait for it or cancel it before it is purged.")
    with lock_run_for_signing(run):
        going = [path for path in _list_removable_paths(data, run) if path.exists()]
        size = sum(_measure_bytes(path) for path in going)
        names = tuple(str(path.relative_to(data.root)) for path in going)
        if found := find_interrupted_release(data, run):
            log_withdrawal(data, run, found, "the run was purged")
        _log_purge(data, run, person, reason, len(names), size)
        for path in going:
            _remove_path(path)
    outside = None if _is_in_library(data, run.source) or not run.source.exists() else str(run.source)
    return PurgeReport(run.id, names, size, outside)


def _list_removable_paths(data: DataFolder, run: Run) -> Iterator[Path]:
    if _is_in_library(data, run.source) and not _is_used_by_other_runs(data, run):
        yield run.source
    yield run.folder.thumbnails
    yield run.folder.drafts
    yield run.folder.browser_copies
    yield from run.folder.releases.glob(".[0-9]*")


def _is_in_library(data: DataFolder, source: Path) -> bool:
    return source.resolve().is_relative_to(data.library.resolve())


def _is_used_by_other_runs(data: DataFolder, run: Run) -> bool:
    """Whether another run that is not purged is of the same file: its source is not removed under it."""
    purged = {entry.run for entry in audit.read_entries(data.audit, kinds=["purge"])}
    others = (other for other in runs.read_register(data).runs if other.id != run.id and other.id not in purged)
    return any(other.source.resolve() == run.source.resolve() for other in others)


def _log_purge(  # noqa: PLR0913, PLR0917 - what is put on record
    data: DataFolder, run: Run, person: Person, reason: str, path_count: int, size_bytes: int
) -> None:
    audit.append(
        data.audit,
        audit.Event(
            actor=person.actor,
            kind="purge",
            run=run.id,
            details={"paths": path_count, "bytes": size_bytes},
            reason=reason,
        ),
    )


def _measure_bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove_path(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise TargetError(f"{path} cannot be removed ({error.strerror}); purge the run again once it can.") from error
