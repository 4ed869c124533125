"""Photographs laid out as frames of a video: `python -m tests.benchmarks.frame_layout TRUTH.csv FOLDER [FRAMES]`.

Detectors enlarge a photograph and shrink a frame, so recall on photographs says little about small faces in video. This
puts photographs beside each other, unchanged, into frames of 1920x1080, with the truth of each moved along:

    veil evaluate FOLDER/truth.csv --mode on-prem

Writes FOLDER/frame-*.png and FOLDER/truth.csv, and prints how many photographs a frame has: divide the false boxes a
frame by it. FRAMES limits the number of frames; photographs are taken in the order of the table.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

WIDTH, HEIGHT = 1920, 1080
COLUMNS = ("file", "frame", "x", "y", "w", "h", "ignore")


class Place(NamedTuple):
    """Where a photograph is: frame, left and top."""

    frame: int
    left: int
    top: int


def place_in_rows(sizes: list[tuple[int, int]]) -> list[Place]:
    """Place pictures of (width, height) in rows, the rows in frames; none is turned or scaled."""
    places: list[Place] = []
    frame = left = top = row_height = 0
    for width, height in sizes:
        if left + width > WIDTH:
            left, top, row_height = 0, top + row_height, 0
        if top + height > HEIGHT:
            frame, left, top, row_height = frame + 1, 0, 0, 0
        places.append(Place(frame, left, top))
        left, row_height = left + width, max(row_height, height)
    return places


def read_photographs(truth: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each photograph, in the order of the table."""
    rows: dict[str, list[dict[str, str]]] = {}
    with truth.open(newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["file"], []).append(row)
    return rows


def move_rows(rows: list[dict[str, str]], place: Place) -> Iterator[dict[str, str]]:
    """Yield the truth of a photograph in its frame."""
    for row in rows:
        x, y = float(row["x"]) + place.left, float(row["y"]) + place.top
        yield {**row, "file": f"frame-{place.frame:03}.png", "frame": "0", "x": f"{x:g}", "y": f"{y:g}"}


def main(truth: Path, folder: Path, most_frames: int) -> None:
    """Write the frames and their truth."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = read_photographs(truth)
    pictures = {name: cv2.imread(str(truth.parent / name)) for name in rows}
    fitting = {name: one for name, one in pictures.items() if one.shape[0] <= HEIGHT and one.shape[1] <= WIDTH}
    # Rows of like heights waste little of a frame.
    names = sorted(fitting, key=lambda name: fitting[name].shape[0])
    places = dict(zip(names, place_in_rows([fitting[name].shape[1::-1] for name in names]), strict=True))
    canvas: dict[int, np.ndarray] = {}
    with (folder / "truth.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for name, place in places.items():
            if place.frame < most_frames:
                frame = canvas.setdefault(place.frame, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
                height, width = fitting[name].shape[:2]
                frame[place.top : place.top + height, place.left : place.left + width] = fitting[name]
                writer.writerows(move_rows(rows[name], place))
    for number, frame in canvas.items():
        cv2.imwrite(str(folder / f"frame-{number:03}.png"), frame)
    used = sum(place.frame < most_frames for place in places.values())
    sys.stdout.write(f"{used} photographs in {len(canvas)} frames, {used / len(canvas):.1f} in each\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else sys.maxsize)
