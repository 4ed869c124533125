"""Results of the verbs in words, for a person at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from engine.media.facts import MediaInfo, VideoInfo
from engine.record import Document, Record
from engine.rendering.report import RenderReport, report_path
from engine.verification.verify import VerifyReport

if TYPE_CHECKING:
    from engine.anonymise import AnonymiseReport  # detection is not loaded to render


class DetectSummary(Document, frozen=True):
    """A detection record in figures.

    Attributes:
        faces: faces in all frames together, by origin.
        tracks: how many different faces were followed.
        empty_frames: frames without a face.
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
        """Count what is in a record."""
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
        """The figures as lines."""
        origins = ", ".join(f"{count} {origin}" for origin, count in self.faces.items()) or "none"
        lines = [
            f"{_format_count(self.tracks, 'face')} followed through {_format_count(self.frames, 'frame')} ({origins})",
            f"{_format_count(self.empty_frames, 'frame')} without a face, {_format_count(self.cuts, 'scene cut')}",
        ]
        if self.damaged:
            lines.append(f"{_format_count(self.damaged, 'damaged frame')}, to be covered whole")
        return "\n".join([*lines, f"Record: {self.record}"])


def format_models(folder: Path, states: Mapping[str, str]) -> str:
    """Which weights are there."""
    width = max(map(len, states))
    return "\n".join([f"Models in {folder}", *(f"  {name:<{width}}  {state}" for name, state in states.items())])


def format_probe(source: Path, info: MediaInfo) -> str:
    """What is in a file and what becomes of it."""
    lines = [f"{source}: {info.container}, {info.bytes:,} bytes", f"sha256 {info.sha256}", *_format_video(info.video)]
    if info.cut_short:
        lines.append(f"The file is not complete: {info.cut_short}")
    lines.append("Streams:")
    for stream in info.streams:
        language = f", {stream.language}" if stream.language else ""
        lines.append(f"  {stream.index}  {stream.kind} {stream.codec}{language}: {stream.fate}, {stream.reason}")
    if info.extras:
        lines.append("Also in the file:")
        lines += [f"  {extra.kind} {extra.name}: {extra.fate}, {extra.reason}" for extra in info.extras]
    return "\n".join(lines)


def format_render(output: Path, report: RenderReport) -> str:
    """What a render made."""
    lines = [
        (
            f"{_format_count(report.frames, 'frame')} rendered, {report.masked} with a mask, "
            f"{report.covered} covered whole"
        ),
        f"Draft:  {output}",
        f"Report: {report_path(output)}",
    ]
    shown = (
        f"Kept visible: track {face.track} in frames {face.start} to {face.stop - 1}, by {face.by.name}: {face.reason}"
        for face in report.kept_visible
    )
    forced = (f"Forced although {weakness}" for weakness in report.weaknesses)
    sound = (f"Audio {one.number}: {one.summary}" for one in report.audio)
    return "\n".join([*forced, *shown, *sound, *lines])


def format_verify(report: VerifyReport) -> str:
    """The checks, one a line."""
    width = max(len(check.name) for check in report.checks)
    lines = [f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<{width}}  {check.finding}" for check in report.checks]
    verdict = "Every check holds." if report.passed else "At least one check failed; do not use this output."
    return "\n".join([f"Held against the style of the {report.style_from}", *lines, verdict])


def format_anonymise(result: AnonymiseReport) -> str:
    """Where everything is, and how it went."""
    frames = _format_count(result.render.frames, "frame")
    return "\n".join([
        f"{_format_count(result.tracks, 'face')} followed, {result.render.masked} of {frames} masked",
        format_verify(result.checks),
        f"Output: {result.output}  (a draft: nobody has reviewed it)",
        f"Record: {result.record}",
        f"Checks: {result.report}",
    ])  # fmt: skip


def _format_video(video: VideoInfo) -> Iterator[str]:
    rate = (
        f"{float(Fraction(video.declared_rate)):.3f} frames/s declared" if video.declared_rate else "no declared rate"
    )
    yield (
        f"Video: {video.codec}, {video.coded.width}x{video.coded.height} stored, "
        f"{video.display.width}x{video.display.height} seen, {video.pixel_format}, {rate}, "
        f"{'variable' if video.vfr else 'constant'} frame rate"
    )
    declared = "no count declared" if video.declared_frames is None else f"{video.declared_frames} declared"
    yield f"       {_format_count(video.packets, 'frame')} in the file ({declared}), time base {video.time_base}"
    if video.rotation or video.mirrored:
        yield f"       turned {video.rotation} degrees clockwise{', mirrored' if video.mirrored else ''}"


def _format_count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
