"""One decoded frame in the forms that detection, masking and encoding need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
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
"""Interpolates colour instead of repeating it if nothing is scaled: detectors then find faces of ten pixels that they
miss otherwise."""
_MAX_FULL_CHROMA_SIDE_PX = 1280
"""Longest side of pictures with interpolated colour; larger ones, whose faces are larger, would cost 25 ms each."""
_BIT_EXACT_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True)
class FrameConverters:
    """Scalers that keep their tables from frame to frame; each thread needs a set of its own."""

    rgb: VideoReformatter = field(default_factory=VideoReformatter)
    thumbnail: VideoReformatter = field(default_factory=VideoReformatter)
    planar: VideoReformatter = field(default_factory=VideoReformatter)


class SourceFrame:
    """A frame of the source.

    It stays valid while it is referenced, whatever is decoded after it.

    Attributes:
        index: position in presentation order, from 0.
        pts: presentation time in the video's time base; rises strictly from frame to frame.
        damaged: the decoder could not restore the picture completely, so it must be covered whole.
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
        """Return the frame for the encoder: planar, in coded orientation, sharing its samples with `picture`."""
        if self._planar is None:
            self._planar = to_planar(self._decoded, self._converters.planar)
        return self._planar

    def picture(self, *, writable: bool = False) -> Picture:
        """Return views of the planes, in coded orientation.

        Args:
            writable: copy the samples first, so that they can be drawn on. What is drawn shows in `planar_frame`. Call
                `rgb` and `luma_thumbnail` before drawing.
        """
        # PyAV hands out the decoder's own reference frames. Drawing on one in place would show in every frame that is
        # predicted from it, and would make the output differ from run to run.
        if writable:
            self.planar_frame.make_writable()
        return picture_from_frame(self.planar_frame, read_only=not writable)

    def sha256(self) -> str:
        """Hash all samples, to compare what two decoders delivered."""
        digest = hashlib.sha256()
        for plane in self.picture().planes:
            digest.update(np.ascontiguousarray(plane).data)
        return digest.hexdigest()

    def copy_for_thread(self) -> SourceFrame:
        """Return the same frame with scalers of its own, for use on another thread."""
        return SourceFrame(
            self.index, self.pts, self._decoded, self._orientation, FrameConverters(), damaged=self.damaged
        )

    @contextmanager
    def open_for_drawing(self) -> Iterator[SourceFrame]:
        """Yield this frame in planar form for drawing; the drawing shows in its `rgb` and is undone after the block."""
        canvas = SourceFrame(
            self.index, self.pts, self.planar_frame, self._orientation, self._converters, damaged=self.damaged
        )
        planes = canvas.picture(writable=True).planes
        original_samples = [plane.copy() for plane in planes]
        try:
            yield canvas
        finally:
            for plane, samples in zip(planes, original_samples, strict=True):
                np.copyto(plane, samples)

    def rgb(self, max_side_px: int | None = None) -> Rgb:
        """Return the picture in display pixels, with its longer side at most `max_side_px`; None: full size.

        Shape (height, width, 3), uint8.
        """
        size = self._orientation.display_size.fit(max_side_px)
        if self._orientation.rotation in {90, 270}:
            size = Size(size.height, size.width)
        # The target's range must be given: PyAV copies that of the source, which would squeeze RGB to 16..235.
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
        """Return the brightness of the whole picture for finding cuts, shape (36, 64), in coded orientation."""
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

    def grey(self, max_side_px: int) -> NDArray[np.uint8]:
        """Return the brightness of the upright picture, with its longer side at most `max_side_px`.

        Shape (height, width); the first plane of the picture, so green for a picture of red, green and blue.
        """
        picture = self.picture()
        luma = picture.planes[0]
        if picture.format.bit_depth > 8:
            luma = (luma >> (picture.format.bit_depth - 8)).astype(np.uint8)
        size = self._orientation.display_size.fit(max_side_px)
        if self._orientation.rotation in {90, 270}:
            size = Size(size.height, size.width)
        # Of OpenCV's methods only this one takes means when it shrinks. It is five times as fast as FFmpeg's scaler.
        small = np.asarray(cv2.resize(luma, (size.width, size.height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return np.ascontiguousarray(self._turn_upright(small))

    def _turn_upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        flipped = picture[:, ::-1] if self._orientation.mirrored else picture
        return np.rot90(flipped, k=-self._orientation.rotation // 90)


def _choose_colour_range(frame: VideoFrame) -> ColorRange:
    return ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG
