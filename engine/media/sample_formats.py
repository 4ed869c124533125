"""Tells depth, transparency and chroma subsampling from FFmpeg's pixel formats.

The process that reads unknown files needs this and no samples, so numpy, half of its start, is not imported here.
"""

from __future__ import annotations

from av.video.format import VideoFormat


def read_bit_depth(source: VideoFormat) -> int:
    """Return the number of significant bits of a sample."""
    return max(component.bits for component in source.components)


def has_alpha(source: VideoFormat) -> bool:
    """Return whether there is an alpha channel."""
    return any(component.is_alpha for component in source.components)


def read_chroma_shift(source: VideoFormat) -> tuple[int, int] | None:
    """Return log2 of the chroma subsampling, or None without chroma."""
    if len([component for component in source.components if not component.is_alpha]) < 3:
        return None
    # PyAV tells the subsampling only through the chroma size of a picture, here of 64 = 2**6 pixels.
    sized = VideoFormat(source.name, 64, 64)
    return 6 - (sized.chroma_width().bit_length() - 1), 6 - (sized.chroma_height().bit_length() - 1)
