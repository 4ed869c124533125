"""Are the masks in the output, and is everything else the source's? Looked at block by block in every frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Orientation
from engine.core.picture import Picture, Plane
from engine.masking.mask import mask_of
from engine.masking.style import Style
from engine.rendering.job import Redacted

_BLOCK = 16
_ENCODER_ERROR = 20.0
"""Mean difference of a block, in 8-bit steps, that no encoding at a usual quality makes."""
_USUAL_CRF = 23.0
_STEPS_PER_CRF = 1.5
"""How much more a block may differ for each step of a lower quality."""
_TELLING = 6.0
"""Mean difference that a mask must make to a block before it can be told whether the block is masked."""

Blocks = NDArray[np.float32]
"""Mean absolute difference of each block of 16x16 samples, in 8-bit steps."""


@dataclass(slots=True)
class PixelCheck:
    """Collects what differs between rendered frames and what they should be.

    Attributes:
        crf: quality the output was encoded with.
        unmasked: frames in which a masked block looks like the source.
        altered: frames that differ outside the masks, or inside them, by more than encoding explains.
        masks: masks looked at.
        frames: frames looked at.
    """

    orientation: Orientation
    style: Style
    crf: float
    unmasked: list[int] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)
    masks: int = 0
    frames: int = 0
    _squares: float = 0.0

    def compare(self, redacted: Redacted, rendered: Picture) -> None:
        """Hold a frame of the output against the frame that was to be rendered."""
        self.frames += 1
        self.masks += len(redacted.planned.boxes)
        index, wanted = redacted.planned.index, redacted.picture
        planes = [_eight_bit(plane, picture) for picture in (rendered, wanted) for plane in picture.planes[:1]]
        error = _blocks(planes[0], planes[1])
        self._squares += float(np.square(cv2.absdiff(planes[0], planes[1]), dtype=np.float32).mean())
        if self._still_shows(redacted, planes[0], error):
            self.unmasked.append(index)
        elif (error > self._tolerance).any() or self._chroma_altered(rendered, wanted):
            self.altered.append(index)

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio of the luma, in dB, of output against what was handed to the encoder."""
        mean = self._squares / max(1, self.frames)
        return float(10 * np.log10(255**2 / mean)) if mean else float("inf")

    @property
    def _tolerance(self) -> float:
        return _ENCODER_ERROR + max(0.0, self.crf - _USUAL_CRF) * _STEPS_PER_CRF

    def _still_shows(self, redacted: Redacted, rendered: NDArray[np.uint8], error: Blocks) -> bool:
        """Whether a block inside a mask is nearer to the source than to the masked picture."""
        if redacted.picture is redacted.original:
            return False
        original = _eight_bit(redacted.original.planes[0], redacted.original)
        wanted = _eight_bit(redacted.picture.planes[0], redacted.picture)
        telling = _blocks(original, wanted) >= _TELLING
        return bool((telling & self._masked(redacted) & (_blocks(rendered, original) <= error)).any())

    def _masked(self, redacted: Redacted) -> NDArray[np.bool_]:
        """The blocks that lie wholly inside the masks."""
        if redacted.planned.covered:
            return np.ones((1, 1), dtype=bool)
        boxes, pixels = redacted.planned.boxes, redacted.picture.format
        core = mask_of(boxes, self.orientation, self.style, pixels)[0] == 255
        return _means(core.astype(np.uint8) * np.uint8(255)) >= 254.5

    def _chroma_altered(self, rendered: Picture, wanted: Picture) -> bool:
        pairs = zip(rendered.planes[1:], wanted.planes[1:], strict=False)
        return any(
            (_blocks(_eight_bit(one, rendered), _like(_eight_bit(other, wanted), one)) > self._tolerance).any()
            for one, other in pairs
        )


def _eight_bit(plane: Plane, picture: Picture) -> NDArray[np.uint8]:
    depth = picture.format.bit_depth
    return np.ascontiguousarray(plane if depth == 8 else plane >> (depth - 8), dtype=np.uint8)


def _like(plane: NDArray[np.uint8], pattern: Plane) -> NDArray[np.uint8]:
    """A chroma plane in the size of another one: an encoder may have asked for finer chroma, made by repeating."""
    rows, columns = pattern.shape
    down, across = -(-rows // plane.shape[0]), -(-columns // plane.shape[1])
    return np.ascontiguousarray(plane.repeat(down, axis=0).repeat(across, axis=1)[:rows, :columns])


def _blocks(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Blocks:
    return _means(cv2.absdiff(one, other))


def _means(plane: NDArray[np.uint8]) -> Blocks:
    """Means of blocks; the border is repeated to fill the last ones."""
    rows, columns = plane.shape
    padded = cv2.copyMakeBorder(plane, 0, -rows % _BLOCK, 0, -columns % _BLOCK, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // _BLOCK, padded.shape[0] // _BLOCK)
    return np.asarray(cv2.resize(padded.astype(np.float32), size, interpolation=cv2.INTER_AREA))
