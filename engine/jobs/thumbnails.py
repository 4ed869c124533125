"""Thumbnail of a running detection, masked before it is written to disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import Picture, PixelFormat, Rgb
from engine.detection.frame_detections import FrameDetections
from engine.detection.observer import PreviewFrame
from engine.masking.painter import redact
from engine.masking.presets import style_from_preset
from engine.runs import RunFolder
from engine.storage import files
from engine.storage.files import make_private_folder

LATEST_NAME = "latest.jpg"
_PLANAR_FORMAT = PixelFormat("gbrp", 8, (0, 0), "gbr", full_range=True)
_BLOCKS_ACROSS = 24
"""Number of blocks across a picture in which no face was found: too few to recognise a face that was missed."""
_BOX_SCALE = 1.3
"""Factor by which boxes are enlarged, because the margin that smoothing adds to a record is missing here."""


def find_latest_thumbnail(folder: RunFolder) -> Path | None:
    """Return the path of the newest thumbnail of a run; None if there is none."""
    path = folder.thumbnails / LATEST_NAME
    return path if path.is_file() else None


def write_latest_thumbnail(
    folder: RunFolder, preview: PreviewFrame, frame_detections: Sequence[FrameDetections]
) -> None:
    """Write the preview picture with the detections of all these frames masked.

    Raises:
        TargetError: the thumbnail cannot be written.
    """
    # The detections of the neighbouring frames are masked too: a face that was missed in this frame is covered by them.
    boxes = [detection.box for frame in frame_detections for detection in frame]
    picture = mask_preview(preview.picture, boxes, preview.display)
    make_private_folder(folder.thumbnails)
    done, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    files.write_file(folder.thumbnails / LATEST_NAME, data.tobytes())


def mask_preview(picture: Rgb, boxes: Sequence[Box], display: Size) -> Rgb:
    """Mask faces with the preset `strong`; without faces, pixelate the whole picture.

    Args:
        picture: upright picture of any size.
        boxes: faces in display pixels of the frame.
        display: size of the frame in display pixels.
    """
    if not boxes:
        return _pixelate(picture)
    height, width = picture.shape[:2]
    red, green, blue = (np.ascontiguousarray(picture[:, :, channel]) for channel in range(3))
    planar = Picture(_PLANAR_FORMAT, (green, blue, red))
    there = [box.scale(_BOX_SCALE).scale_axes(width / display.width, height / display.height) for box in boxes]
    redact(planar, there, Orientation.upright(Size(width, height)), style_from_preset("strong"))
    return np.stack((red, green, blue), axis=2)


def _pixelate(picture: Rgb) -> Rgb:
    height, width = picture.shape[:2]
    few = cv2.resize(picture, (_BLOCKS_ACROSS, max(1, _BLOCKS_ACROSS * height // width)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
