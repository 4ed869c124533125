"""Drafts of a run: renders to look at before approval, marked as drafts in every picture and in their name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.access.run_context import RunContext
from engine.audit import Actor
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError, TargetError
from engine.record import encode_document, read_document, sha256_hex
from engine.release.sign import describe_audio_details
from engine.rendering.render import render
from engine.rendering.report import RenderReport, draft_name, report_path
from engine.rendering.terms import RenderOptions
from engine.runs import Run
from engine.storage.data_folder import RENDER_REPORT_SUFFIX, remove_suffix
from engine.storage.files import make_private_folder

DRAFT_MARK = "DRAFT"
"""The text in every picture of a draft."""
_SILENT = SilentListener()


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that exists.

    Attributes:
        video: Path of the video.
        report: The report of its render, which names the record, the amendments, the style and the audio.
    """

    video: Path
    report: RenderReport

    @property
    def made_at(self) -> datetime:
        """The time when it was finished."""
        return datetime.fromtimestamp(self.video.stat().st_mtime, UTC)


def render_draft(
    context: RunContext,
    options: RenderOptions | None = None,
    *,
    suffix: str | None = None,
    listener: ProgressListener = _SILENT,
) -> Path:
    """Render a draft of a run with its current amendments.

    Args:
        context: The run, and the person who wants the draft.
        options: Style, encoder and audio; the defaults if omitted.
        suffix: File suffix, which selects the container; that of the source if omitted.
        listener: Receives progress.

    Returns:
        The path of the video, among the run's drafts.

    Raises:
        AccessError: The role does not allow it.
        VeilError: As `engine.render`.
    """
    context = context.authorise("draft")
    run = context.run
    make_private_folder(run.folder.drafts)
    name = draft_name(f"{run.id}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}{suffix or run.source.suffix}")
    output = run.folder.drafts / name
    review = run.folder.review if run.folder.review.exists() else None
    marked = msgspec.structs.replace(options or RenderOptions(), mark=DRAFT_MARK)
    report = render(run.source, run.folder.record, output, marked, review=review, listener=listener)
    log_render(context, report)
    return output


def list_drafts(run: Run) -> tuple[Draft, ...]:
    """Return the drafts of a run, newest first.

    Raises:
        RecordError: The report of a draft cannot be read.
    """
    # Names begin with the time of the render, so that their order is the order in time.
    paths = sorted(run.folder.drafts.glob(f"*{RENDER_REPORT_SUFFIX}"), reverse=True)
    videos = [(path, remove_suffix(path, RENDER_REPORT_SUFFIX)) for path in paths]
    return tuple(
        Draft(video, read_document(path, RenderReport, "report of a render"))
        for path, video in videos
        if video.is_file()
    )


def remove_draft(context: RunContext, name: str) -> None:
    """Remove a draft and its report, and log the removal. The entry of its render stays in the log.

    Args:
        context: The run, and the person who removes the draft.
        name: File name of the draft.

    Raises:
        AccessError: The role does not allow it.
        AuditError: The removal cannot be logged; the draft stays.
        InputError: The run has no such draft.
        TargetError: The draft cannot be removed.
    """
    context = context.authorise("draft")
    # The name comes from a browser: it is compared with the existing names and never joined to a path.
    draft = next((draft for draft in list_drafts(context.run) if draft.video.name == name), None)
    if draft is None:
        raise InputError(f"The run {context.run.id} has no draft {name!r}; it may have been removed already.")
    context.log_event("removal", {"output": draft.report.output_sha256}, {"draft": True})
    try:
        draft.video.unlink()
        report_path(draft.video).unlink()
    except OSError as error:
        raise TargetError(
            f"{draft.video} cannot be removed ({error.strerror}). Check the permissions of its folder."
        ) from error


def log_render(context: RunContext, report: RenderReport, *, actor: Actor | None = None) -> None:
    """Log the render of an output.

    Args:
        context: The run and the person.
        report: The report of the render.
        actor: Who rendered it; the person if omitted.

    Raises:
        AuditError: It cannot be logged.
    """
    subjects = {"source": report.source_sha256, "record": report.record_sha256, "output": report.output_sha256}
    if report.review_sha256 is not None:
        subjects["review"] = report.review_sha256
    # The certificate of a release says what the report says, also if it is written after an interruption.
    subjects["report"] = sha256_hex(encode_document(report))
    details = {"draft": report.draft, **describe_audio_details(report.spec.audio)}
    context.log_event("render", subjects, details, actor=actor)
