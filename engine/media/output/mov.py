"""Opens the intermediate MOV file and configures the encoders whose packets it gets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from engine.errors import RenderError, TargetError, VeilError
from engine.media.local_file import local_url
from engine.media.output.encoder import Encoding
from engine.record import VideoFacts


def open_mov(path: Path, encoding: Encoding) -> OutputContainer:
    """Open a MOV file for writing whose clocks count the ticks of an encoding."""
    scale = str(Fraction(encoding.tick).denominator)
    options = {"fflags": "+bitexact", "video_track_timescale": scale, "movie_timescale": scale}
    return av.open(local_url(path), "w", format="mov", options=options)


def configure_encoder(context: VideoCodecContext, encoding: Encoding, video: VideoFacts) -> None:
    """Set the properties of an encoder that are no options."""
    context.width, context.height = video.coded.width, video.coded.height
    context.pix_fmt = encoding.pixel_format
    context.sample_aspect_ratio = Fraction(video.sample_aspect_ratio)
    context.flags |= Flags.frame_duration  # without it the last frame has no duration and players skip it
    context.time_base = Fraction(encoding.tick)


def error_from_ffmpeg(error: FFmpegError, path: Path) -> VeilError:
    """Return the error for a person that says what FFmpeg could not write."""
    if isinstance(error, OSError):
        return TargetError(f"{path} cannot be written: {error.strerror}. Make room or choose another place.")
    return RenderError(f"{path} could not be encoded: {error.strerror}.")
