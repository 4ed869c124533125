"""Drafts of a run, to look at before anything is approved; each says in its picture and its name that it is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import access, audit, runs
from engine.access import Person
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError, TargetError
from engine.record import read_document
from engine.release.sign import describe_audio_details
from engine.rendering.render import render
from engine.rendering.report import RenderReport, draft_name, report_path
from engine.rendering.terms import RenderOptions
from engine.runs import Run
from engine.storage.data_folder import RENDER_REPORT_SUFFIX, DataFolder, remove_suffix

DRAFT_MARK = "DRAFT"
"""What stands in the picture of every draft."""
_SILENT = SilentListener()


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that is there.

    Attributes:
        video: where it lies.
        report: of its render: of which record and amendments it is, in which style, with which audio.
    """

    video: Path
    report: RenderReport

    @property
    def made_at(self) -> datetime:
        """When it was finished."""
        return datetime.fromtimestamp(self.video.stat().st_mtime, UTC)


def render_draft(  # noqa: PLR0913 - who, of what, how, and who hears of it
    data: DataFolder,
    run_id: str,
    person: Person,
    options: RenderOptions | None = None,
    *,
    suffix: str | None = None,
    listener: ProgressListener = _SILENT,
) -> Path:
    """Render a run as it stands, for somebody to look at.

    The draft lies among the run's drafts. That it is one stands in its picture, its name, its metadata and its report.

    Args:
        data: the data folder.
        run_id: the run.
        person: who wants it.
        options: style, encoder and audio.
        suffix: of its name, which chooses the container; the source's when left out.
        listener: hears of progress.

    Returns:
        The path of the video.

    Raises:
        AccessError: the role does not allow it.
        VeilError: as `engine.render` raises.
    """
    person = access.authorise(data, person, "draft")
    run = runs.load_run(data, run_id)
    run.folder.drafts.mkdir(exist_ok=True)
    name = draft_name(f"{run.id}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}{suffix or run.source.suffix}")
    output = run.folder.drafts / name
    review = run.folder.review if run.folder.review.exists() else None
    marked = msgspec.structs.replace(options or RenderOptions(), mark=DRAFT_MARK)
    report = render(run.source, run.folder.record, output, marked, review=review, listener=listener)
    log_render(data, run, person.actor, report)
    return output


def list_drafts(run: Run) -> tuple[Draft, ...]:
    """The drafts of a run, the newest first.

    Raises:
        RecordError: the report of one cannot be read.
    """
    paths = (
        sorted(run.folder.drafts.glob(f"*{RENDER_REPORT_SUFFIX}"), reverse=True) if run.folder.drafts.is_dir() else []
    )
    videos = [(path, remove_suffix(path, RENDER_REPORT_SUFFIX)) for path in paths]
    return tuple(
        Draft(video, read_document(path, RenderReport, "report of a render"))
        for path, video in videos
        if video.is_file()
    )


def remove_draft(data: DataFolder, run_id: str, person: Person, name: str) -> None:
    """Remove a draft and its report, and put that on record. That it was rendered stays on record as well.

    Raises:
        AccessError: the role does not allow it.
        AuditError: it cannot be put on record; the draft stays.
        InputError: the run has no such draft.
        TargetError: it cannot be removed.
    """
    person = access.authorise(data, person, "draft")
    run = runs.load_run(data, run_id)
    found = next((one for one in list_drafts(run) if one.video.name == name), None)
    if found is None:
        raise InputError(f"The run {run_id} has no draft {name!r}; it may have been removed already.")
    subjects = {"output": found.report.output_sha256}
    audit.append(
        data.audit,
        audit.Event(actor=person.actor, kind="removal", run=run.id, subjects=subjects, details={"draft": True}),
    )
    try:
        found.video.unlink()
        report_path(found.video).unlink()
    except OSError as error:
        raise TargetError(f"{found.video} cannot be removed ({error.strerror}).") from error


def log_render(data: DataFolder, run: Run, actor: audit.Actor, report: RenderReport) -> None:
    """Put on record that an output was rendered.

    Raises:
        AuditError: it cannot be put on record.
    """
    subjects = {"source": report.source_sha256, "record": report.record_sha256, "output": report.output_sha256}
    if report.review_sha256 is not None:
        subjects["review"] = report.review_sha256
    details = {"draft": report.draft, **describe_audio_details(report.spec.audio)}
    audit.append(
        data.audit,
        audit.Event(actor=actor, kind="render", run=run.id, subjects=subjects, details=details),
    )
