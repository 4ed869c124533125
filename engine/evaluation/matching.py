"""Assign detected boxes to true faces, one to one.

The assignment uses the Hungarian method, as in FDDB (Jain and Learned-Miller, "FDDB: a benchmark for face detection in
unconstrained settings", 2010) and CLEAR MOT (Bernardin and Stiefelhagen, 2008): as many pairs as possible, among
those the greatest sum of IoU. Greedy matching by falling score (PASCAL VOC, COCO) is for curves over a threshold; here
there is one operating point, interpolated faces have no score, and with greedy matching one box less can mean one face
more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.core.geometry import Box


def assign_boxes(faces: Sequence[Box], boxes: Sequence[Box], min_iou: float) -> dict[int, int]:
    """Assign boxes to faces with an IoU of at least `min_iou`; return the index of the box by that of the face."""
    overlaps = {
        (row, column): overlap
        for row, face in enumerate(faces)
        for column, box in enumerate(boxes)
        if (overlap := face.iou(box)) >= min_iou
    }
    rows, columns = {row for row, _ in overlaps}, {column for _, column in overlaps}
    if len(rows) == len(columns) == len(overlaps):
        return dict(overlaps.keys())  # no face and no box has a choice
    return _assign_optimally(overlaps, sorted(rows), sorted(columns))


def _assign_optimally(
    overlaps: Mapping[tuple[int, int], float], rows: Sequence[int], columns: Sequence[int]
) -> dict[int, int]:
    more_than_all = min(len(rows), len(columns)) + 1.0  # one more pair outweighs any sum of overlaps
    gain = np.zeros((len(rows), len(columns)))
    for (row, column), overlap in overlaps.items():
        gain[rows.index(row), columns.index(column)] = more_than_all + overlap
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - takes half a second, and most verbs do not need it

    chosen = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    pairs = ((rows[row], columns[column]) for row, column in chosen)
    return {row: column for row, column in pairs if (row, column) in overlaps}
