"""Checks an output against its source, record and review. Runs no model.

Everything that can be checked on the files is checked, by one function for each kind of change (`checks.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from engine.core.progress import ProgressListener, SilentListener
from engine.isolation.guarded import guarded
from engine.media.audio_streams import list_contents
from engine.media.facts import MediaInfo
from engine.media.source.probe import probe
from engine.record import Record, read_document
from engine.rendering.job import RenderJob, prepare_job
from engine.rendering.render import build_spec
from engine.rendering.report import RenderReport, report_path
from engine.rendering.spec import DRAFT_COMMENT, FINAL_COMMENT, RenderSpec
from engine.rendering.terms import RenderOptions
from engine.review.amendments import Review
from engine.storage.files import hash_file
from engine.verification import checks
from engine.verification.frame_comparison import FrameComparison, compare_frames, compare_with_second_render
from engine.verification.report import SCHEMA, Check, VerifyReport
from engine.version import VERSION


@guarded("output")
def verify(  # noqa: PLR0913 - the files that belong together, and the listener
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    *,
    review: Path | str | Review | None = None,
    render_report: Path | str | None = None,
    render_again: bool = False,
    listener: ProgressListener | None = None,
) -> VerifyReport:
    """Check an output against its source, its record and its review.

    Args:
        source: the original video.
        record: its detection record, or the path of the record.
        output: the rendered video.
        review: amendments of the record, or their path; without it the output is checked against the record alone.
        render_report: report of the render; by default `OUT.render.json` beside the output. Without a report the output
            is checked against the default style, and its own comment says if it is a draft or a release.
        render_again: also render once more, and check that this gives the same bytes; takes as long as the render.
        listener: receives the progress.

    Raises:
        RecordError: record, review or report cannot be read, or belongs to another video or record.
        SourceError: source or output is not a readable video.
    """
    source, output, listener = Path(source), Path(output), listener or SilentListener()
    report = _load_report(output, render_report)
    job = prepare_job(source, record, lambda info: _choose_spec(source, info, output, report), listener, review)
    # The specification is that of the report, so an output is checked against the style it was rendered with.
    compare = compare_with_second_render if render_again else compare_frames
    results = tuple(_run_checks(job, output, report, partial(compare, job, output, listener=listener)))
    return VerifyReport(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=job.info.sha256,
        record_sha256=job.record_sha256,
        output_sha256=hash_file(output),
        style_from="report of the render" if report else "default preset, because there is no report of the render",
        passed=all(check.passed for check in results),
        checks=results,
        review_sha256=job.review_sha256,
    )


def _load_report(output: Path, given_path: Path | str | None) -> RenderReport | None:
    path = Path(given_path) if given_path is not None else report_path(output)
    if given_path is None and not path.exists():
        return None
    return read_document(path, RenderReport, "report of a render")


def _choose_spec(source: Path, info: MediaInfo, output: Path, report: RenderReport | None) -> RenderSpec:
    if report:
        return report.spec
    tags = {(tag.name.lower(), tag.value) for tag in list_contents(output).identifying_tags}
    comment = FINAL_COMMENT if ("comment", FINAL_COMMENT) in tags else DRAFT_COMMENT
    return build_spec(source, info, output, RenderOptions(), comment)


def _run_checks(
    job: RenderJob,
    output: Path,
    report: RenderReport | None,
    compare: Callable[[MediaInfo, Sequence[range]], FrameComparison],
) -> Iterator[Check]:
    info = probe(output)
    if report is not None:
        yield checks.check_report(job, info, report)
    passthrough = report.passthrough if report and report.passthrough else None
    comparison = compare(info, [range(*frames) for frames in passthrough.copied] if passthrough else [])
    yield checks.check_times(comparison, job.info, info)
    yield checks.check_masks(comparison.pixels)
    yield checks.check_outside_masks(comparison.pixels)
    if passthrough is not None:
        yield checks.check_copies(comparison.pixels, passthrough)
    if comparison.same_bytes is not None:
        yield checks.check_second_render(same=comparison.same_bytes)
    yield from checks.check_audio(job, output)
    yield checks.check_metadata(output, job.spec.comment, has_report=report is not None)
