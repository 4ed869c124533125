"""The package mtcnn as its documentation uses it: `stock_mtcnn.py INPUT OUTPUT`. The sound is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
from mtcnn import MTCNN

from tests.benchmarks.tools.frame_loop import black_out, mask_frames


def main(source: Path, target: Path) -> None:
    """Cover what MTCNN finds in each frame."""
    detector = MTCNN()

    def mask(frame: cv2.typing.MatLike) -> None:
        for face in detector.detect_faces(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)):
            left, top, width, height = face["box"]
            black_out(frame, left, top, left + width, top + height)

    mask_frames(source, target, mask)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
