"""Sources with many kinds of audio, and a render of them that covers nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Picture, PixelFormat
from engine.media.facts import MediaInfo, make_source_facts
from engine.media.output.encoder import EncoderSettings
from engine.media.output.writer import VideoWriter
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import Colour, SourceFacts, VideoFacts

ENCODERS = {
    "aac": ("aac", "-b:a", "96k"),
    "mp3": ("libmp3lame",),
    "opus": ("libopus",),
    "ac3": ("ac3",),
    "flac": ("flac",),
    "pcm_s16le": ("pcm_s16le",),
    "pcm_s24le": ("pcm_s24le",),
    "mp2": ("mp2",),
}
YUV420 = PixelFormat("yuv420p", 8, (1, 1), "yuv", full_range=False)


def run_ffmpeg(*arguments: str | Path) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def make_source(path: Path, codec: str, tones: Sequence[tuple[float, float]], *, video: Sequence[str] = ()) -> Path:
    """A clip of 1.2 seconds with one audio stream for each (start, duration) in seconds."""
    picture = "testsrc2=size=160x120:rate=30000/1001:duration=1.2"
    command: list[str | Path] = ["-f", "lavfi", "-i", picture]
    for pitch, (start, seconds) in enumerate(tones):
        tone = f"sine=frequency={300 + 200 * pitch}:sample_rate=48000:duration={seconds}"
        command += ["-itsoffset", str(start), "-f", "lavfi", "-i", tone]
    for index in range(len(tones) + 1):
        command += ["-map", str(index)]
    command += ["-c:a", *ENCODERS[codec], "-ac", "2", *(video or _video_codec(path))]
    run_ffmpeg(*command, path)
    return path


def _video_codec(path: Path) -> list[str]:
    if path.suffix == ".webm":
        return ["-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime"]
    return ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0" if path.suffix == ".avi" else "2"]


def probe_facts(path: Path) -> tuple[MediaInfo, SourceFacts]:
    info = probe(path)
    return info, make_source_facts(info, info.video.packets)


def encode_frames(path: Path, target: Path, settings: EncoderSettings) -> list[int]:
    """Encode a source's pictures as they are; their time stamps."""
    info, facts = probe_facts(path)
    times: list[int] = []
    with open_source(path, info) as frames:
        writer: VideoWriter | None = None
        for frame in frames.frames():
            picture = frame.picture()
            writer = writer or VideoWriter(target, facts.video, picture.format, settings)
            writer.write(picture, frame.pts)
            times.append(frame.pts)
    assert writer is not None
    writer.close()
    return times


def make_video_facts(
    size: Size, pixels: PixelFormat, time_base: str = "1/25", colour: Colour | None = None, frames: int = 40
) -> VideoFacts:
    """Facts of a source that exists only as `picture`."""
    return VideoFacts(
        index=0,
        codec="h264",
        coded=size,
        display=size,
        sample_aspect_ratio="1/1",
        rotation=0,
        mirrored=False,
        pixel_format=pixels.name,
        colour=colour or Colour(None, None, None, None),
        time_base=time_base,
        declared_frames=None,
        frames=frames,
        declared_rate="25/1",
    )


def make_picture(pixels: PixelFormat, size: Size, number: int) -> Picture:
    """A moving pattern that uses every bit of a sample; its rows are padded."""
    planes = []
    for index in range(len(pixels.planes)):
        across, down = pixels.plane_shift(index)
        rows, columns = -(-size.height >> down), -(-size.width >> across)
        grid = np.add.outer(np.arange(rows) * (index + 1), np.arange(columns + 8)) + 3 * number
        planes.append((grid % (1 << pixels.bit_depth)).astype(pixels.dtype)[:, :columns])
    return Picture(pixels, tuple(planes))
