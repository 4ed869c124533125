"""Cells of the codecs in the containers that hold them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests import clips
from tests.footage_matrix.cells import Cell
from tests.footage_matrix.laws import SECRET

_ENCODERS = {
    "H.264": ("libx264", "yuv420p", ("-preset", "ultrafast", "-bf", "2")),
    "HEVC": ("libx265", "yuv420p", ("-preset", "ultrafast", "-x265-params", "log-level=error:pools=1")),
    "VP8": ("libvpx", "yuv420p", ("-deadline", "realtime", "-cpu-used", "8")),
    "VP9": ("libvpx-vp9", "yuv420p", ("-deadline", "realtime", "-cpu-used", "8")),
    "AV1": ("libsvtav1", "yuv420p", ("-preset", "12", "-svtav1-params", "lp=1")),
    "MPEG-2": ("mpeg2video", "yuv420p", ("-bf", "2", "-q:v", "2")),
    "MPEG-4": (
        "mpeg4",
        "yuv420p",
        (
            "-q:v",
            "2",
        ),
    ),
    "ProRes": ("prores_ks", "yuv422p10le", ()),
    "DNxHR": ("dnxhd", "yuv422p", ("-profile:v", "dnxhr_sq")),
    "Motion JPEG": (
        "mjpeg",
        "yuvj420p",
        (
            "-q:v",
            "2",
        ),
    ),
    "WMV": (
        "wmv2",
        "yuv420p",
        (
            "-q:v",
            "2",
        ),
    ),
    "DV": ("dvvideo", "yuv420p", ()),
    "FFV1": ("ffv1", "yuv420p", ()),
    "Theora": (
        "libtheora",
        "yuv420p",
        (
            "-q:v",
            "10",
        ),
    ),
}
_SIZES = {"DV": (720, 576), "DNxHR": (256, 120)}
_OUTPUT_PIXELS = {"ProRes": "yuv422p10le", "DNxHR": "yuv422p"}
_SOUND = {"webm": "libopus", "avi": "libmp3lame", "m2ts": "ac3", "mxf": "pcm_s16le", "wmv": "wmav2", "ogv": "libvorbis"}
_HELD = {
    "H.264": "mp4 mov mkv avi ts m2ts mxf wmv 3gp flv",
    "HEVC": "mp4 mov mkv ts m2ts flv",
    "VP8": "mkv webm avi ogv",
    "VP9": "mp4 mkv webm",
    "AV1": "mp4 mkv webm flv",
    "MPEG-2": "mp4 mov mkv avi ts m2ts mxf wmv",
    "MPEG-4": "mp4 mov mkv avi ts 3gp",
    "ProRes": "mov mkv mxf",
    "DNxHR": "mov mkv mxf",
    "Motion JPEG": "mp4 mov mkv avi",
    "WMV": "wmv avi mkv",
    "DV": "mov mkv avi mxf",
    "FFV1": "mov mkv avi mxf",
    "Theora": "ogv mkv",
}
CONTAINERS = ("mp4", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mxf", "wmv", "3gp", "flv", "ogv")
_MUXERS = {"mkv": "matroska", "ts": "mpegts", "m2ts": "mpegts", "mp4": "mp4", "mov": "mov", "avi": "avi", "3gp": "3gp"}
CODEC_GROUP = "Codecs"


def _make(codec: str, path: Path) -> None:
    encoder, pixels, options = _ENCODERS[codec]
    sound = clips.Audio(codec=_SOUND.get(path.suffix[1:], "aac"), rate=48000, channels=2)
    clips.video(
        path, size=_SIZES.get(codec, (64, 48)), frames=6, codec=encoder, pixel_format=pixels, audio=[sound],
        options=[*options, "-g", "6", "-metadata", f"title={SECRET}"],
    )  # fmt: skip


def _make_cell(codec: str, container: str) -> Cell:
    muxer = _MUXERS.get(container, "matroska")
    is_kept = container in _MUXERS
    return Cell(
        CODEC_GROUP, codec, f".{container}", partial(_make, codec),
        outcome="kept" if is_kept else "converted", note="" if is_kept else "Matroska", muxer=muxer,
        pixels=_OUTPUT_PIXELS.get(codec, "yuv420p"),
    )  # fmt: skip


CODEC_CELLS = [_make_cell(codec, container) for codec, held in _HELD.items() for container in held.split()]
