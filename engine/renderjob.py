"""A render as a job: source, record and spec brought together, run by `engine.rendering`, repeated by verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from engine import record as records
from engine.errors import RecordError, SourceError
from engine.media.ahead import ahead
from engine.media.containers import ContainerChoice
from engine.media.decode import OnDamage, open_source
from engine.media.encode import EncoderSettings, Encoding, Signal
from engine.media.facts import MediaInfo, source_facts
from engine.media.frame import SourceFrame
from engine.media.mux import mux
from engine.media.probe import probe
from engine.media.streams import AudioPrint, audio_prints
from engine.media.writer import VideoWriter, Y4mWriter
from engine.picture import Picture
from engine.progress import Listener
from engine.record import Document, Record, SourceFacts
from engine.redact.apply import cover, redact
from engine.redact.style import Style
from engine.review.amendments import Review
from engine.review.fold import Folded
from engine.review.plan import FramePlan, planned
from engine.review.reviews import read_review

DRAFT = "Veil draft: not reviewed"
FINAL = "Veil release: reviewed and approved"
_AHEAD = 3
"""Frames that are decoded while one is masked; more only cost memory."""

SpecMaker = Callable[[MediaInfo], "RenderSpec"]


class RenderSpec(Document, frozen=True):
    """Everything that, with source, record and review, decides an output's bytes.

    Attributes:
        comment: the one tag that is written into the output.
    """

    style: Style
    encoder: EncoderSettings
    container: ContainerChoice
    comment: str | None


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
                yield Redacted(plan, frame, original, self._covered(original, plan, sheet))

    def _covered(self, original: Picture, planned: FramePlan, sheet: Picture) -> Picture:
        """The picture with its faces covered, drawn on one sheet that serves every frame: new memory costs more."""
        if planned.covered:
            cover(sheet)
            return sheet
        if not planned.boxes:
            return original
        for plane, drawn in zip(original.planes, sheet.planes, strict=True):
            np.copyto(drawn, plane)
        video = self.info.video
        redact(sheet, planned.boxes, video.orientation, self.spec.style, video.colour.matrix)
        return sheet

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
        mux(video, self.source, target, self.facts, self.spec.container, first_pts=first, comment=comment)

    def audio(self) -> tuple[AudioPrint, ...]:
        """Fingerprints of the audio streams that are copied, as they are in the source.

        Raises:
            SourceError: a stream cannot be decoded.
        """
        copied = [stream.index for stream in self.facts.streams if stream.fate == "copied"]
        start = self.record.frames[0].pts * records.fraction(self.facts.video.time_base)
        return audio_prints(self.source, copied, video_start=start)

    def _stranger(self, frame: SourceFrame | None, planned: FramePlan | None) -> SourceError:
        index = frame.index if frame else planned.index if planned else 0
        return SourceError(
            f"Frame {index} of {self.source} is not the frame {index} of the record; the decoder gives other frames "
            "than when faces were found. Detect again with this version of Veil."
        )


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


def load_record(record: Path | str | Record) -> tuple[Record, str]:
    """A record and the SHA-256 of its stored bytes.

    Raises:
        RecordError: it cannot be read or is invalid.
    """
    if isinstance(record, Record):
        return record, records.digest(records.encode(record))
    data = records.read_bytes(Path(record))
    return records.decode(data, str(record)), records.digest(data)


def load_review(review: Path | str | Review | None, record_sha256: str) -> Review | None:
    """A review of the record with that hash.

    Raises:
        RecordError: it cannot be read, is invalid, or is of another record.
    """
    if isinstance(review, Path | str):
        return read_review(Path(review), record_sha256)
    if review is not None and review.record_sha256 != record_sha256:
        raise RecordError("The review is of another record than the one that is given; give its own.")
    return review


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
