"""Decodes the frames of a source and covers their faces, one after another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.core.picture import Picture
from engine.errors import SourceError
from engine.masking.painter import Painter, cover_picture
from engine.masking.watermark import Watermark
from engine.media.facts import MediaInfo, VideoInfo
from engine.media.frame import SourceFrame
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.prefetch import prefetch
from engine.media.source.start_points import StartPoint
from engine.rendering.spec import RenderSpec
from engine.review.plan import FramePlan

_PREFETCH_FRAMES = 3
"""Frames that are decoded while one is masked; more only cost memory."""

PictureCopier = Callable[[Picture], Picture]
"""Returns a copy of a picture to draw on. It may use the same memory for each call."""


class MaskedFrame(NamedTuple):
    """A frame on its way to the encoder.

    Attributes:
        plan: what is covered in this frame.
        frame: the frame as it was decoded.
        original: views of the decoded picture.
        picture: the picture with its faces covered, valid until the next frame is requested; the original when nothing
            is covered.
    """

    plan: FramePlan
    frame: SourceFrame
    original: Picture
    picture: Picture


class FrameMasking(NamedTuple):
    """How the frames of one source are decoded and masked.

    Attributes:
        source: path of the source.
        info: what probing the source gave.
        spec: style, and the word to write into the pictures.
        covers_damage: a frame that cannot be decoded is accepted if its plan covers it whole.
    """

    source: Path
    info: MediaInfo
    spec: RenderSpec
    covers_damage: bool

    def mask_frames(
        self,
        plans: Iterable[FramePlan],
        copy_picture: PictureCopier | None = None,
        *,
        skipped_pts: Collection[int] = (),
        start: StartPoint | None = None,
    ) -> Generator[MaskedFrame]:
        """Decode the frames of some plans and cover their faces.

        Args:
            plans: of every frame that the source gives.
            copy_picture: makes the copy that is drawn on. None: one canvas serves every frame.
            skipped_pts: presentation times of whole closed groups of pictures that are neither decoded nor returned.
            start: keyframe from which frames are decoded. None: from the beginning.

        Raises:
            SourceError: a frame cannot be decoded, or the frames are not those of the plans.
        """
        masker: _FrameMasker | None = None
        on_damage: OnDamage = "cover" if self.covers_damage else "stop"
        with open_source(self.source, self.info, on_damage=on_damage, start=start) as source:
            source.skipped_pts = skipped_pts
            with prefetch(source.frames(), _PREFETCH_FRAMES) as frames:
                # Time stamps are compared frame by frame: with another version of FFmpeg the decoder may drop or repeat
                # a frame, and every mask after it would be on the wrong picture.
                for frame, plan in zip_longest(frames, plans):
                    if frame is None or plan is None or frame.pts != plan.pts:
                        raise self._frame_mismatch_error(frame, plan)
                    if frame.damaged and not plan.covered:
                        raise SourceError(
                            f"Frame {frame.index} of {self.source} cannot be decoded completely, but it could when "
                            "faces were detected. Check the disk, and detect again."
                        )
                    original = frame.picture()
                    masker = masker or _FrameMasker(original, self.info.video, self.spec, copy_picture)
                    yield MaskedFrame(plan, frame, original, masker.mask(original, plan))

    def _frame_mismatch_error(self, frame: SourceFrame | None, plan: FramePlan | None) -> SourceError:
        index = frame.index if frame else plan.index if plan else 0
        return SourceError(
            f"Frame {index} of {self.source} is not frame {index} of the record: the decoder gives other frames than "
            "when faces were detected. Detect again with this version of Veil."
        )


class _FrameMasker:
    """Covers the faces of one frame after another, on a copy.

    The decoded picture is never changed: the decoder still uses it as a reference for later frames, and drawing on it
    would change them, differently with each timing of its threads.

    Args:
        first: the first picture, for the format and the size of the planes.
        video: facts of the source's video stream.
        spec: style, and the word to write into the pictures.
        copy_picture: makes the copies.
    """

    def __init__(
        self, first: Picture, video: VideoInfo, spec: RenderSpec, copy_picture: PictureCopier | None = None
    ) -> None:
        self._copy_picture = copy_picture or _Canvas(first).copy_picture
        self._painter = Painter(first.format, video.orientation, spec.style, video.colour.matrix)
        self._watermark = (
            None if spec.mark is None else Watermark(spec.mark, first.format, video.orientation, video.colour.matrix)
        )

    def mask(self, original: Picture, plan: FramePlan) -> Picture:
        """Return the picture with its faces covered, valid until the next call."""
        if not (plan.covered or plan.boxes or self._watermark is not None):
            return original  # nothing is drawn, so the copy is saved
        picture = self._copy_picture(original)
        if plan.covered:
            cover_picture(picture)
        else:
            self._painter.paint(picture, plan.boxes)
        if self._watermark is not None:
            self._watermark.draw_on(picture)
        return picture


class _Canvas:
    """Copies one picture after another into the same memory, because fresh memory costs more time than the masks."""

    def __init__(self, first: Picture) -> None:
        self._picture = Picture(first.format, tuple(np.empty_like(plane, subok=False) for plane in first.planes))

    def copy_picture(self, picture: Picture) -> Picture:
        """Return the copy, valid until the next call."""
        for plane, copied in zip(picture.planes, self._picture.planes, strict=True):
            np.copyto(copied, plane)
        return self._picture
