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

from engine import record as records
from engine.audio.compare import AlteredAudio, End, compare
from engine.audio.replacement_tracks import tracks
from engine.audio.spans import Stretch, stretches
from engine.core.picture import Picture, PixelFormat
from engine.core.progress import Listener
from engine.errors import RecordError, SourceError
from engine.masking.painter import Painter, cover
from engine.masking.watermark import Stamp
from engine.media.audio_samples import sound_format
from engine.media.audio_streams import AudioPrint, audio_changes, audio_prints, audio_streams
from engine.media.facts import MediaInfo, source_facts
from engine.media.frame import SourceFrame
from engine.media.output.encoder import Encoding, Signal
from engine.media.output.mux import mux
from engine.media.output.writer import VideoWriter, Y4mWriter
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.prefetch import ahead
from engine.media.source.probe import probe
from engine.record import Record, SourceFacts
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import Folded
from engine.review.load import load_record, load_review
from engine.review.plan import FramePlan, planned

_AHEAD = 3
"""Frames that are decoded while one is masked; more only cost memory."""

SpecMaker = Callable[[MediaInfo], "RenderSpec"]


class Redacted(NamedTuple):
    """A frame on its way to the encoder.

    Attributes:
        planned: what was to become of it.
        frame: as it was decoded.
        original: views of the decoded picture.
        picture: with its faces covered, until the next frame is asked for; the original when nothing was to be covered.
    """

    planned: FramePlan
    frame: SourceFrame
    original: Picture
    picture: Picture


@dataclass(slots=True)
class Tally:
    """How many frames were written, how many of them with a mask, and how many covered whole."""

    frames: int = 0
    masked: int = 0
    covered: int = 0

    def add(self, planned: FramePlan) -> None:
        """Count a frame."""
        self.frames += 1
        self.masked += bool(planned.boxes) and not planned.covered
        self.covered += planned.covered


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A source, its record with what its reviewers made of it, and a spec that belong together.

    Attributes:
        record_sha256: of the record's stored bytes.
        folded: the record with the amendments of the review applied.
        review_sha256: of the review's stored bytes, None without a review.
    """

    source: Path
    info: MediaInfo
    facts: SourceFacts
    record: Record
    record_sha256: str
    spec: RenderSpec
    folded: Folded
    review_sha256: str | None = None

    def redacted(self) -> Iterator[Redacted]:
        """Every frame of the source, its faces covered.

        Raises:
            SourceError: a frame cannot be decoded, or the frames are not those of the record.
        """
        sheet: Picture | None = None
        painter: Painter | None = None
        stamp: Stamp | None = None
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        with (
            open_source(self.source, self.info, on_damage=on_damage) as source,
            ahead(source.frames(), _AHEAD) as frames,
        ):
            for frame, plan in zip_longest(frames, planned(self.folded)):
                if frame is None or plan is None or frame.pts != plan.pts:
                    raise self._stranger(frame, plan)
                if frame.damaged and not plan.covered:
                    raise SourceError(
                        f"Frame {frame.index} of {self.source} cannot be decoded whole, though it could when faces "
                        "were found. Check the disk, and detect again."
                    )
                original = frame.picture()
                sheet = sheet or _blank_like(original)
                painter = painter or self._painter(original.format)
                stamp = stamp or self._stamp(original.format)
                yield Redacted(plan, frame, original, _covered(original, plan, sheet, (painter, stamp)))

    def _stamp(self, pixels: PixelFormat) -> Stamp | None:
        video, mark = self.info.video, self.spec.mark
        return None if mark is None else Stamp(mark, pixels, video.orientation, video.colour.matrix)

    def _painter(self, pixels: PixelFormat) -> Painter:
        video = self.info.video
        return Painter(pixels, video.orientation, self.spec.style, video.colour.matrix)

    def encode(self, video: Path, listener: Listener, *, y4m: Path | None = None) -> tuple[Tally, Encoding]:
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
            for redacted in self.redacted():
                encoder.write(redacted)
                listener.progress("render", encoder.tally.frames, len(self.record.frames))
        return encoder.tally, encoder.encoding

    def join(self, video: Path, target: Path) -> None:
        """Put encoded frames and the source's audio together into `target`.

        Raises:
            TargetError: it cannot be written.
            RenderError: the container does not take the streams.
        """
        first, comment = self.record.frames[0].pts, self.spec.comment
        with tempfile.TemporaryDirectory(prefix="veil-", dir=video.parent) as folder:
            made = tracks(self.source, self.altered, self._origin, self.spec.container.suffix, Path(folder))
            facts, container = self.facts, self.spec.container
            mux(video, self.source, target, facts, container, first_pts=first, comment=comment, tracks=made)

    @property
    def copied(self) -> tuple[int, ...]:
        """The audio streams of the output by their index in the source, in order."""
        return tuple(stream.index for stream in self.facts.streams if stream.fate == "copied")

    @property
    def altered(self) -> Mapping[int, tuple[Stretch, ...]]:
        """What is replaced in which audio stream, by its index in the source; those that are kept are left out."""
        chosen = {index: stretches(self.spec.audio, number) for number, index in enumerate(self.copied, start=1)}
        return {index: found for index, found in chosen.items() if found}

    @property
    def _origin(self) -> Fraction:
        """Seconds on the source's clock at which the first frame is shown."""
        return self.record.frames[0].pts * records.fraction(self.facts.video.time_base)

    def audio(self) -> Mapping[int, AudioPrint]:
        """Fingerprints of the audio streams that are kept as they are, by their index in the source.

        Raises:
            SourceError: a stream cannot be decoded.
        """
        kept = [index for index in self.copied if index not in self.altered]
        return dict(zip(kept, audio_prints(self.source, kept, video_start=self._origin), strict=True))

    def heard(self, target: Path, kept: Mapping[int, AudioPrint]) -> Iterator[Heard]:
        """Hold each audio stream of an output against the source's.

        Args:
            target: the output; it has as many audio streams as the source.
            kept: what `audio` gives.

        Raises:
            SourceError: a stream cannot be decoded.
        """
        streams, start = audio_streams(target)
        places = dict(zip(self.copied, streams, strict=True))
        prints = dict(zip(kept, audio_prints(target, [places[index] for index in kept]), strict=True))
        for number, index in enumerate(self.copied, start=1):
            if index in kept:
                yield Heard(number, kept[index].codec, audio_changes(kept[index], prints[index]))
            else:
                yield self._altered(number, index, End(target, places[index], start))

    def _altered(self, number: int, index: int, output: End) -> Heard:
        sound = sound_format(self.source, index)
        codec = sound.lossless(self.spec.container.suffix)
        found = compare(End(self.source, index, self._origin), output, codec, self.altered[index])
        facts = (number, index, sound.codec, codec, sound.kind, sound.rate, sound.channels, tuple(found.pieces))
        return Heard(number, sound.codec, found.changes, AlteredAudio(*facts))

    def _stranger(self, frame: SourceFrame | None, planned: FramePlan | None) -> SourceError:
        index = frame.index if frame else planned.index if planned else 0
        return SourceError(
            f"Frame {index} of {self.source} is not the frame {index} of the record; the decoder gives other frames "
            "than when faces were found. Detect again with this version of Veil."
        )


@dataclass(frozen=True, slots=True)
class Heard:
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
        self._open = ExitStack()
        self._writer: VideoWriter | None = None
        self._copy: Y4mWriter | None = None
        self.tally = Tally()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @property
    def encoding(self) -> Encoding:
        """The encoder with its options; known from the first frame on."""
        if self._writer is None:
            raise ValueError("no frame was written yet")
        return self._writer.encoding

    def write(self, redacted: Redacted) -> None:
        """Hand the next frame to the encoder.

        Raises:
            TargetError: a file cannot be written.
            RenderError: a frame cannot be encoded.
        """
        writer = self._writer or self._start(redacted.picture)
        writer.write(redacted.picture, redacted.planned.pts)
        if self._copy is not None:
            self._copy.write(redacted.picture)
        self.tally.add(redacted.planned)

    def _start(self, first: Picture) -> VideoWriter:
        job, video = self._job, self._job.facts.video
        self._writer = self._open.enter_context(
            VideoWriter(self._video, video, first.format, job.spec.encoder, _signal(job.info))
        )
        if self._y4m is not None:
            self._copy = self._open.enter_context(Y4mWriter(self._y4m, video, first.format))
        return self._writer


def prepare(
    source: Path,
    record: Path | str | Record,
    spec: SpecMaker,
    listener: Listener,
    review: Path | str | Review | None = None,
) -> RenderJob:
    """Bring a source, its record, its review and a spec together; nothing is written yet.

    Args:
        source: the video that the record is of.
        record: a detection record, or the path of one.
        spec: makes the spec, once it is known what the source is.
        listener: hears of progress.
        review: amendments of that record, or the path of them.

    Raises:
        RecordError: record or review is invalid, or of another video or record.
        SourceError: the source is unreadable.
    """
    document, digest = load_record(record)
    amendments = load_review(review, digest)
    folded = Folded(document, amendments)
    info = probe(source, listener=listener)
    if info.sha256 != document.source.sha256:
        name = f" {record}" if isinstance(record, Path | str) else ""
        raise RecordError(f"The record{name} is of another video than {source}; give its own, or detect this one.")
    facts = source_facts(info, len(document.frames))
    reviewed = amendments.sha256 if amendments else None
    return RenderJob(source, info, facts, document, digest, spec(info), folded, reviewed)


def _covered(original: Picture, planned: FramePlan, sheet: Picture, tools: tuple[Painter, Stamp | None]) -> Picture:
    """The picture with its faces covered, drawn on one sheet that serves every frame: new memory costs more."""
    painter, stamp = tools
    if planned.covered:
        cover(sheet)
    elif planned.boxes or stamp is not None:
        for plane, drawn in zip(original.planes, sheet.planes, strict=True):
            np.copyto(drawn, plane)
        painter.paint(sheet, planned.boxes)
    else:
        return original
    if stamp is not None:
        stamp.put(sheet)
    return sheet


def _blank_like(picture: Picture) -> Picture:
    return Picture(picture.format, tuple(np.empty_like(plane, subok=False) for plane in picture.planes))


def _signal(info: MediaInfo) -> Signal:
    video = info.video
    light = (video.hdr.max_content_light, video.hdr.max_average_light)
    return Signal(
        field_order=video.field_order if video.interlaced else None,
        mastering_display=video.hdr.mastering_display,
        content_light=(light[0] or 0, light[1] or 0) if any(light) else None,
    )
