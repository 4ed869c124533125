"""Results that several verbs print, as text for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from engine.core.frame_ranges import describe_range
from engine.core.wording import format_count
from engine.media.facts import MediaInfo, VideoInfo
from engine.media.source.preflight import list_obstacles
from engine.record import Document, Record
from engine.rendering.report import RenderReport, report_path
from engine.review.apply import KeptVisible
from engine.verification.report import VerifyReport

if TYPE_CHECKING:
    from engine.anonymisation import AnonymiseReport  # imports detection, which rendering does not need


Kind = TypeVar("Kind", bound=str)

_MAX_STRETCHES = 5
"""Stretches without a face that are listed."""


class DetectSummary(Document, frozen=True):
    """A detection record in figures.

    Attributes:
        record: path of the record.
        frames: number of frames.
        faces: number of faces in all frames together, by origin.
        tracks: number of tracks.
        empty_frames: number of frames without a face.
        cuts: number of scene changes.
        damaged: number of frames that will be covered whole, because they were not decoded completely.
    """

    record: str
    frames: int
    faces: dict[str, int]
    tracks: int
    empty_frames: int
    cuts: int
    damaged: int

    @classmethod
    def from_record(cls, record: Record, path: Path) -> DetectSummary:
        """Summarise a record that is stored at `path`."""
        # Faces, tracks and people are three different numbers: here are the first two, the third is unknown.
        faces = [face for frame in record.frames for face in frame.faces]
        return cls(
            record=str(path),
            frames=len(record.frames),
            faces=dict(Counter(face.origin for face in faces)),
            tracks=len({face.track for face in faces}),
            empty_frames=sum(not frame.faces for frame in record.frames),
            cuts=len(record.cuts),
            damaged=len(record.damaged),
        )

    def to_text(self) -> str:
        """Format the figures as lines."""
        faces = f"{format_count(sum(self.faces.values()), 'face')} ({format_parts(self.faces)})"
        lines = [
            f"{format_count(self.tracks, 'track')} in {format_count(self.frames, 'frame')}, {faces}",
            f"{format_count(self.empty_frames, 'frame')} without a face, {format_count(self.cuts, 'cut')}",
        ]
        if self.damaged:
            lines.append(f"{format_count(self.damaged, 'damaged frame')}, covered whole in the output")
        return "\n".join([*lines, f"Record: {self.record}"])


def format_probe(source: Path, info: MediaInfo) -> str:
    """Format the streams of a file, and what happens to each."""
    lines = [f"{source}: {info.container}, {info.bytes:,} bytes", f"sha256 {info.sha256}", *_format_video(info.video)]
    if info.cut_short:
        lines.append(f"The file is incomplete: {info.cut_short}")
    lines += [f"No output can be made of it: it {obstacle}" for obstacle in list_obstacles(info)]
    lines.append("Streams:")
    for stream in info.streams:
        language = f", {stream.language}" if stream.language else ""
        lines.append(f"  {stream.index}  {stream.kind} {stream.codec}{language}: {stream.fate}, {stream.reason}")
    if info.extras:
        lines.append("Also in the file:")
        lines += [f"  {extra.kind} {extra.name}: {extra.fate}, {extra.reason}" for extra in info.extras]
    return "\n".join(lines)


def format_render(output: Path, report: RenderReport) -> str:
    """Format what a render did, exceptions first."""
    return "\n".join([
        *(f"Forced although {weakness}" for weakness in report.weaknesses),
        *map(describe_kept_visible, report.kept_visible),
        *(f"Audio {stream.number}: {stream.summary}" for stream in report.audio),
        *([] if isinstance(report.passthrough, msgspec.UnsetType) else [report.passthrough.sentence]),
        *([] if isinstance(report.segments, msgspec.UnsetType) else [report.segments.sentence]),
        f"{format_count(report.frames, 'frame')} rendered, {report.masked:,} masked, {report.covered:,} covered whole",
        f"Draft:  {output}",
        f"Report: {report_path(output)}",
    ])  # fmt: skip


def describe_kept_visible(face: KeptVisible) -> str:
    """Describe a face that a reviewer leaves unmasked."""
    frames = describe_range(face.start, face.stop)
    return f"Kept visible: track {face.track} in {frames}, by {face.by.name}: {face.reason}"


def format_parts(counts: Mapping[Kind, int]) -> str:
    """Format counts by kind, as "12 detected, 3 extended"; "none" if there are none."""
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "none"


def format_verify(report: VerifyReport) -> str:
    """Format the checks, one per line, and the verdict."""
    # ok and FAIL differ in case too, so that a failure stands out in a long list.
    width = max(len(check.name) for check in report.checks)
    lines = [f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<{width}}  {check.finding}" for check in report.checks]
    verdict = "Every check passed." if report.passed else "At least one check failed; do not use this output."
    return "\n".join([f"Checked against the style of the {report.style_from}", *lines, verdict])


def format_anonymise(result: AnonymiseReport) -> str:
    """Format the checks of an output, and where everything is stored."""
    masked = f"{result.render.masked:,} of {format_count(result.render.frames, 'frame')} masked"
    return "\n".join([
        f"{format_count(result.tracks, 'track')}, {masked}{_describe_covered(result)}",
        *_describe_unmasked(result),
        format_verify(result.checks),
        f"Output: {result.output}  (a draft, not reviewed)",
        f"Record: {result.record}",
        f"Checks: {result.report}",
    ])  # fmt: skip


def _describe_covered(result: AnonymiseReport) -> str:
    covered = result.render.covered
    return f", {covered:,} covered whole" if covered else ""


def _describe_unmasked(result: AnonymiseReport) -> Iterator[str]:
    """Yield a line if no face was found, in the whole video or in long stretches of it."""
    if not result.faces:
        frames = format_count(result.render.frames, "frame")
        yield (
            f"No face was found in any of {frames}: nothing is masked. Look at the video before you use the output; "
            "--allow-none accepts a video without faces."
        )
    elif result.unmasked:
        stretches = ", ".join(f"{start:.1f} to {end:.1f} s" for start, end in result.unmasked[:_MAX_STRETCHES])
        more = len(result.unmasked) - _MAX_STRETCHES
        others = f", and in {more} more stretches" if more > 0 else ""
        yield f"No face was found from {stretches}{others}: look there."


def _format_video(video: VideoInfo) -> Iterator[str]:
    rate = (
        f"{float(Fraction(video.declared_rate)):.3f} frames/s declared" if video.declared_rate else "no declared rate"
    )
    yield (
        f"Video: {video.codec}, {video.coded.width}x{video.coded.height} stored, "
        f"{video.display.width}x{video.display.height} displayed, {video.pixel_format}, {rate}, "
        f"{'variable' if video.vfr else 'constant'} frame rate"
    )
    declared = "no count declared" if video.declared_frames is None else f"{video.declared_frames} declared"
    yield f"       {format_count(video.packets, 'frame')} in the file ({declared}), time base {video.time_base}"
    if video.crop is not None:
        left, top, right, bottom = video.crop.left, video.crop.top, video.crop.right, video.crop.bottom
        yield f"       cropped by the container: left {left}, top {top}, right {right}, bottom {bottom}; not shown"
    if video.rotation or video.mirrored:
        yield f"       rotated {video.rotation} degrees clockwise{', mirrored' if video.mirrored else ''}"
