"""A render as a job: source, record and spec brought together, run by `render`, repeated by verification."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from engine.audio.compare import AlteredAudio, StreamLocation, compare_streams
from engine.audio.replacement_tracks import write_replacement_tracks
from engine.audio.spans import MergedSpan, merge_spans
from engine.core.picture import Picture, PixelFormat
from engine.core.progress import ProgressListener
from engine.errors import RecordError, SourceError
from engine.masking.painter import Painter, cover_picture
from engine.masking.watermark import Watermark
from engine.media.audio_samples import read_audio_format
from engine.media.audio_streams import AudioFingerprint, describe_audio_changes, fingerprint_audio, list_audio_streams
from engine.media.facts import MediaInfo, make_source_facts
from engine.media.frame import SourceFrame
from engine.media.output.encoder import Encoding, Signal
from engine.media.output.mux import mux
from engine.media.output.writer import VideoWriter, Y4mWriter
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.prefetch import prefetch
from engine.media.source.probe import probe
from engine.record import Record, SourceFacts, parse_ratio
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord
from engine.review.load import load_record, load_review
from engine.review.plan import FramePlan, plan_amended_record

_PREFETCH_FRAMES = 3
"""Frames that are decoded while one is masked; more only cost memory."""

SpecMaker = Callable[[MediaInfo], "RenderSpec"]


class MaskedFrame(NamedTuple):
    """A frame on its way to the encoder.

    Attributes:
        plan: what was to become of it.
        frame: as it was decoded.
        original: views of the decoded picture.
        picture: with its faces covered, until the next frame is asked for; the original when nothing was to be covered.
    """

    plan: FramePlan
    frame: SourceFrame
    original: Picture
    picture: Picture


@dataclass(slots=True)
class FrameCounts:
    """How many frames were written, how many of them with a mask, and how many covered whole."""

    frames: int = 0
    masked: int = 0
    covered: int = 0

    def count_frame(self, plan: FramePlan) -> None:
        """Count a frame."""
        self.frames += 1
        self.masked += bool(plan.boxes) and not plan.covered
        self.covered += plan.covered


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A source, its record with what its reviewers made of it, and a spec that belong together.

    Attributes:
        record_sha256: of the record's stored bytes.
        amended_record: the record with the amendments of the review applied.
        review_sha256: of the review's stored bytes, None without a review.
    """

    source: Path
    info: MediaInfo
    facts: SourceFacts
    record: Record
    record_sha256: str
    spec: RenderSpec
    amended_record: AmendedRecord
    review_sha256: str | None = None

    def mask_frames(self) -> Iterator[MaskedFrame]:
        """Every frame of the source, its faces covered.

        Raises:
            SourceError: a frame cannot be decoded, or the frames are not those of the record.
        """
        sheet: Picture | None = None
        painter: Painter | None = None
        stamp: Watermark | None = None
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        with (
            open_source(self.source, self.info, on_damage=on_damage) as source,
            prefetch(source.frames(), _PREFETCH_FRAMES) as frames,
        ):
            for frame, plan in zip_longest(frames, plan_amended_record(self.amended_record)):
                if frame is None or plan is None or frame.pts != plan.pts:
                    raise self._frame_mismatch_error(frame, plan)
                if frame.damaged and not plan.covered:
                    raise SourceError(
                        f"Frame {frame.index} of {self.source} cannot be decoded whole, though it could when faces "
                        "were found. Check the disk, and detect again."
                    )
                original = frame.picture()
                sheet = sheet or _allocate_like(original)
                painter = painter or self._make_painter(original.format)
                stamp = stamp or self._make_watermark(original.format)
                yield MaskedFrame(plan, frame, original, _mask_picture(original, plan, sheet, (painter, stamp)))

    def _make_watermark(self, pixels: PixelFormat) -> Watermark | None:
        video, mark = self.info.video, self.spec.mark
        return None if mark is None else Watermark(mark, pixels, video.orientation, video.colour.matrix)

    def _make_painter(self, pixels: PixelFormat) -> Painter:
        video = self.info.video
        return Painter(pixels, video.orientation, self.spec.style, video.colour.matrix)

    def encode(
        self, video: Path, listener: ProgressListener, *, y4m: Path | None = None
    ) -> tuple[FrameCounts, Encoding]:
        """Encode every redacted frame into `video`, a file without audio, and say with which encoding.

        Args:
            video: intermediate file to write.
            listener: hears of progress.
            y4m: file for the very pictures handed to the encoder.

        Raises:
            SourceError: as `redacted`.
            TargetError: a file cannot be written.
            RenderError: a frame cannot be encoded.
        """
        with JobEncoder(self, video, y4m) as encoder:
            for redacted in self.mask_frames():
                encoder.write_frame(redacted)
                listener.progress("render", encoder.counts.frames, len(self.record.frames))
        return encoder.counts, encoder.encoding

    def mux_audio(self, video: Path, target: Path) -> None:
        """Put encoded frames and the source's audio together into `target`.

        Raises:
            TargetError: it cannot be written.
            RenderError: the container does not take the streams.
        """
        first, comment = self.record.frames[0].pts, self.spec.comment
        with tempfile.TemporaryDirectory(prefix="veil-", dir=video.parent) as folder:
            made = write_replacement_tracks(
                self.source, self.replaced_stretches, self._video_start_s, self.spec.container.suffix, Path(folder)
            )
            facts, container = self.facts, self.spec.container
            mux(video, self.source, target, facts, container, first_pts=first, comment=comment, tracks=made)

    @property
    def copied_streams(self) -> tuple[int, ...]:
        """The audio streams of the output by their index in the source, in order."""
        return tuple(stream.index for stream in self.facts.streams if stream.fate == "copied")

    @property
    def replaced_stretches(self) -> Mapping[int, tuple[MergedSpan, ...]]:
        """What is replaced in which audio stream, by its index in the source; those that are kept are left out."""
        chosen = {
            index: merge_spans(self.spec.audio, number) for number, index in enumerate(self.copied_streams, start=1)
        }
        return {index: found for index, found in chosen.items() if found}

    @property
    def _video_start_s(self) -> Fraction:
        """Seconds on the source's clock at which the first frame is shown."""
        return self.record.frames[0].pts * parse_ratio(self.facts.video.time_base)

    def fingerprint_audio(self) -> Mapping[int, AudioFingerprint]:
        """Fingerprints of the audio streams that are kept as they are, by their index in the source.

        Raises:
            SourceError: a stream cannot be decoded.
        """
        kept = [index for index in self.copied_streams if index not in self.replaced_stretches]
        return dict(zip(kept, fingerprint_audio(self.source, kept, video_start=self._video_start_s), strict=True))

    def compare_audio(self, target: Path, fingerprints: Mapping[int, AudioFingerprint]) -> Iterator[AudioComparison]:
        """Hold each audio stream of an output against the source's.

        Args:
            target: the output; it has as many audio streams as the source.
            fingerprints: what `audio` gives.

        Raises:
            SourceError: a stream cannot be decoded.
        """
        streams, start = list_audio_streams(target)
        places = dict(zip(self.copied_streams, streams, strict=True))
        prints = dict(
            zip(fingerprints, fingerprint_audio(target, [places[index] for index in fingerprints]), strict=True)
        )
        for number, index in enumerate(self.copied_streams, start=1):
            if index in fingerprints:
                yield AudioComparison(
                    number, fingerprints[index].codec, describe_audio_changes(fingerprints[index], prints[index])
                )
            else:
                yield self._compare_replaced(number, index, StreamLocation(target, places[index], start))

    def _compare_replaced(self, number: int, index: int, output: StreamLocation) -> AudioComparison:
        sound = read_audio_format(self.source, index)
        codec = sound.choose_lossless_codec(self.spec.container.suffix)
        found = compare_streams(
            StreamLocation(self.source, index, self._video_start_s), output, codec, self.replaced_stretches[index]
        )
        facts = (number, index, sound.codec, codec, sound.kind, sound.rate, sound.channels, tuple(found.pieces))
        return AudioComparison(number, sound.codec, found.changes, AlteredAudio(*facts))

    def _frame_mismatch_error(self, frame: SourceFrame | None, plan: FramePlan | None) -> SourceError:
        index = frame.index if frame else plan.index if plan else 0
        return SourceError(
            f"Frame {index} of {self.source} is not the frame {index} of the record; the decoder gives other frames "
            "than when faces were found. Detect again with this version of Veil."
        )


@dataclass(frozen=True, slots=True)
class AudioComparison:
    """An audio stream of an output held against the source's.

    Attributes:
        number: of the stream among the audio streams, from 1.
        codec: of the source's stream.
        changes: what is not as it should be, in words; empty when all is.
        altered: what was replaced in it; None when it is kept as it is.
    """

    number: int
    codec: str
    changes: Sequence[str]
    altered: AlteredAudio | None = None


class JobEncoder:
    """Encodes the frames of a job into a file without audio. Use as a context manager."""

    def __init__(self, job: RenderJob, video: Path, y4m: Path | None = None) -> None:
        self._job, self._video, self._y4m = job, video, y4m
        self._exit_stack = ExitStack()
        self._video_writer: VideoWriter | None = None
        self._y4m_writer: Y4mWriter | None = None
        self.counts = FrameCounts()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit_stack.__exit__(kind, error, trace)

    @property
    def encoding(self) -> Encoding:
        """The encoder with its options; known from the first frame on."""
        if self._video_writer is None:
            raise ValueError("no frame was written yet")
        return self._video_writer.encoding

    def write_frame(self, masked: MaskedFrame) -> None:
        """Hand the next frame to the encoder.

        Raises:
            TargetError: a file cannot be written.
            RenderError: a frame cannot be encoded.
        """
        writer = self._video_writer or self._open_writers(masked.picture)
        writer.write(masked.picture, masked.plan.pts)
        if self._y4m_writer is not None:
            self._y4m_writer.write(masked.picture)
        self.counts.count_frame(masked.plan)

    def _open_writers(self, first: Picture) -> VideoWriter:
        job, video = self._job, self._job.facts.video
        self._video_writer = self._exit_stack.enter_context(
            VideoWriter(self._video, video, first.format, job.spec.encoder, _build_signal(job.info))
        )
        if self._y4m is not None:
            self._y4m_writer = self._exit_stack.enter_context(Y4mWriter(self._y4m, video, first.format))
        return self._video_writer


def prepare_job(
    source: Path,
    record: Path | str | Record,
    make_spec: SpecMaker,
    listener: ProgressListener,
    review: Path | str | Review | None = None,
) -> RenderJob:
    """Bring a source, its record, its review and a spec together; nothing is written yet.

    Args:
        source: the video that the record is of.
        record: a detection record, or the path of one.
        make_spec: makes the spec, once it is known what the source is.
        listener: hears of progress.
        review: amendments of that record, or the path of them.

    Raises:
        RecordError: record or review is invalid, or of another video or record.
        SourceError: the source is unreadable.
    """
    document, digest = load_record(record)
    amendments = load_review(review, digest)
    folded = AmendedRecord(document, amendments)
    info = probe(source, listener=listener)
    if info.sha256 != document.source.sha256:
        name = f" {record}" if isinstance(record, Path | str) else ""
        raise RecordError(f"The record{name} is of another video than {source}; give its own, or detect this one.")
    facts = make_source_facts(info, len(document.frames))
    reviewed = amendments.sha256 if amendments else None
    return RenderJob(source, info, facts, document, digest, make_spec(info), folded, reviewed)


def _mask_picture(
    original: Picture, plan: FramePlan, canvas: Picture, tools: tuple[Painter, Watermark | None]
) -> Picture:
    """The picture with its faces covered, drawn on one sheet that serves every frame: new memory costs more."""
    painter, stamp = tools
    if plan.covered:
        cover_picture(canvas)
    elif plan.boxes or stamp is not None:
        for plane, drawn in zip(original.planes, canvas.planes, strict=True):
            np.copyto(drawn, plane)
        painter.paint(canvas, plan.boxes)
    else:
        return original
    if stamp is not None:
        stamp.draw_on(canvas)
    return canvas


def _allocate_like(picture: Picture) -> Picture:
    return Picture(picture.format, tuple(np.empty_like(plane, subok=False) for plane in picture.planes))


def _build_signal(info: MediaInfo) -> Signal:
    video = info.video
    light = (video.hdr.max_content_light, video.hdr.max_average_light)
    return Signal(
        field_order=video.field_order if video.interlaced else None,
        mastering_display=video.hdr.mastering_display,
        content_light=(light[0] or 0, light[1] or 0) if any(light) else None,
    )
