"""Makes the pictures of an output as its specification says: encoded as one, in segments, or partly copied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.core.progress import ProgressListener
from engine.media.output.encoder import Encoding
from engine.rendering.encode import FrameCounts, encode_job
from engine.rendering.job import RenderJob
from engine.rendering.passthrough import PassthroughFacts, plan_passthrough
from engine.rendering.segments import SegmentFacts, encode_in_segments


@dataclass(frozen=True, slots=True)
class EncodedPictures:
    """What is known of the pictures of an output.

    Attributes:
        counts: numbers of frames.
        encoding: the encoder with its options.
        passthrough: the frames that were copied; None if that was not asked for.
        segments: the segments; None if they were not asked for.
    """

    counts: FrameCounts
    encoding: Encoding
    passthrough: PassthroughFacts | None = None
    segments: SegmentFacts | None = None


def encode_pictures(
    job: RenderJob,
    video: Path,
    listener: ProgressListener,
    *,
    y4m: Path | None = None,
    processes: int | None = None,
) -> EncodedPictures:
    """Encode the masked frames of a job into a file without audio.

    Args:
        job: the job.
        video: intermediate file to write, in a folder of its own.
        listener: receives the progress.
        y4m: file for the pictures as the encoder receives them; not for a job with segments.
        processes: segments that are encoded at once. None: as many as keep the cores busy.

    Raises:
        SourceError: a frame cannot be decoded, or the frames are not those of the record.
        TargetError: a file cannot be written.
        RenderError: a frame cannot be encoded.
    """
    if job.spec.segment_seconds is not None:
        counts, encoding, segments = encode_in_segments(job, video, listener, processes)
        return EncodedPictures(counts, encoding, segments=segments)
    passthrough = plan_passthrough(job)
    copies = passthrough.copies if passthrough else None
    counts, encoding = encode_job(job, video, listener, y4m=y4m, copies=copies)
    return EncodedPictures(counts, encoding, passthrough.facts if passthrough else None)
