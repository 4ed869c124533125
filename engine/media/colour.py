"""Reads colour and high dynamic range tags of frames, by FFmpeg's names."""

from __future__ import annotations

import struct

from av.sidedata.sidedata import Type
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from engine.media.facts import Hdr
from engine.media.side_data import read_side_data
from engine.record import Colour

_RANGE_NAMES = {1: "tv", 2: "pc"}
_MATRIX_NAMES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
    15: "ipt-c2",
    16: "ycgco-re",
    17: "ycgco-ro",
}
_PRIMARIES_NAMES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
_TRANSFER_NAMES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_CHROMATICITY_UNIT = 50000
_LUMINANCE_UNIT = 10000


def is_full_range(frame: VideoFrame) -> bool:
    """Return whether samples use the whole range; formats other than YUV always do."""
    name = frame.format.name
    # FFmpeg and players show grey without a tag, such as a grey photograph, with the whole range.
    if frame.color_range == 0 and name.startswith(("gray", "ya")):
        return True
    # The older "yuvj" formats imply full range without a tag.
    return frame.color_range == 2 or name.startswith(("yuvj", "mono")) or is_rgb(frame.format)


def is_rgb(pixels: VideoFormat) -> bool:
    """Return whether a pixel is a colour rather than brightness and colour differences."""
    return pixels.is_rgb or pixels.has_palette or pixels.name.startswith("xyz")


def read_colour(frame: VideoFrame) -> Colour:
    """Read the colour tags of a decoded frame."""
    return Colour(
        range="pc" if is_full_range(frame) else _RANGE_NAMES.get(frame.color_range),
        matrix=_MATRIX_NAMES.get(frame.colorspace),
        primaries=_PRIMARIES_NAMES.get(frame.color_primaries),
        transfer=_TRANSFER_NAMES.get(frame.color_trc),
    )


def read_hdr(frame: VideoFrame) -> Hdr:
    """Read the high dynamic range tags of a decoded frame."""
    side_data = read_side_data(frame)
    light = (
        struct.unpack("<2I", side_data[Type.CONTENT_LIGHT_LEVEL][:8]) if Type.CONTENT_LIGHT_LEVEL in side_data else None
    )
    mastering = side_data.get(Type.MASTERING_DISPLAY_METADATA)
    return Hdr(
        mastering_display=None if mastering is None else _format_mastering_display(mastering),
        max_content_light=light[0] if light else None,
        max_average_light=light[1] if light else None,
        dolby_vision=Type.DOVI_METADATA in side_data or Type.DOVI_RPU_BUFFER in side_data,
        hdr10_plus=Type.DYNAMIC_HDR_PLUS in side_data,
    )


def _format_mastering_display(data: bytes) -> str | None:
    """Convert FFmpeg's AVMasteringDisplayMetadata to x265's notation; None if it is incomplete."""
    # Ten rationals (red, green, blue, white, least and greatest luminance), then two flags: has primaries, luminance.
    numbers = struct.unpack("<20i2i", data[:88])
    if not (numbers[20] and numbers[21]):
        return None
    # Each rational is a numerator and a denominator.
    ratios = [top / bottom for top, bottom in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
    red, green, blue, white = (
        f"({round(x * _CHROMATICITY_UNIT)},{round(y * _CHROMATICITY_UNIT)})"
        for x, y in zip(ratios[0:8:2], ratios[1:8:2], strict=True)
    )
    least, greatest = (round(value * _LUMINANCE_UNIT) for value in ratios[8:10])
    return f"G{green}B{blue}R{red}WP{white}L({greatest},{least})"
