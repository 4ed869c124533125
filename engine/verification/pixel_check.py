"""Are the masks in the output, and is everything else the source's? Looked at block by block in every frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Orientation
from engine.core.picture import Picture, Plane
from engine.masking.mask import compute_mask
from engine.masking.style import Style
from engine.rendering.job import MaskedFrame

_BLOCK_SIDE_PX = 16
_MAX_ENCODER_ERROR = 20.0
"""Mean difference of a block, in 8-bit steps, that no encoding at a usual quality makes."""
_USUAL_CRF = 23.0
_STEPS_PER_CRF = 1.5
"""How much more a block may differ for each step of a lower quality."""
_MIN_MASK_DIFFERENCE = 6.0
"""Mean difference that a mask must make to a block before it can be told whether the block is masked."""

BlockMeans = NDArray[np.float32]
"""Mean absolute difference of each block of 16x16 samples, in 8-bit steps."""


@dataclass(slots=True)
class PixelCheck:
    """Collects what differs between rendered frames and what they should be.

    Attributes:
        crf: quality the output was encoded with.
        unmasked_frames: frames in which a masked block looks like the source.
        altered_frames: frames that differ outside the masks, or inside them, by more than encoding explains.
        mask_count: masks looked at.
        frame_count: frames looked at.
    """

    orientation: Orientation
    style: Style
    crf: float
    unmasked_frames: list[int] = field(default_factory=list)
    altered_frames: list[int] = field(default_factory=list)
    mask_count: int = 0
    frame_count: int = 0
    _squared_error_sum: float = 0.0

    def compare_frame(self, masked: MaskedFrame, rendered: Picture) -> None:
        """Hold a frame of the output against the frame that was to be rendered."""
        self.frame_count += 1
        self.mask_count += len(masked.plan.boxes)
        index, wanted = masked.plan.index, masked.picture
        planes = [_to_eight_bit(plane, picture) for picture in (rendered, wanted) for plane in picture.planes[:1]]
        error = _compare_blocks(planes[0], planes[1])
        self._squared_error_sum += float(np.square(cv2.absdiff(planes[0], planes[1]), dtype=np.float32).mean())
        if self._shows_original(masked, planes[0], error):
            self.unmasked_frames.append(index)
        elif (error > self._tolerance).any() or self._is_chroma_altered(rendered, wanted):
            self.altered_frames.append(index)

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio of the luma, in dB, of output against what was handed to the encoder."""
        mean = self._squared_error_sum / max(1, self.frame_count)
        return float(10 * np.log10(255**2 / mean)) if mean else float("inf")

    @property
    def _tolerance(self) -> float:
        return _MAX_ENCODER_ERROR + max(0.0, self.crf - _USUAL_CRF) * _STEPS_PER_CRF

    def _shows_original(self, masked: MaskedFrame, rendered: NDArray[np.uint8], error: BlockMeans) -> bool:
        """Whether a block inside a mask is nearer to the source than to the masked picture."""
        if masked.picture is masked.original:
            return False
        original = _to_eight_bit(masked.original.planes[0], masked.original)
        wanted = _to_eight_bit(masked.picture.planes[0], masked.picture)
        telling = _compare_blocks(original, wanted) >= _MIN_MASK_DIFFERENCE
        return bool((telling & self._find_masked_blocks(masked) & (_compare_blocks(rendered, original) <= error)).any())

    def _find_masked_blocks(self, masked: MaskedFrame) -> NDArray[np.bool_]:
        """The blocks that lie wholly inside the masks."""
        if masked.plan.covered:
            return np.ones((1, 1), dtype=bool)
        boxes, pixels = masked.plan.boxes, masked.picture.format
        core = compute_mask(boxes, self.orientation, self.style, pixels)[0] == 255
        return _average_blocks(core.astype(np.uint8) * np.uint8(255)) >= 254.5

    def _is_chroma_altered(self, rendered: Picture, wanted: Picture) -> bool:
        pairs = zip(rendered.planes[1:], wanted.planes[1:], strict=False)
        return any(
            (
                _compare_blocks(_to_eight_bit(one, rendered), _resize_like(_to_eight_bit(other, wanted), one))
                > self._tolerance
            ).any()
            for one, other in pairs
        )


def _to_eight_bit(plane: Plane, picture: Picture) -> NDArray[np.uint8]:
    depth = picture.format.bit_depth
    return np.ascontiguousarray(plane if depth == 8 else plane >> (depth - 8), dtype=np.uint8)


def _resize_like(plane: NDArray[np.uint8], pattern: Plane) -> NDArray[np.uint8]:
    """A chroma plane in the size of another one: an encoder may have asked for finer chroma, made by repeating."""
    rows, columns = pattern.shape
    down, across = -(-rows // plane.shape[0]), -(-columns // plane.shape[1])
    return np.ascontiguousarray(plane.repeat(down, axis=0).repeat(across, axis=1)[:rows, :columns])


def _compare_blocks(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> BlockMeans:
    return _average_blocks(cv2.absdiff(one, other))


def _average_blocks(plane: NDArray[np.uint8]) -> BlockMeans:
    """Means of blocks; the border is repeated to fill the last ones."""
    rows, columns = plane.shape
    padded = cv2.copyMakeBorder(plane, 0, -rows % _BLOCK_SIDE_PX, 0, -columns % _BLOCK_SIDE_PX, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // _BLOCK_SIDE_PX, padded.shape[0] // _BLOCK_SIDE_PX)
    return np.asarray(cv2.resize(padded.astype(np.float32), size, interpolation=cv2.INTER_AREA))
