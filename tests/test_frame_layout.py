"""The benchmark of small faces: photographs beside each other in frames."""

import csv

import cv2
import numpy as np

from tests.benchmarks.frame_layout import HEIGHT, WIDTH, main, place_in_rows


def test_pictures_lie_within_their_frame_and_beside_each_other():
    sizes = [(700, 300), (900, 310), (500, 400), (1920, 500), (10, 10)]
    used = np.zeros((2, HEIGHT, WIDTH), int)
    for place, (width, height) in zip(place_in_rows(sizes), sizes, strict=True):
        used[place.frame, place.top : place.top + height, place.left : place.left + width] += 1
    assert used.max() == 1
    assert used.sum() == sum(width * height for width, height in sizes)


def test_the_truth_moves_with_its_photograph(tmp_path):
    for name, side in (("a.png", 40), ("b.png", 60)):
        picture = np.zeros((side, side, 3), np.uint8)
        picture[5:9, 7:13] = 255
        cv2.imwrite(str(tmp_path / name), picture)
    (tmp_path / "in.csv").write_text("file,frame,x,y,w,h,ignore\na.png,0,7,5,6,4,0\nb.png,0,7,5,6,4,1\n")
    main(tmp_path / "in.csv", tmp_path / "out", 9)
    with (tmp_path / "out" / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ignore"] for row in rows] == ["0", "1"]
    for row in rows:
        x, y, width, height = (int(row[side]) for side in "xywh")
        frame = cv2.imread(str(tmp_path / "out" / row["file"]))
        assert frame[y : y + height, x : x + width].min() == 255
    assert frame.sum() == 2 * 24 * 3 * 255
