"""Encodes the masked frames of a job, and counts them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from engine.core.picture import Picture, PixelFormat
from engine.core.progress import ProgressListener
from engine.media.facts import MediaInfo
from engine.media.output.encoder import EncoderSettings, Encoding, Signal
from engine.media.output.passthrough import CopiedGroups
from engine.media.output.writer import VideoWriter, Y4mWriter
from engine.media.pixels import planar_format_from_name
from engine.record import VideoFacts
from engine.rendering.job import RenderJob
from engine.rendering.masked_frames import MaskedFrame
from engine.review.plan import FramePlan


@dataclass(slots=True)
class FrameCounts:
    """Numbers of frames.

    Attributes:
        frames: frames that were written.
        masked: frames with a mask.
        covered: frames that are covered whole; they do not count as masked.
    """

    frames: int = 0
    masked: int = 0
    covered: int = 0

    @classmethod
    def sum(cls, parts: Iterable[FrameCounts]) -> FrameCounts:
        """Add the numbers of several parts of a video."""
        parts = tuple(parts)
        return cls(*(sum(getattr(part, name) for part in parts) for name in ("frames", "masked", "covered")))

    def count_frame(self, plan: FramePlan) -> None:
        """Count a frame."""
        self.frames += 1
        self.masked += bool(plan.boxes) and not plan.covered
        self.covered += plan.covered


class EncoderInputs(NamedTuple):
    """What an encoder has to know of a source: the facts of the file and of its video, and the settings."""

    info: MediaInfo
    video: VideoFacts
    settings: EncoderSettings


class JobEncoder:
    """Encodes the frames of a job into a file without audio. Use it as a context manager.

    Args:
        inputs: the source and the settings.
        video: intermediate file to write.
        y4m: file for the pictures as the encoder receives them; None for no such file.
        copies: groups of pictures that are copied; their frames are counted, and not encoded when they are written.

    Attributes:
        copied_pts: presentation times of the frames that are copied.
    """

    def __init__(
        self, inputs: EncoderInputs, video: Path, y4m: Path | None = None, copies: CopiedGroups | None = None
    ) -> None:
        self._inputs, self._video, self._y4m, self._copies = inputs, video, y4m, copies
        self.copied_pts = copies.copied_pts if copies else frozenset()
        self._exit_stack = ExitStack()
        self._video_writer: VideoWriter | None = None
        self._y4m_writer: Y4mWriter | None = None
        self.counts = FrameCounts(frames=len(self.copied_pts))

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

    def copy_picture(self, picture: Picture) -> Picture:
        """Return a copy to draw on, for the next frame (see `VideoWriter.copy_picture`)."""
        return (self._video_writer or self._open_writers(picture.format)).copy_picture(picture)

    def write_frame(self, masked: MaskedFrame) -> None:
        """Hand the next frame to the encoder.

        Raises:
            TargetError: a file cannot be written.
            RenderError: a frame cannot be encoded.
        """
        writer = self._video_writer or self._open_writers(masked.picture.format)
        if masked.plan.pts in self.copied_pts:
            return
        writer.write(masked.picture, masked.plan.pts)
        if self._y4m_writer is not None:
            self._y4m_writer.write(masked.picture)
        self.counts.count_frame(masked.plan)

    def open(self) -> None:
        """Open the file if no frame did, because all are copied."""
        if self._video_writer is None:
            video = self._inputs.info.video
            self._open_writers(planar_format_from_name(video.pixel_format, full=video.colour.range == "pc"))

    def _open_writers(self, pixels: PixelFormat) -> VideoWriter:
        # Opened at the first frame, because the pixel format that the decoder gives may differ from the declared one.
        info, video, settings = self._inputs
        self._video_writer = self._exit_stack.enter_context(
            VideoWriter(self._video, video, pixels, settings, _build_signal(info), copies=self._copies)
        )
        if self._y4m is not None:
            self._y4m_writer = self._exit_stack.enter_context(Y4mWriter(self._y4m, video, pixels))
        return self._video_writer


def make_encoder_inputs(job: RenderJob) -> EncoderInputs:
    """Return what the encoder of a job has to know."""
    return EncoderInputs(job.info, job.facts.video, job.spec.encoder)


def encode_job(
    job: RenderJob,
    video: Path,
    listener: ProgressListener,
    *,
    y4m: Path | None = None,
    copies: CopiedGroups | None = None,
) -> tuple[FrameCounts, Encoding]:
    """Encode every masked frame of a job into a file without audio.

    Args:
        job: the job.
        video: intermediate file to write.
        listener: receives the progress.
        y4m: file for the pictures as the encoder receives them.
        copies: groups of pictures that are copied.

    Returns:
        The numbers of frames, and the encoder with its options.

    Raises:
        SourceError: a frame cannot be decoded, or the frames are not those of the record.
        TargetError: a file cannot be written.
        RenderError: a frame cannot be encoded.
    """
    with JobEncoder(make_encoder_inputs(job), video, y4m, copies) as encoder:
        for masked in job.mask_frames(encoder.copy_picture, encoder.copied_pts):
            encoder.write_frame(masked)
            listener.progress("render", encoder.counts.frames, len(job.record.frames))
        encoder.open()
    return encoder.counts, encoder.encoding


def _build_signal(info: MediaInfo) -> Signal:
    video = info.video
    light = (video.hdr.max_content_light, video.hdr.max_average_light)
    return Signal(
        field_order=video.field_order if video.interlaced else None,
        mastering_display=video.hdr.mastering_display,
        content_light=(light[0] or 0, light[1] or 0) if any(light) else None,
    )
