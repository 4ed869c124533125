"""The loop over frames that scripts with OpenCV have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2


def mask_frames(source: Path, target: Path, mask: Callable[[cv2.typing.MatLike], None]) -> None:
    """Write a video whose frames are those of the source after `mask` has changed them in place."""
    reader = cv2.VideoCapture(str(source))
    size = int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter_fourcc(*"mp4v"), reader.get(cv2.CAP_PROP_FPS), size)
    while True:
        ok, frame = reader.read()
        if not ok:
            break
        mask(frame)
        writer.write(frame)
    writer.release()


def black_out(frame: cv2.typing.MatLike, left: int, top: int, right: int, bottom: int) -> None:
    """Cover a box."""
    cv2.rectangle(frame, (int(left), int(top)), (int(right), int(bottom)), (0, 0, 0), cv2.FILLED)
