"""One decoded frame in the forms that detection, masking and encoding ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from engine.core.geometry import Orientation, Size
from engine.core.picture import Picture, Rgb
from engine.media.colour import is_full_range
from engine.media.pixels import picture_from_frame, to_planar, view_grey, view_rgb

THUMBNAIL_SIZE = Size(64, 36)
_DOWNSCALING = Interpolation.AREA
_FULL_CHROMA_SCALING = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
"""Colour is interpolated, not repeated, where nothing is scaled: faces of ten pixels are found that are lost else."""
_MAX_FULL_CHROMA_SIDE_PX = 1280
"""Longest side of pictures that are converted so; larger ones, with larger faces, would cost 25 ms each."""
_BIT_EXACT_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True)
class FrameConverters:
    """Scalers that keep their tables from frame to frame; one set serves one thread."""

    rgb: VideoReformatter = field(default_factory=VideoReformatter)
    thumbnail: VideoReformatter = field(default_factory=VideoReformatter)
    planar: VideoReformatter = field(default_factory=VideoReformatter)


class SourceFrame:
    """A frame of the source.

    It stays valid as long as it is held, whatever is decoded after it.

    Attributes:
        index: place in presentation order, from 0.
        pts: presentation time in the video's time base; rises strictly from frame to frame.
        damaged: the picture is not what was recorded and must be covered whole.
        is_keyframe: decoding can start here.
    """

    def __init__(  # noqa: PLR0913
        self,
        index: int,
        pts: int,
        decoded: VideoFrame,
        orientation: Orientation,
        converters: FrameConverters,
        *,
        damaged: bool = False,
    ) -> None:
        self.index = index
        self.pts = pts
        self.damaged = damaged
        self.is_keyframe = decoded.key_frame
        self._decoded = decoded
        self._orientation = orientation
        self._converters = converters
        self._planar: VideoFrame | None = None

    @property
    def planar_frame(self) -> VideoFrame:
        """The frame for the encoder: planar, in coded orientation, sharing its samples with `picture`."""
        if self._planar is None:
            self._planar = to_planar(self._decoded, self._converters.planar)
        return self._planar

    def picture(self, *, writable: bool = False) -> Picture:
        """Views on the planes, in coded orientation.

        Args:
            writable: make the samples this frame's own first. Without it they are the decoder's reference, and a change
                would run through the frames that follow. What is drawn then shows in `native`; `rgb` and
                `luma_thumbnail` are to be asked for before.
        """
        if writable:
            self.planar_frame.make_writable()
        return picture_from_frame(self.planar_frame, read_only=not writable)

    def copy_for_thread(self) -> SourceFrame:
        """The same frame, for use on another thread than those that are decoded with it."""
        return SourceFrame(
            self.index, self.pts, self._decoded, self._orientation, FrameConverters(), damaged=self.damaged
        )

    @contextmanager
    def open_for_drawing(self) -> Iterator[SourceFrame]:
        """This frame in planar form, to be drawn on: what is drawn shows in its `rgb`, and is gone after the block."""
        sheet = SourceFrame(
            self.index, self.pts, self.planar_frame, self._orientation, self._converters, damaged=self.damaged
        )
        planes = sheet.picture(writable=True).planes
        kept = [plane.copy() for plane in planes]
        try:
            yield sheet
        finally:
            for plane, samples in zip(planes, kept, strict=True):
                np.copyto(plane, samples)

    def rgb(self, max_side_px: int | None = None) -> Rgb:
        """The picture as it is seen: upright, square pixels, its longer side at most `max_side_px` pixels."""
        size = self._orientation.display_size.fit(max_side_px)
        if self._orientation.rotation in {90, 270}:
            size = Size(size.height, size.width)
        # The tag of the target's range must be set: PyAV copies the source's, which would squeeze RGB to 16..235.
        converted = self._converters.rgb.reformat(
            self._decoded,
            width=size.width,
            height=size.height,
            format="rgb24",
            src_color_range=_choose_colour_range(self._decoded),
            dst_color_range=ColorRange.JPEG,
            interpolation=_FULL_CHROMA_SCALING
            if size == self._orientation.unrotated_size and size.longest_side <= _MAX_FULL_CHROMA_SIDE_PX
            else _DOWNSCALING,
            threads=1,
        )
        return np.ascontiguousarray(self._turn_upright(view_rgb(converted)))

    def luma_thumbnail(self) -> NDArray[np.uint8]:
        """The whole picture's brightness, shape (36, 64), in coded orientation; for telling scene cuts."""
        small = self._converters.thumbnail.reformat(
            self._decoded,
            width=THUMBNAIL_SIZE.width,
            height=THUMBNAIL_SIZE.height,
            format="gray",
            src_color_range=_choose_colour_range(self._decoded),
            dst_color_range=ColorRange.JPEG,
            interpolation=_BIT_EXACT_SCALING,
            threads=1,
        )
        return np.ascontiguousarray(view_grey(small))

    def _turn_upright(self, picture: Rgb) -> Rgb:
        flipped = picture[:, ::-1] if self._orientation.mirrored else picture
        return np.rot90(flipped, k=-self._orientation.rotation // 90)


def _choose_colour_range(frame: VideoFrame) -> ColorRange:
    return ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG
