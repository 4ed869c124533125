"""What a tutorial on OpenCV does: `opencv_cascade.py INPUT OUTPUT`. The sound is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from tests.benchmarks.tools.frame_loop import black_out, mask_frames


def main(source: Path, target: Path) -> None:
    """Cover what the frontal face cascade finds."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def mask(frame: cv2.typing.MatLike) -> None:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        for left, top, width, height in cascade.detectMultiScale(grey, 1.1, 5):
            black_out(frame, left, top, left + width, top + height)

    mask_frames(source, target, mask)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
