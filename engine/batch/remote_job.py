"""Files of a batch by URL: fetch the source, do the job on the copy, and publish the output."""

from __future__ import annotations

import glob
from pathlib import Path

import msgspec

from engine.batch.job import BatchJob, FileReport, JobContext, is_job_current, perform_job
from engine.batch.journal import JournalEntry
from engine.batch.remote import describe_remote_file, fetch_file, remove_copy, upload_file

_COPIES = "remote"
"""Folder of the copies, in the folder of unfinished work."""


def perform_any_job(job: BatchJob, context: JobContext) -> FileReport:
    """Bring the output of a file up to date, wherever its source is and its output goes.

    Raises:
        VeilError: as `perform_job`; SourceError or TargetError if an address cannot be read or written.
    """
    report = perform_job(job, context) if job.url is None else _perform_remote(job, job.url, context)
    if context.publish_url is not None and report.output is not None and report.status in {"done", "unchanged"}:
        _publish(Path(report.output), context.publish_url, context)
    return report


def _perform_remote(job: BatchJob, url: str, context: JobContext) -> FileReport:
    remote = describe_remote_file(url)
    known = context.journal.find_fetched(remote.key)
    # The server says that the file is the one that was fetched for this output, so it need not be fetched again.
    if known is not None and is_job_current(job, known, context):
        context.claim_name(known.output, Path(url))
        return FileReport(url, str(context.folder / known.output), "unchanged", 0.0)
    copy = fetch_file(remote, context.data.checkpoints / _COPIES, context.listener)
    report = perform_job(msgspec.structs.replace(job, source=copy, url=None), context)
    if report.output is not None and report.status in {"done", "unchanged"}:
        done = _find_done(Path(report.output), context)
        context.journal.append(msgspec.structs.replace(done, step="fetched", remote=remote.key))
    # Only now: after an error, the copy saves the next attempt from fetching it.
    remove_copy(copy)
    return msgspec.structs.replace(report, source=url)


def _publish(output: Path, folder_url: str, context: JobContext) -> None:
    """Upload an output and its documents, unless that was done. The output comes last: it stands for all of them."""
    done = _find_done(output, context)
    entry = msgspec.structs.replace(done, step="published", remote=folder_url)
    if context.journal.find(done.output, "published") == entry:
        return
    base = f"{folder_url.rstrip('/')}/{Path(done.output).parent.as_posix()}".removesuffix("/.")
    documents = sorted(path for path in output.parent.glob(f"{glob.escape(output.name)}.*") if path.is_file())
    for path in (*documents, output):
        upload_file(path, f"{base}/{path.name}")
    context.journal.append(entry)


def _find_done(output: Path, context: JobContext) -> JournalEntry:
    done = context.journal.find(str(output.relative_to(context.folder)), "done")
    assert done is not None, "a current output has an entry"
    return done
