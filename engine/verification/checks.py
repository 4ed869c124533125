"""The checks on an output, one function each.

Each check reads what it needs by itself, so that a change is found by the check that names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from engine.media.audio_streams import FileContents, list_audio_streams, list_contents
from engine.media.facts import MediaInfo
from engine.rendering.job import RenderJob
from engine.rendering.output_audio import AudioComparison, compare_output_audio, fingerprint_kept_audio
from engine.rendering.passthrough import PassthroughFacts
from engine.rendering.report import RenderReport
from engine.rendering.spec import FINAL_COMMENT
from engine.verification.frame_comparison import FrameComparison, describe_frames
from engine.verification.pixel_check import PixelCheck
from engine.verification.report import Check


def check_report(job: RenderJob, output: MediaInfo, report: RenderReport) -> Check:
    """Check that the report of the render names these very files.

    Holds when the SHA-256 of source, record, review and output are those in the report. It tells apart an output that
    was changed afterwards from one that was rendered from other files.
    """
    pairs = {
        "source": (report.source_sha256, job.info.sha256),
        "record": (report.record_sha256, job.record_sha256),
        "review": (report.review_sha256, job.review_sha256),
        "output": (report.output_sha256, output.sha256),
    }
    different = [name for name, (reported, actual) in pairs.items() if reported != actual]
    if different:
        return Check("report", passed=False, finding=f"the report of the render names another {_join_words(different)}")
    reviewed = "record, review" if report.review_sha256 else "record"
    return Check("report", passed=True, finding=f"source, {reviewed} and output are those the report names")


def check_times(comparison: FrameComparison, source: MediaInfo, output: MediaInfo) -> Check:
    """Check that source and output have the same number of frames, shown at the same times.

    Times are counted from the first frame, since a container may move the start, and may differ by one tick of the
    output's time base: Matroska and WebM store milliseconds.
    """
    if comparison.decode_error:
        return Check("frames", passed=False, finding=comparison.decode_error)
    source_count, output_count = len(comparison.source_pts), len(comparison.output_pts)
    if source_count != output_count:
        finding = f"the source has {source_count} frames, the output {output_count}"
        return Check("frames", passed=False, finding=finding)
    if moved := _find_moved_frames(comparison, source, output):
        finding = f"{describe_frames(moved)} shown at another time than in the source"
        return Check("frames", passed=False, finding=finding)
    return Check("frames", passed=True, finding=f"all {source_count} frames are there, each at its time")


def _find_moved_frames(comparison: FrameComparison, source: MediaInfo, output: MediaInfo) -> list[int]:
    source_tick, output_tick = (Fraction(info.video.time_base) for info in (source, output))
    pairs = zip(comparison.source_pts, comparison.output_pts, strict=True)
    first, output_first = comparison.source_pts[0], comparison.output_pts[0]
    return [
        index
        for index, (pts, output_pts) in enumerate(pairs)
        if abs((pts - first) * source_tick - (output_pts - output_first) * output_tick) > output_tick
    ]


def check_masks(pixels: PixelCheck) -> Check:
    """Check that no block inside a mask looks like the source."""
    if pixels.unmasked_frames:
        finding = f"{describe_frames(pixels.unmasked_frames)} showing what was to be masked"
        return Check("masks", passed=False, finding=finding)
    finding = f"{pixels.mask_count} masks in {pixels.frame_count} frames are where they belong"
    return Check("masks", passed=True, finding=finding)


def check_outside_masks(pixels: PixelCheck) -> Check:
    """Check that no block differs from what was to be rendered by more than encoding explains."""
    if pixels.altered_frames:
        finding = f"{describe_frames(pixels.altered_frames)} different from the source by more than encoding explains"
        return Check("outside the masks", passed=False, finding=finding)
    finding = f"nothing but encoding differs ({pixels.psnr:.1f} dB PSNR)"
    return Check("outside the masks", passed=True, finding=finding)


def check_copies(pixels: PixelCheck, facts: PassthroughFacts) -> Check:
    """Check that frames whose packets were copied decode to the very samples of the source."""
    if pixels.differing_copies:
        finding = f"{describe_frames(pixels.differing_copies)} not the source's, although the report says so"
        return Check("passthrough", passed=False, finding=finding)
    return Check("passthrough", passed=True, finding=facts.sentence)


def check_second_render(*, same: bool) -> Check:
    """Check that rendering once more gives the same bytes.

    The strictest check, but it fails for any other version of Veil, of an encoder or of FFmpeg as well, and says
    nothing about the kind of change. So the others do not rely on it.
    """
    finding = "gives the same bytes" if same else "gives other bytes: changed, or made by other versions"
    return Check("rendered again", passed=same, finding=finding)


def check_audio(job: RenderJob, output: Path) -> Iterator[Check]:
    """Check each audio stream of the output: same packets, same decoded samples, same start, except in chosen spans."""
    before, after = job.copied_audio_streams, list_audio_streams(output)[0]
    if len(before) != len(after):
        finding = f"the source has {len(before)} audio streams, the output {len(after)}"
        yield Check("audio", passed=False, finding=finding)
        return
    yield from map(_build_audio_check, compare_output_audio(job, output, fingerprint_kept_audio(job)))
    if not before:
        yield Check("audio", passed=True, finding="there is none, in the source or the output")


def _build_audio_check(comparison: AudioComparison) -> Check:
    name = f"audio {comparison.number}"
    if comparison.changes:
        return Check(name, passed=False, finding=f"the {comparison.codec} stream has {_join_words(comparison.changes)}")
    if comparison.altered is None:
        return Check(name, passed=True, finding=f"{comparison.codec}: same packets, same samples, same start")
    return Check(name, passed=True, finding=f"{comparison.codec}: {comparison.altered.summary}, same start")


def check_metadata(output: Path, comment: str | None, *, has_report: bool) -> Check:
    """Check that the output holds nothing that identifies: one comment tag, one video stream and audio.

    Args:
        output: the output.
        comment: the comment tag that the render wrote.
        has_report: False if there is no report of the render, so that the comment is what the output says of itself.
    """
    if forbidden := list(_find_forbidden_contents(list_contents(output), comment)):
        return Check("metadata", passed=False, finding=f"the output holds {_join_words(forbidden)}")
    finding = "no tags, chapters, pictures or streams but video and audio"
    if not has_report and comment == FINAL_COMMENT:
        finding += "; that it is a release is what it says itself, and its certificate proves"
    return Check("metadata", passed=True, finding=finding)


def _find_forbidden_contents(contents: FileContents, comment: str | None) -> Iterator[str]:
    for tag in contents.identifying_tags:
        if (tag.name.lower(), tag.value) != ("comment", comment):
            yield f"the tag {tag.name}"
    for stream in contents.streams:
        if stream.kind not in {"video", "audio"}:
            yield f"a {stream.kind} stream"
    for stream in contents.streams:
        if stream.header_text:
            yield f"text in the header of the {stream.codec} stream"
    if any(stream.picture for stream in contents.streams):
        yield "a cover picture"
    if sum(stream.kind == "video" for stream in contents.streams) > 1:
        yield "a second video stream"
    if contents.chapters:
        yield "chapters"


def _join_words(parts: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(parts))
