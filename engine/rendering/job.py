"""A render job: source, record, review and specification brought together. `render` runs it, `verify` repeats it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from engine.core.progress import ProgressListener
from engine.errors import RecordError
from engine.media.facts import MediaInfo, make_source_facts
from engine.media.source.preflight import check_renderable
from engine.media.source.probe import probe
from engine.record import Record, Sha256, SourceFacts, parse_ratio
from engine.rendering.masked_frames import FrameMasking, MaskedFrame, PictureCopier
from engine.rendering.spec import RenderSpec
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord
from engine.review.load import load_record, load_review
from engine.review.plan import plan_amended_record

SpecMaker = Callable[[MediaInfo], RenderSpec]


class InputHashes(NamedTuple):
    """SHA-256 of the stored bytes of everything that is rendered; None for a review that is not given."""

    source: Sha256
    record: Sha256
    review: Sha256 | None


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
    def frame_masking(self) -> FrameMasking:
        """How the frames of the source are decoded and masked."""
        # A damaged frame is accepted only if the detection accepted damaged frames and planned to cover them whole.
        return FrameMasking(self.source, self.info, self.spec, covers_damage=bool(self.record.damaged))

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
        plans = (plan for plan in plan_amended_record(self.amended_record) if plan.pts not in skipped_pts)
        return self.frame_masking.mask_frames(plans, copy_picture, skipped_pts=skipped_pts)


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
