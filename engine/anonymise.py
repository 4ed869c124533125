"""Detect, render and verify in one call."""

from __future__ import annotations

from pathlib import Path

from engine.core.progress import ProgressListener
from engine.detection.detect import detect
from engine.record import DetectOptions, Document
from engine.rendering.render import check_render_possible
from engine.rendering.report import RenderReport
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import CHECKS_SUFFIX, RECORD_SUFFIX, append_suffix
from engine.verification.checked_render import render_and_verify
from engine.verification.report import VerifyReport


class AnonymiseReport(Document, frozen=True):
    """The files that `anonymise` wrote, and their reports.

    Attributes:
        output: path of the output.
        record: path of the detection record.
        report: path of the report of the checks.
        faces: number of faces, summed over all frames.
        tracks: number of tracks.
        render: report of the render.
        checks: report of the checks.
    """

    output: str
    record: str
    report: str
    faces: int
    tracks: int
    render: RenderReport
    checks: VerifyReport


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

    Raises:
        VeilError: as `detect`, `render` and `verify` do. A failed check is not an error; the report states it.
    """
    output = Path(output)
    record = Path(record) if record is not None else append_suffix(output, RECORD_SUFFIX)
    check_render_possible(source, output, rendering)
    found = detect(source, record, detection, data=data, listener=listener)
    rendered, checks = render_and_verify(source, record, output, rendering, review=review, listener=listener)
    faces = [face.track for frame in found.frames for face in frame.faces]
    return AnonymiseReport(
        str(output),
        str(record),
        str(append_suffix(output, CHECKS_SUFFIX)),
        len(faces),
        len(set(faces)),
        rendered,
        checks,
    )
