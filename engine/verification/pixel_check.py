"""Checks every frame of an output block by block: the masks are there, and everything else is the source's.

The output was encoded, so no sample has to be equal. Means over blocks of 16x16 samples, the size of a macroblock, tell
the noise of an encoder, which averages out, from a change of the picture, which does not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Orientation
from engine.core.picture import Picture, Plane
from engine.masking.mask import compute_patches
from engine.masking.style import Style
from engine.rendering.masked_frames import MaskedFrame

_BLOCK_SIDE_PX = 16
_MAX_ENCODER_ERROR = 20.0
"""Mean difference of a block, in 8-bit steps, that no encoding at a usual quality reaches."""
_USUAL_CRF = 23.0
_STEPS_PER_CRF = 1.5
"""Additional difference allowed for each step of CRF beyond the usual one."""
_MIN_MASK_DIFFERENCE = 6.0
"""Mean difference, in 8-bit steps, that a mask must make to a block before the block can show if it is masked. A mask
over a flat background changes almost nothing."""

_NEVER_INSIDE = 1 << 20
"""More steps than any mask has."""

BlockMeans = NDArray[np.float32]
"""Mean absolute difference of each block of 16x16 samples, in 8-bit steps."""


@dataclass(slots=True)
class PixelCheck:
    """Collects the differences between the frames of an output and the frames as they should be.

    Attributes:
        orientation: how coded samples become display pixels.
        style: style of the masks.
        crf: quality that the output was encoded with.
        unmasked_frames: indices of frames in which a block inside a mask looks like the source.
        altered_frames: indices of frames that differ, outside the masks or inside, by more than encoding explains.
        copied: indices of frames that are the source's own packets, so that they must equal the source's.
        differing_copies: indices of those that do not.
        mask_count: number of masks that were checked.
        frame_count: number of frames that were checked.
    """

    orientation: Orientation
    style: Style
    crf: float
    unmasked_frames: list[int] = field(default_factory=list)
    altered_frames: list[int] = field(default_factory=list)
    copied: Collection[int] = ()
    differing_copies: list[int] = field(default_factory=list)
    mask_count: int = 0
    frame_count: int = 0
    _squared_error_sum: float = 0.0

    def compare_frame(self, masked: MaskedFrame, rendered: Picture) -> None:
        """Compare a frame of the output with the frame as it should be."""
        self.frame_count += 1
        self.mask_count += len(masked.plan.boxes)
        index, wanted = masked.plan.index, masked.picture
        # A frame with a mask is no copy, whatever the report says; the other checks show what it is.
        if index in self.copied and wanted is masked.original:
            if not _are_equal(rendered, wanted):
                self.differing_copies.append(index)
            return
        planes = [_to_eight_bit(plane, picture) for picture in (rendered, wanted) for plane in picture.planes[:1]]
        error = _compare_blocks(planes[0], planes[1])
        self._squared_error_sum += cv2.norm(planes[0], planes[1], cv2.NORM_L2SQR) / planes[0].size
        # A frame is listed once, under the worse of the two findings.
        if self._shows_original(masked, planes[0]):
            self.unmasked_frames.append(index)
        elif (error > self._tolerance).any() or self._is_chroma_altered(rendered, wanted):
            self.altered_frames.append(index)

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio of the luma in dB: the output against the pictures that the encoder received."""
        mean = self._squared_error_sum / max(1, self.frame_count)
        return float(10 * np.log10(255**2 / mean)) if mean else float("inf")

    @property
    def _tolerance(self) -> float:
        return _MAX_ENCODER_ERROR + max(0.0, self.crf - _USUAL_CRF) * _STEPS_PER_CRF

    def _shows_original(self, masked: MaskedFrame, rendered: NDArray[np.uint8]) -> bool:
        """Return True if a block inside a mask is nearer to the source than to the masked picture.

        Only blocks that the mask visibly changes count: elsewhere both are equally near.
        """
        # The job returns the original itself when nothing is covered, so there is no mask that could be missing.
        if masked.picture is masked.original:
            return False
        # Only the masks are looked at: most pictures are much larger.
        area, inside = self._find_masked_blocks(masked)
        original = _to_eight_bit(masked.original.planes[0][area], masked.original)
        wanted = _to_eight_bit(masked.picture.planes[0][area], masked.picture)
        shown = np.ascontiguousarray(rendered[area])
        changed = _compare_blocks(original, wanted) >= _MIN_MASK_DIFFERENCE
        is_nearer = _compare_blocks(shown, original) <= _compare_blocks(shown, wanted)
        return bool((changed & is_nearer & inside).any())

    def _find_masked_blocks(self, masked: MaskedFrame) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
        """Return the rows and columns of luma around all masks, and which of its blocks are entirely inside a mask.

        Only fully covered samples count: in the soft edge the original shows through as it should.
        """
        size = masked.original.planes[0].shape
        if masked.plan.covered:
            return (slice(None), slice(None)), np.ones((1, 1), dtype=bool)
        found = (compute_patches(box, self.orientation, self.style, masked.picture.format) for box in masked.plan.boxes)
        patches = [patch[0] for patch in found if patch]
        rows, columns = (_hull_in_blocks([patch.area[axis] for patch in patches]) for axis in (0, 1))
        inside = np.zeros(tuple((one.stop - one.start) // _BLOCK_SIDE_PX for one in (rows, columns)), dtype=bool)
        for patch in patches:
            # The farthest sample of a block is where its farthest row and column meet.
            farthest = (
                _measure_farthest(steps, place, blocks, side)
                for steps, place, blocks, side in zip(
                    (patch.down, patch.across), patch.area, (rows, columns), size, strict=True
                )
            )
            inside |= np.add.outer(*farthest) <= patch.core
        return (rows, columns), inside

    def _is_chroma_altered(self, rendered: Picture, wanted: Picture) -> bool:
        # Not strict: an output in another pixel format may have more or fewer planes than the source.
        pairs = zip(rendered.planes[1:], wanted.planes[1:], strict=False)
        return any(
            (
                _compare_blocks(_to_eight_bit(one, rendered), _resize_like(_to_eight_bit(other, wanted), one))
                > self._tolerance
            ).any()
            for one, other in pairs
        )


def _are_equal(one: Picture, other: Picture) -> bool:
    pairs = zip(one.planes, other.planes, strict=False)
    return one.format == other.format and all(np.array_equal(plane, same) for plane, same in pairs)


def _to_eight_bit(plane: Plane, picture: Picture) -> NDArray[np.uint8]:
    """Return the eight most significant bits of the samples; the limits of this module are in 8-bit steps."""
    depth = picture.format.bit_depth
    return np.ascontiguousarray(plane if depth == 8 else plane >> (depth - 8), dtype=np.uint8)


def _resize_like(plane: NDArray[np.uint8], pattern: Plane) -> NDArray[np.uint8]:
    """Repeat the samples of a chroma plane to the size of another one.

    An encoder may not take the source's chroma format; then it received finer chroma, made by repeating samples.
    """
    rows, columns = pattern.shape
    down, across = -(-rows // plane.shape[0]), -(-columns // plane.shape[1])
    return np.ascontiguousarray(plane.repeat(down, axis=0).repeat(across, axis=1)[:rows, :columns])


def _compare_blocks(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> BlockMeans:
    return _average_blocks(cv2.absdiff(one, other))


def _average_blocks(plane: NDArray[np.uint8]) -> BlockMeans:
    """Return the means of blocks; the last row and column are repeated to fill the last blocks."""
    rows, columns = (-(-side // _BLOCK_SIDE_PX) for side in plane.shape)
    padding = (rows * _BLOCK_SIDE_PX - plane.shape[0], columns * _BLOCK_SIDE_PX - plane.shape[1])
    padded = np.asarray(cv2.copyMakeBorder(plane, 0, padding[0], 0, padding[1], cv2.BORDER_REPLICATE))
    # Rows first, in 16 bits: this is twice as fast as the scaler of OpenCV, and as exact.
    of_rows = padded.reshape(rows, _BLOCK_SIDE_PX, -1).sum(axis=1, dtype=np.uint16)
    sums = of_rows.reshape(rows, columns, _BLOCK_SIDE_PX).sum(axis=2, dtype=np.uint32)
    means: BlockMeans = np.divide(sums, _BLOCK_SIDE_PX**2, dtype=np.float32)
    return means


def _measure_farthest(steps: NDArray[np.int16], place: slice, blocks: slice, side: int) -> NDArray[np.int32]:
    """Return for each block of a row or column the steps of its farthest sample; samples beyond the plane do not count.

    Args:
        steps: steps of the samples of a mask from its middle.
        place: the samples of the plane that these are.
        blocks: the samples of the plane that the blocks have.
        side: number of samples of the plane.
    """
    spread = np.full(blocks.stop - blocks.start, _NEVER_INSIDE, np.int32)
    spread[place.start - blocks.start : place.stop - blocks.start] = steps
    spread[side - blocks.start :] = 0
    farthest: NDArray[np.int32] = spread.reshape(-1, _BLOCK_SIDE_PX).max(axis=1)
    return farthest


def _hull_in_blocks(ranges: Sequence[slice]) -> slice:
    """Return the smallest range of whole blocks that contains all ranges; empty for none."""
    start = min((one.start for one in ranges), default=0) // _BLOCK_SIDE_PX * _BLOCK_SIDE_PX
    return slice(start, -(-max((one.stop for one in ranges), default=0) // _BLOCK_SIDE_PX) * _BLOCK_SIDE_PX)
