"""Ultralytics' predict with face weights: `ultralytics_predict.py INPUT OUTPUT WEIGHTS`. The sound is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
from ultralytics import YOLO

from tests.benchmarks.tools.frame_loop import black_out, mask_frames


def main(source: Path, target: Path, weights: Path) -> None:
    """Cover what the model finds at its default size and threshold."""
    model = YOLO(weights, task="detect")

    def mask(frame: cv2.typing.MatLike) -> None:
        for box in model.predict(frame, verbose=False, device="cpu")[0].boxes.xyxy.tolist():
            black_out(frame, *map(round, box))

    mask_frames(source, target, mask)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
