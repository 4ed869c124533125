"""Purge a run: remove the files that show people, keep the documents that prove what was done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from engine import audit, runs
from engine.access.run_context import RunContext
from engine.errors import SignOffError, TargetError
from engine.record import Document
from engine.release.recovery import find_interrupted_release, log_withdrawal
from engine.release.snapshot import lock_run_for_signing
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.scratch import find_left_behind


class PurgeReport(Document, frozen=True):
    """What a purge removed.

    Attributes:
        run: Identifier of the run.
        removed: Paths relative to the data folder.
        bytes: Size of all removed files together.
        kept_elsewhere: Path of a source outside of the library, which Veil does not remove; None otherwise.
    """

    run: str
    removed: tuple[str, ...]
    bytes: int
    kept_elsewhere: str | None


def purge(context: RunContext, reason: str) -> PurgeReport:
    """Remove the source from the library, thumbnails, drafts, browser copies, names of people, notes, open releases.

    What killed processes have left anywhere in the data folder goes as well, as it may be footage. The request forgets
    the path of the source and the title, which may name a person.

    The record, the amendments, the signatures, the releases and the audit log stay: no unmasked face is visible in
    them. A source outside of the library is not removed; the report names it.

    Args:
        context: The run, and an administrator.
        reason: The reason, which is logged.

    Raises:
        AccessError: The role does not allow it.
        SignOffError: The run is queued or running, or the reason is empty.
        TargetError: A file cannot be removed.
        AuditError: The purge cannot be logged; then nothing is removed.
    """
    context = context.authorise("purge")
    data, run = context.data, context.run
    if not reason.strip():
        raise SignOffError("A purge needs a reason; give one.")
    if run.status in {"queued", "running"}:
        raise SignOffError(f"The run {run.id} is {run.status}; wait until it ends or cancel it, then purge it.")
    with lock_run_for_signing(run):
        paths = [path for path in _list_removable_paths(data, run) if path.exists()]
        # What a killed upload or render has left shows people too, and belongs to no run that could be told.
        paths += [path for path in find_left_behind(data.root) if not _is_below(path, paths)]
        size_bytes = sum(_measure_bytes(path) for path in paths)
        names = tuple(str(path.relative_to(data.root)) for path in paths)
        if interrupted := find_interrupted_release(data, run):
            log_withdrawal(context, interrupted, "the run was purged")
        # Logged before the first file goes: a removal that is not on record must not happen.
        context.log_event("purge", details={"paths": len(names), "bytes": size_bytes}, reason=reason)
        for path in paths:
            _remove_path(path)
        outside = None if _is_in_library(data, run.source) or not run.source.exists() else str(run.source)
        _remove_empty_folders(data, run.source)
        # Last: until here the purge can be repeated, and needs the path for that.
        runs.forget_source(run)
    return PurgeReport(run.id, names, size_bytes, outside)


def _list_removable_paths(data: DataFolder, run: Run) -> Iterator[Path]:
    if _is_in_library(data, run.source) and not _is_used_by_other_runs(data, run):
        yield run.source
    yield run.folder.thumbnails
    yield run.folder.drafts
    yield run.folder.browser_copies
    # Reviewers may have named the people there.
    yield run.folder.people
    yield run.folder.notes
    yield from run.folder.releases.glob(".[0-9]*")


def _is_below(path: Path, others: list[Path]) -> bool:
    return any(path.is_relative_to(other) for other in others)


def _is_in_library(data: DataFolder, source: Path) -> bool:
    return source.resolve().is_relative_to(data.library.resolve())


def _is_used_by_other_runs(data: DataFolder, run: Run) -> bool:
    """Whether another run that was not purged has the same source."""
    purged = {entry.run for entry in audit.read_entries(data.audit, kinds=["purge"])}
    others = (other for other in runs.read_register(data).runs if other.id != run.id and other.id not in purged)
    # Resolved, because two runs may name the same file through different symbolic links.
    return any(other.source.resolve() == run.source.resolve() for other in others)


def _remove_empty_folders(data: DataFolder, source: Path) -> None:
    """Remove the folders of the library that the source was the last file of: folders are named after people too."""
    folder, library = source.resolve().parent, data.library.resolve()
    while folder != library and folder.is_relative_to(library) and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


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
        raise TargetError(
            f"{path} cannot be removed ({error.strerror}). Check its permissions, then purge the run again."
        ) from error
