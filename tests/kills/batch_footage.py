"""Footage for killing a batch: short clips of twenty kinds with a face, and files that are broken in different ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import skimage.data

from tests import clips

_SIZE = (160, 120)
_FACE = (slice(30, 190), slice(150, 310))
"""Where the face is in scikit-image's picture of an astronaut."""


@dataclass(frozen=True)
class Kind:
    """A kind of clip: the suffix of its name, and what `clips.video` gets."""

    suffix: str
    options: Mapping[str, Any]


KINDS: Mapping[str, Kind] = {
    "h264": Kind(".mp4", {}),
    "b-frames": Kind(".mp4", {"options": ["-bf", "2", "-x264-params", "b-adapt=0"]}),
    "ten-bit": Kind(".mp4", {"pixel_format": "yuv420p10le"}),
    "422": Kind(".mp4", {"pixel_format": "yuv422p"}),
    "444": Kind(".mp4", {"pixel_format": "yuv444p"}),
    "fast": Kind(".mp4", {"rate": "60000/1001"}),
    "odd": Kind(".mkv", {"size": (155, 117), "pixel_format": "yuv444p"}),
    "tags": Kind(".mp4", {"options": ["-metadata", "title=Ms Doe", "-metadata", "location=+51.5-000.1/"]}),
    "quicktime": Kind(".mov", {"audio": [clips.Audio()]}),
    "aac": Kind(".mp4", {"audio": [clips.Audio()]}),
    "late": Kind(".mp4", {"audio": [clips.Audio(late=0.08)]}),
    "two-audio": Kind(".mkv", {"audio": [clips.Audio(language="eng"), clips.Audio(pitch=880, language="deu")]}),
    "flac": Kind(".mkv", {"audio": [clips.Audio(codec="flac")]}),
    "hevc": Kind(".mp4", {"codec": "libx265", "options": ["-x265-params", "log-level=none"]}),
    "vp9": Kind(
        ".webm", {"codec": "libvpx-vp9", "options": ["-cpu-used", "8"], "audio": [clips.Audio("libopus", 48000)]}
    ),
    "mpeg4": Kind(".avi", {"codec": "mpeg4", "audio": [clips.Audio("libmp3lame")]}),
    "mpeg2": Kind(".ts", {"codec": "mpeg2video", "audio": [clips.Audio("mp2")]}),
    "mjpeg": Kind(".avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "wmv": Kind(".wmv", {"codec": "mpeg4"}),
    "prores": Kind(".mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
}  # fmt: skip


def _cut(clip: bytes) -> bytes:
    return clip[: len(clip) // 3]


def _damage_pictures(clip: bytes) -> bytes:
    # Behind the header of the media data, so that the container is whole and frames are not.
    start = clip.index(b"mdat") + 1200
    return clip[:start] + bytes(len(clip[start : start + 2500])) + clip[start + 2500 :]


BROKEN: Mapping[str, Callable[[bytes], bytes]] = {
    "broken-empty": lambda _clip: b"",
    "broken-text": lambda _clip: b"This is a note, not a video.\n" * 40,
    "broken-cut": _cut,
    "broken-pictures": _damage_pictures,
    "broken-header": lambda clip: clip.replace(b"moov", b"xxxx"),
}
"""What is wrong with a file, by its name: from a good clip to the broken one."""


def make_footage(folder: Path, good: int, broken: int) -> None:
    """Make clips of all kinds in turn, no two of them alike, and broken files.

    Args:
        folder: where they go; each kind has a folder of its own.
        good: number of clips.
        broken: number of broken files, at most the number of ways to be broken.
    """
    face = folder / ".face.png"
    folder.mkdir(parents=True)
    cv2.imwrite(str(face), cv2.resize(skimage.data.astronaut()[_FACE][:, :, ::-1], (96, 96)))
    names = list(KINDS)
    for number in range(good):
        kind = KINDS[names[number % len(names)]]
        path = folder / names[number % len(names)] / f"{number:03}{kind.suffix}"
        path.parent.mkdir(exist_ok=True)
        make_clip(path, kind, face, number)
    sample = make_clip(folder / ".sample.mp4", KINDS["h264"], face, good).read_bytes()
    for name, breaks in list(BROKEN.items())[:broken]:
        (folder / f"{name}.mp4").write_bytes(breaks(sample))


def make_clip(path: Path, kind: Kind, face: Path, number: int) -> Path:
    """Make a clip in which the face moves from a place that depends on the number."""
    left, top = number % 40, number // 40 % 20
    options = {"size": _SIZE, "frames": 4 + number % 3, **kind.options}
    return clips.video(path, filters=f"movie={face}[face];[in][face]overlay={left}+2*n:{top}", **options)
