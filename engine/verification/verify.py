"""Every law that can be checked on the files: source, record, review and output side by side. Runs no model.

Each check looks at the files by itself, so that it finds its own kind of change and names it; that the output can be
rendered again to the same bytes is one check among them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from engine.core.progress import ProgressListener, SilentListener
from engine.errors import SourceError
from engine.media.audio_streams import list_audio_streams, list_contents
from engine.media.facts import MediaInfo
from engine.media.frame import SourceFrame
from engine.media.source.decode import Source, open_source
from engine.media.source.probe import probe
from engine.record import Document, Record, Sha256, read_document
from engine.rendering.job import AudioComparison, JobEncoder, RenderJob, prepare_job
from engine.rendering.render import build_spec
from engine.rendering.report import RenderReport, report_path
from engine.rendering.spec import DRAFT_COMMENT, FINAL_COMMENT, RenderSpec
from engine.rendering.terms import RenderOptions
from engine.review.amendments import Review
from engine.storage.files import hash_file
from engine.verification.pixel_check import PixelCheck
from engine.version import VERSION

SCHEMA: Literal["veil/checks/1"] = "veil/checks/1"


class Check(Document, frozen=True):
    """One check: what was looked at, whether it holds, and what was found, in words for a person."""

    name: str
    passed: bool
    finding: str


class VerifyReport(Document, frozen=True):
    """The outcome of all checks on one output.

    Attributes:
        style_from: where the style to check against came from: the report of the render, or the default preset.
        review_sha256: of the review that says what is to be masked; None when none was given.
    """

    schema: Literal["veil/checks/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    output_sha256: Sha256
    style_from: str
    passed: bool
    checks: tuple[Check, ...]
    review_sha256: Sha256 | None = None


def verify(  # noqa: PLR0913 - the files that belong together, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    *,
    review: Path | str | Review | None = None,
    render_report: Path | str | None = None,
    listener: ProgressListener | None = None,
) -> VerifyReport:
    """Check an output against its source, its record and the review of that.

    Args:
        source: the original video.
        record: its detection record, or the path of one.
        output: the rendered video.
        review: amendments of the record, or the path of them; left out, the output is held against the record alone.
        render_report: report of the render; `OUT.render.json` beside the output when left out. Without any, the output
            is held against the default style, and what it says itself, draft or release, is believed.
        listener: hears of progress.

    Raises:
        RecordError: record, review or report cannot be read, or is of another video or record.
        SourceError: source or output is not a readable video.
    """
    output, listener = Path(output), listener or SilentListener()
    report = _load_report(output, render_report)
    job = prepare_job(
        Path(source), record, lambda info: _choose_spec(Path(source), info, output, report), listener, review
    )
    checks = tuple(_Verification(job, output, report, listener).run_checks())
    return VerifyReport(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=job.info.sha256,
        record_sha256=job.record_sha256,
        output_sha256=hash_file(output),
        style_from="report of the render" if report else "default preset, for want of the report of the render",
        passed=all(check.passed for check in checks),
        checks=checks,
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
    final = ("comment", FINAL_COMMENT) in {
        (tag.name.lower(), tag.value) for tag in list_contents(output).identifying_tags
    }
    return build_spec(source, info, output, RenderOptions(), FINAL_COMMENT if final else DRAFT_COMMENT)


class _Verification:
    """The checks on one output."""

    def __init__(self, job: RenderJob, output: Path, report: RenderReport | None, listener: ProgressListener) -> None:
        self._job, self._output, self._report, self._listener = job, output, report, listener
        self._info = probe(output)
        self._decode_error: str | None = None

    def run_checks(self) -> Iterator[Check]:
        if self._report is not None:
            yield self._check_report(self._report)
        yield from self._check_pictures()
        yield from self._check_audio()
        yield self._check_metadata()

    def _check_report(self, report: RenderReport) -> Check:
        pairs = {
            "source": (report.source_sha256, self._job.info.sha256),
            "record": (report.record_sha256, self._job.record_sha256),
            "review": (report.review_sha256, self._job.review_sha256),
            "output": (report.output_sha256, self._info.sha256),
        }
        reviewed = "record, review" if report.review_sha256 else "record"
        strangers = [name for name, (said, found) in pairs.items() if said != found]
        if strangers:
            return Check(
                "report", passed=False, finding=f"the report of the render names another {_join_words(strangers)}"
            )
        return Check("report", passed=True, finding=f"source, {reviewed} and output are those the report names")

    def _check_pictures(self) -> Iterator[Check]:
        """Render once more, and compare each frame with the output's on the way."""
        job = self._job
        pixels = PixelCheck(job.info.video.orientation, job.spec.style, job.spec.encoder.crf)
        times: list[tuple[int | None, int | None]] = []
        with tempfile.TemporaryDirectory(prefix="veil-") as folder:
            video, again = Path(folder) / "video.mov", Path(folder) / self._output.name
            with JobEncoder(job, video) as encoder, open_source(self._output, self._info) as output:
                for redacted, rendered in zip_longest(job.mask_frames(), self._read_rendered(output)):
                    times.append((redacted.frame.pts if redacted else None, rendered.pts if rendered else None))
                    if redacted is not None:
                        encoder.write_frame(redacted)
                    if redacted is not None and rendered is not None:
                        pixels.compare_frame(redacted, rendered.picture())
                    self._listener.progress("verify", len(times), len(job.record.frames))
            job.mux_audio(video, again)
            same = hash_file(again) == self._info.sha256
        yield self._check_times(times)
        yield from _build_pixel_checks(pixels)
        finding = "gives the same bytes" if same else "gives other bytes: changed, or made by other versions"
        yield Check("rendered again", passed=same, finding=finding)

    def _read_rendered(self, output: Source) -> Iterator[SourceFrame]:
        """Frames of the output; one that does not decode ends them, and is a finding rather than an error."""
        try:
            yield from output.frames()
        except SourceError as error:
            self._decode_error = str(error)

    def _check_times(self, times: Sequence[tuple[int | None, int | None]]) -> Check:
        """Both videos have the same frames at the same times, counted from the first, to the resolution they store."""
        ours, theirs = (Fraction(info.video.time_base) for info in (self._job.info, self._info))
        if self._decode_error:
            return Check("frames", passed=False, finding=self._decode_error)
        (first, first_rendered), moved = times[0], []
        for index, (pts, rendered) in enumerate(times):
            if pts is None or rendered is None:
                counts = [sum(time is not None for time in column) for column in zip(*times, strict=True)]
                finding = f"the source has {counts[0]} frames, the output {counts[1]}"
                return Check("frames", passed=False, finding=finding)
            if abs((pts - (first or 0)) * ours - (rendered - (first_rendered or 0)) * theirs) > theirs:
                moved.append(index)
        if moved:
            return Check(
                "frames", passed=False, finding=f"{_describe_frames(moved)} shown at another time than in the source"
            )
        return Check("frames", passed=True, finding=f"all {len(times)} frames are there, each at its time")

    def _check_audio(self) -> Iterator[Check]:
        before, after = self._job.copied_streams, list_audio_streams(self._output)[0]
        if len(before) != len(after):
            finding = f"the source has {len(before)} audio streams, the output {len(after)}"
            yield Check("audio", passed=False, finding=finding)
            return
        yield from map(_build_audio_check, self._job.compare_audio(self._output, self._job.fingerprint_audio()))
        if not before:
            yield Check("audio", passed=True, finding="there is none, in the source or the output")

    def _check_metadata(self) -> Check:
        found = list_contents(self._output)
        telling = [
            f"the tag {tag.name}"
            for tag in found.identifying_tags
            if (tag.name.lower(), tag.value) != ("comment", self._job.spec.comment)
        ]
        telling += [f"a {stream.kind} stream" for stream in found.streams if stream.kind not in {"video", "audio"}]
        telling += ["a cover picture" for stream in found.streams if stream.picture]
        telling += ["a second video stream"] * (sum(stream.kind == "video" for stream in found.streams) > 1)
        telling += ["chapters"] * bool(found.chapters)
        if telling:
            return Check("metadata", passed=False, finding=f"the output holds {_join_words(telling)}")
        finding = "no tags, chapters, pictures or streams but video and audio"
        if self._report is None and self._job.spec.comment == FINAL_COMMENT:
            finding += "; that it is a release is what it says itself, and its certificate proves"
        return Check("metadata", passed=True, finding=finding)


def _build_pixel_checks(pixels: PixelCheck) -> Iterator[Check]:
    if pixels.unmasked_frames:
        yield Check(
            "masks", passed=False, finding=f"{_describe_frames(pixels.unmasked_frames)} showing what was to be masked"
        )
    else:
        yield Check(
            "masks",
            passed=True,
            finding=f"{pixels.mask_count} masks in {pixels.frame_count} frames are where they belong",
        )
    if pixels.altered_frames:
        finding = f"{_describe_frames(pixels.altered_frames)} different from the source by more than encoding explains"
        yield Check("outside the masks", passed=False, finding=finding)
    else:
        finding = f"nothing but encoding differs ({pixels.psnr:.1f} dB PSNR)"
        yield Check("outside the masks", passed=True, finding=finding)


def _build_audio_check(comparison: AudioComparison) -> Check:
    name = f"audio {comparison.number}"
    if comparison.changes:
        return Check(name, passed=False, finding=f"the {comparison.codec} stream has {_join_words(comparison.changes)}")
    if comparison.altered is None:
        return Check(name, passed=True, finding=f"{comparison.codec}: same packets, same samples, same start")
    return Check(name, passed=True, finding=f"{comparison.codec}: {comparison.altered.summary}, same start")


def _describe_frames(indices: Sequence[int]) -> str:
    if len(indices) == 1:
        return f"frame {indices[0]} is"
    more = f" and {len(indices) - 3} more" if len(indices) > 3 else ""
    return f"frames {', '.join(map(str, indices[:3]))}{more} are"


def _join_words(parts: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(parts))
