"""Detect, render and verify in one call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.core.frame_ranges import group_frames
from engine.core.progress import ProgressListener
from engine.detection.detect import detect
from engine.detection.passes import PassRunner
from engine.detection.results import list_detection_files
from engine.isolation.guarded import guarded
from engine.media.source.image_sequence import list_source_files
from engine.record import DetectOptions, Document, Record
from engine.rendering.render import check_render_possible
from engine.rendering.report import RenderReport, report_path
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import CHECKS_SUFFIX, RECORD_SUFFIX, append_suffix
from engine.storage.file_use import FileUse, check_file_use
from engine.verification.checked_render import render_and_verify
from engine.verification.report import VerifyReport

_LONG_STRETCH_S = 2.0
"""Length from which a stretch without a face is named: people look away for less."""


class AnonymiseReport(Document, frozen=True):
    """The files that `anonymise` wrote, and their reports.

    Attributes:
        output: path of the output.
        record: path of the detection record.
        report: path of the report of the checks.
        faces: number of faces, summed over all frames.
        tracks: number of tracks.
        unmasked: stretches of 2 s and more without a face, each as its first and last second; a person should look at
            them, because a face that no detector sees looks the same in figures.
        render: report of the render.
        checks: report of the checks.
    """

    output: str
    record: str
    report: str
    faces: int
    tracks: int
    unmasked: tuple[tuple[float, float], ...]
    render: RenderReport
    checks: VerifyReport


@guarded("source")
def anonymise(  # noqa: PLR0913 - the arguments of three verbs
    source: Path | str,
    output: Path | str,
    detection: DetectOptions | None = None,
    rendering: RenderOptions | None = None,
    *,
    record: Path | str | None = None,
    review: Path | str | None = None,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
    runner: PassRunner | None = None,
    overwrite: bool = True,
) -> AnonymiseReport:
    """Detect, render and verify in one call. The output is a draft, and its tag says so.

    Args:
        source: the video.
        output: file to write; beside it go `OUT.detections.json`, `OUT.render.json` and `OUT.checks.json`.
        detection: what to run.
        rendering: style and encoder.
        record: path of the record. None: beside the output.
        review: amendments of the record that an earlier detection of this source made with the same options.
        data: the data folder.
        listener: gets progress and notices.
        runner: runs the local detectors elsewhere, as on a cluster. The record is the same.
        overwrite: replace files that exist. False: keep those that an earlier call with the same arguments finished,
            and refuse every other one.

    Raises:
        VeilError: as `detect`, `render` and `verify` do. A failed check is not an error; the report states it.
    """
    output = Path(output)
    record = Path(record) if record is not None else append_suffix(output, RECORD_SUFFIX)
    _check_files(Path(source), record, output, review, overwrite=overwrite)
    check_render_possible(source, output, rendering)
    found = detect(source, record, detection, data=data, listener=listener, runner=runner, overwrite=overwrite)
    rendered, checks = render_and_verify(
        source, record, output, rendering, review=review, listener=listener, overwrite=overwrite
    )
    faces = [face.track for frame in found.frames for face in frame.faces]
    return AnonymiseReport(
        str(output),
        str(record),
        str(append_suffix(output, CHECKS_SUFFIX)),
        len(faces),
        len(set(faces)),
        tuple(_find_unmasked_stretches(found)),
        rendered,
        checks,
    )


def _find_unmasked_stretches(record: Record) -> Iterator[tuple[float, float]]:
    covered = {*record.damaged, *record.covered}
    frame_s = record.frame_s
    for start, stop in group_frames(
        frame.index for frame in record.frames if not frame.faces and frame.index not in covered
    ):
        begin, end = record.to_seconds(start), record.to_seconds(stop - 1)
        if end - begin + frame_s >= _LONG_STRETCH_S:
            yield round(begin, 2), round(end + frame_s, 2)


def _check_files(source: Path, record: Path, output: Path, review: Path | str | None, *, overwrite: bool) -> None:
    """Check the paths of all three steps before the first one, which may take hours."""
    inputs = [*list_source_files(source), None if review is None else Path(review)]
    beside = [report_path(output), append_suffix(output, CHECKS_SUFFIX), *list_detection_files(record)]
    check_file_use(FileUse(inputs, [output, record], beside), overwrite=True)
    # An output without its record and report is none that an earlier call finished.
    if not (record.exists() and report_path(output).exists()):
        check_file_use(FileUse(writes=[output]), overwrite=overwrite)
