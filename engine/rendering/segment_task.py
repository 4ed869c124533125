"""The encoding of one segment of a video: what is needed for it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from engine.errors import SourceError
from engine.media.output.encoder import Encoding
from engine.media.source.open_file import read_identity
from engine.media.source.start_points import StartPoint
from engine.record import VideoFacts
from engine.rendering.encode import EncoderInputs, FrameCounts, JobEncoder
from engine.rendering.masked_frames import FrameMasking
from engine.review.plan import FramePlan


class SegmentTask(msgspec.Struct, frozen=True):
    """A segment to encode; another process needs nothing else but the source.

    Attributes:
        masking: how frames are decoded and masked.
        video: facts of the source's video stream.
        start: keyframe from which frames are decoded. None: from the beginning.
        plans: of the frames of the segment.
        next_frame: plan of the frame behind it, which is decoded and compared; None for the end of the video.
        identity: what `read_identity` says of the source.
        target: file to write.
    """

    masking: FrameMasking
    video: VideoFacts
    start: StartPoint | None
    plans: tuple[FramePlan, ...]
    next_frame: FramePlan | None
    identity: tuple[int, int, int]
    target: Path


class EncodedSegment(msgspec.Struct, frozen=True):
    """A segment that was encoded.

    Attributes:
        counts: numbers of its frames.
        encoding: the encoder with its options.
        first_sha256: hash of the samples of its first frame, as this segment decoded it.
        next_sha256: hash of the samples of the frame behind it; None at the end of the video.
    """

    counts: FrameCounts
    encoding: Encoding
    first_sha256: str
    next_sha256: str | None


def encode_segment(task: SegmentTask, report_frames: Callable[[int], None]) -> EncodedSegment:
    """Decode, mask and encode a segment into its file.

    Args:
        task: the segment.
        report_frames: gets the number of frames that are done.

    Raises:
        SourceError: a frame cannot be decoded, or the frames are not those of the plans.
        TargetError: the file cannot be written.
        RenderError: a frame cannot be encoded.
    """
    masking, first_sha256, next_sha256 = task.masking, "", None
    plans = task.plans if task.next_frame is None else (*task.plans, task.next_frame)
    with JobEncoder(EncoderInputs(masking.info, task.video, masking.spec.encoder), task.target) as encoder:
        with closing(masking.mask_frames(plans, encoder.copy_picture, start=task.start)) as frames:
            for masked in frames:
                first_sha256 = first_sha256 or masked.frame.sha256()
                if masked.plan is task.next_frame:
                    next_sha256 = masked.frame.sha256()
                    break
                encoder.write_frame(masked)
                report_frames(encoder.counts.frames)
        # Only the last segment reads to the end of the file, where the decoder itself checks this.
        if read_identity(masking.source) != task.identity:
            raise SourceError(f"{masking.source} was changed during the render. Start again with the file as it is.")
    return EncodedSegment(encoder.counts, encoder.encoding, first_sha256, next_sha256)
