"""Compares each frame of an output with the frame as it should be; with a second render, if that is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from engine.core.progress import ProgressListener
from engine.errors import SourceError
from engine.media.facts import MediaInfo
from engine.media.frame import SourceFrame
from engine.media.source.decode import Source, open_source
from engine.media.source.prefetch import prefetch
from engine.rendering.encode import JobEncoder, make_encoder_inputs
from engine.rendering.job import RenderJob
from engine.rendering.masked_frames import MaskedFrame
from engine.rendering.output_audio import mux_job
from engine.rendering.passthrough import plan_passthrough
from engine.rendering.pictures import encode_pictures
from engine.storage.files import hash_file
from engine.storage.scratch import own_temporary_folder
from engine.verification.pixel_check import PixelCheck

_PREFETCH_FRAMES = 3
"""Frames of the output that are decoded ahead; more only cost memory."""


@dataclass(slots=True)
class FrameComparison:
    """The frames of a job beside those of an output.

    Attributes:
        pixels: what differs in the pictures.
        source_pts: presentation times of the frames of the source.
        output_pts: those of the frames of the output.
        decode_error: why the output could not be decoded to its end; None if it could.
        same_bytes: True if a second render gave the bytes of the output; None if there was none.
    """

    pixels: PixelCheck
    source_pts: array[int] = field(default_factory=lambda: array("q"))
    output_pts: array[int] = field(default_factory=lambda: array("q"))
    decode_error: str | None = None
    same_bytes: bool | None = None

    @property
    def compared_frames(self) -> int:
        """Number of frames so far, of the source or of the output, whichever has more."""
        return max(len(self.source_pts), len(self.output_pts))

    def add_pair(self, masked: MaskedFrame | None, rendered: SourceFrame | None) -> None:
        """Compare a frame as it should be with the frame of the output that has the same index."""
        if masked is not None:
            self.source_pts.append(masked.frame.pts)
        if rendered is not None:
            self.output_pts.append(rendered.pts)
        if masked is not None and rendered is not None:
            self.pixels.compare_frame(masked, rendered.picture())

    def compare_pairs(
        self, wanted: Iterator[MaskedFrame], output: Path, info: MediaInfo
    ) -> Iterator[MaskedFrame | None]:
        """Compare the frames as they should be with those of an output; yield each after its comparison."""
        with (
            open_source(output, info) as opened,
            prefetch(self._read_output(opened), _PREFETCH_FRAMES) as frames,
        ):
            for masked, rendered in zip_longest(wanted, frames):
                self.add_pair(masked, rendered)
                yield masked

    def _read_output(self, output: Source) -> Iterator[SourceFrame]:
        """Decode the output; a frame that does not decode ends it, and is a finding rather than an error."""
        try:
            yield from output.frames()
        except SourceError as error:
            self.decode_error = str(error)


def compare_frames(
    job: RenderJob, output: Path, info: MediaInfo, copied: Sequence[range] = (), *, listener: ProgressListener
) -> FrameComparison:
    """Decode and mask the source once more, and compare each picture with the output's.

    Args:
        job: the job that should have made the output.
        output: the output.
        info: what probing the output gave.
        copied: indices of frames that are the source's own packets.
        listener: receives the progress.

    Raises:
        SourceError: a frame of the source cannot be decoded, or the frames are not those of the record.
    """
    comparison = _start_comparison(job, copied)
    for _ in comparison.compare_pairs(job.mask_frames(), output, info):
        listener.progress("verify", comparison.compared_frames, len(job.record.frames))
    return comparison


def compare_with_second_render(
    job: RenderJob, output: Path, info: MediaInfo, copied: Sequence[range] = (), *, listener: ProgressListener
) -> FrameComparison:
    """Render a job once more into a temporary folder, and compare the result with an output, frame by frame.

    Decoding and masking run once for both purposes, except for a job in segments. Encoding takes most of the time.

    Args:
        job: the job that should have made the output.
        output: the output.
        info: what probing the output gave.
        copied: indices of frames that are the source's own packets.
        listener: receives the progress.

    Raises:
        SourceError: a frame of the source cannot be decoded, or the frames are not those of the record.
        RenderError: a frame cannot be encoded.
    """
    comparison = _start_comparison(job, copied)
    with own_temporary_folder() as folder:
        # The intermediate file is MOV as in `render`: Matroska would round the time stamps to milliseconds.
        video, second_output = folder / "video.mov", folder / output.name
        if job.spec.segment_seconds is not None:
            comparison = compare_frames(job, output, info, copied, listener=listener)
            encode_pictures(job, video, listener)
            mux_job(job, video, second_output)
            comparison.same_bytes = hash_file(second_output) == info.sha256
            return comparison
        passthrough = plan_passthrough(job)
        with JobEncoder(make_encoder_inputs(job), video, copies=passthrough.copies if passthrough else None) as encoder:
            for masked in comparison.compare_pairs(job.mask_frames(encoder.copy_picture), output, info):
                if masked is not None:
                    encoder.write_frame(masked)
                listener.progress("verify", comparison.compared_frames, len(job.record.frames))
        mux_job(job, video, second_output)
        comparison.same_bytes = hash_file(second_output) == info.sha256
    return comparison


def _start_comparison(job: RenderJob, copied: Sequence[range]) -> FrameComparison:
    pixels = PixelCheck(job.info.video.orientation, job.spec.style, job.spec.encoder.crf)
    pixels.copied = frozenset(index for frames in copied for index in frames)
    return FrameComparison(pixels)


def describe_frames(indices: Sequence[int]) -> str:
    """Name the first three frames of a list and the number of the others, as the subject of a sentence."""
    if len(indices) == 1:
        return f"frame {indices[0]} is"
    more = f" and {len(indices) - 3} more" if len(indices) > 3 else ""
    return f"frames {', '.join(map(str, indices[:3]))}{more} are"
