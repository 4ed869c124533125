"""A render job: source, record, review and specification brought together. `render` runs it, `verify` repeats it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.core.picture import Picture
from engine.core.progress import ProgressListener
from engine.errors import RecordError, SourceError
from engine.masking.painter import Painter, cover_picture
from engine.masking.watermark import Watermark
from engine.media.facts import MediaInfo, VideoInfo, make_source_facts
from engine.media.frame import SourceFrame
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.prefetch import prefetch
from engine.media.source.preflight import check_renderable
from engine.media.source.probe import probe
from engine.record import Record, Sha256, SourceFacts, parse_ratio
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord
from engine.review.load import load_record, load_review
from engine.review.plan import FramePlan, plan_amended_record

_PREFETCH_FRAMES = 3
"""Frames that are decoded while one is masked; more only cost memory."""

SpecMaker = Callable[[MediaInfo], RenderSpec]
PictureCopier = Callable[[Picture], Picture]
"""Returns a copy of a picture to draw on. It may use the same memory for each call."""


class InputHashes(NamedTuple):
    """SHA-256 of the stored bytes of everything that is rendered; None for a review that is not given."""

    source: Sha256
    record: Sha256
    review: Sha256 | None


class MaskedFrame(NamedTuple):
    """A frame on its way to the encoder.

    Attributes:
        plan: what is covered in this frame.
        frame: the frame as it was decoded.
        original: views of the decoded picture.
        picture: the picture with its faces covered, valid until the next frame is requested; the original when nothing
            is covered.
    """

    plan: FramePlan
    frame: SourceFrame
    original: Picture
    picture: Picture


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A source, its record, its review and a specification that belong together.

    Attributes:
        source: path of the source.
        info: what probing the source gave.
        facts: the same as the record states it, with what becomes of each stream.
        record: the detection record.
        record_sha256: SHA-256 of the record's stored bytes.
        spec: how the output is made.
        amended_record: the record with the amendments of the review applied.
        review_sha256: SHA-256 of the review's stored bytes, None without a review.
    """

    source: Path
    info: MediaInfo
    facts: SourceFacts
    record: Record
    record_sha256: str
    spec: RenderSpec
    amended_record: AmendedRecord
    review_sha256: str | None = None

    @property
    def copied_audio_streams(self) -> tuple[int, ...]:
        """The audio streams of the output by their index in the source, in order."""
        return tuple(stream.index for stream in self.facts.streams if stream.fate == "copied")

    @property
    def hashes(self) -> InputHashes:
        """The hashes of the inputs."""
        return InputHashes(self.info.sha256, self.record_sha256, self.review_sha256)

    @property
    def cut_packets(self) -> dict[int, int]:
        """Numbers of packets that are left out at the beginning of audio streams, by their index in the source."""
        if self.spec.mux_rules < 2:
            return {}
        return {stream.index: stream.cut_packets for stream in self.info.streams if stream.cut_packets}

    @property
    def video_start_s(self) -> Fraction:
        """Time of the first frame on the source's clock, in seconds."""
        return self.record.frames[0].pts * parse_ratio(self.facts.video.time_base)

    def mask_frames(
        self, copy_picture: PictureCopier | None = None, skipped_pts: Collection[int] = ()
    ) -> Iterator[MaskedFrame]:
        """Decode every frame of the source and cover its faces.

        Args:
            copy_picture: makes the copy that is drawn on. None: one canvas serves every frame.
            skipped_pts: presentation times of whole closed groups of pictures that are neither decoded nor returned.

        Raises:
            SourceError: a frame cannot be decoded, or the frames are not those of the record.
        """
        masker: _FrameMasker | None = None
        # A damaged frame is accepted only if the detection accepted damaged frames and planned to cover them whole.
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        with open_source(self.source, self.info, on_damage=on_damage) as source:
            source.skipped_pts = skipped_pts
            with prefetch(source.frames(), _PREFETCH_FRAMES) as frames:
                # Time stamps are compared frame by frame: with another version of FFmpeg the decoder may drop or repeat
                # a frame, and every mask after it would be on the wrong picture.
                plans = (plan for plan in plan_amended_record(self.amended_record) if plan.pts not in skipped_pts)
                for frame, plan in zip_longest(frames, plans):
                    if frame is None or plan is None or frame.pts != plan.pts:
                        raise self._frame_mismatch_error(frame, plan)
                    if frame.damaged and not plan.covered:
                        raise SourceError(
                            f"Frame {frame.index} of {self.source} cannot be decoded completely, but it could when "
                            "faces were detected. Check the disk, and detect again."
                        )
                    original = frame.picture()
                    masker = masker or _FrameMasker(original, self.info.video, self.spec, copy_picture)
                    yield MaskedFrame(plan, frame, original, masker.mask(original, plan))

    def _frame_mismatch_error(self, frame: SourceFrame | None, plan: FramePlan | None) -> SourceError:
        index = frame.index if frame else plan.index if plan else 0
        return SourceError(
            f"Frame {index} of {self.source} is not frame {index} of the record: the decoder gives other frames than "
            "when faces were detected. Detect again with this version of Veil."
        )


def prepare_job(
    source: Path,
    record: Path | str | Record,
    make_spec: SpecMaker,
    listener: ProgressListener,
    review: Path | str | Review | None = None,
) -> RenderJob:
    """Bring a source, its record, its review and a specification together; nothing is written yet.

    Args:
        source: the video that the record describes.
        record: a detection record, or its path. Give the path of a stored record: its hash is that of the file's bytes.
        make_spec: makes the specification from what probing the source gave.
        listener: receives the progress.
        review: amendments of that record, or their path.

    Raises:
        RecordError: record or review is invalid, or belongs to another video or record.
        SourceError: the source is unreadable.
    """
    # Record and review first: reading them takes a moment, while probing reads and hashes the whole source.
    document, record_sha256 = load_record(record)
    amendments = load_review(review, record_sha256)
    amended_record = AmendedRecord(document, amendments)
    info = probe(source, listener=listener)
    if info.sha256 != document.source.sha256:
        name = f" {record}" if isinstance(record, Path | str) else ""
        raise RecordError(f"The record{name} is of another video than {source}; give its own, or detect this one.")
    facts = make_source_facts(info, len(document.frames))
    check_renderable(source, info)
    if facts.video.crop != document.source.video.crop:
        raise RecordError(
            f"{source} hides a part of its pictures by cropping, and the record was made by a version of Veil that "
            "showed it. Detect again."
        )
    review_sha256 = amendments.sha256 if amendments else None
    return RenderJob(source, info, facts, document, record_sha256, make_spec(info), amended_record, review_sha256)


class _FrameMasker:
    """Covers the faces of one frame after another, on a copy.

    The decoded picture is never changed: the decoder still uses it as a reference for later frames, and drawing on it
    would change them, differently with each timing of its threads.

    Args:
        first: the first picture, for the format and the size of the planes.
        video: facts of the source's video stream.
        spec: style, and the word to write into the pictures.
        copy_picture: makes the copies.
    """

    def __init__(
        self, first: Picture, video: VideoInfo, spec: RenderSpec, copy_picture: PictureCopier | None = None
    ) -> None:
        self._copy_picture = copy_picture or _Canvas(first).copy_picture
        self._painter = Painter(first.format, video.orientation, spec.style, video.colour.matrix)
        self._watermark = (
            None if spec.mark is None else Watermark(spec.mark, first.format, video.orientation, video.colour.matrix)
        )

    def mask(self, original: Picture, plan: FramePlan) -> Picture:
        """Return the picture with its faces covered, valid until the next call."""
        if not (plan.covered or plan.boxes or self._watermark is not None):
            return original  # nothing is drawn, so the copy is saved
        picture = self._copy_picture(original)
        if plan.covered:
            cover_picture(picture)
        else:
            self._painter.paint(picture, plan.boxes)
        if self._watermark is not None:
            self._watermark.draw_on(picture)
        return picture


class _Canvas:
    """Copies one picture after another into the same memory, because fresh memory costs more time than the masks."""

    def __init__(self, first: Picture) -> None:
        self._picture = Picture(first.format, tuple(np.empty_like(plane, subok=False) for plane in first.planes))

    def copy_picture(self, picture: Picture) -> Picture:
        """Return the copy, valid until the next call."""
        for plane, copied in zip(picture.planes, self._picture.planes, strict=True):
            np.copyto(copied, plane)
        return self._picture
