"""Where a head is in a frame: its projection into the picture, and the outline of the face that shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box

Half = Literal["left", "right", "upper", "lower"]
Points = NDArray[np.float64]
"""Shape (n, 2): x and y in pixels."""

_CAMERA_DISTANCE = 5.0
"""Distance of the camera in heights of the face, about 1.2 m for a head; decides how strong the perspective is."""
_OUTLINE_POINTS = 96


@dataclass(frozen=True, slots=True)
class HeadPose:
    """The pose of a head in one frame.

    Attributes:
        x: Centre of the face in pixels of the frame.
        y: The same, downwards.
        height: Height of the face in pixels when it looks at the camera.
        roll: Turn in the picture plane in degrees, clockwise.
        yaw: Turn to the side in degrees, approximated: the picture of the head turns like a board.
        pitch: Nod in degrees, approximated in the same way.
    """

    x: float
    y: float
    height: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0

    def compute_homography(self, face_box: Box) -> NDArray[np.float64]:
        """Return the 3x3 matrix from pixels of the donor's picture, with its face at `face_box`, to the frame."""
        unit = face_box.height
        (centre_x, centre_y) = face_box.centre
        square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        source = square * unit + (centre_x, centre_y)
        target = self._project(square)
        return np.asarray(cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)), np.float64)

    def _project(self, plane: Points) -> Points:
        """Project points of the face's plane, in heights of the face about its centre."""
        roll, yaw, pitch = (math.radians(angle) for angle in (self.roll, self.yaw, self.pitch))
        x, y = plane[:, 0], plane[:, 1]
        x, z = x * math.cos(yaw), x * math.sin(yaw)
        y, z = y * math.cos(pitch) - z * math.sin(pitch), y * math.sin(pitch) + z * math.cos(pitch)
        x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
        nearness = _CAMERA_DISTANCE / (_CAMERA_DISTANCE + z)
        return np.stack([self.x + x * nearness * self.height, self.y + y * nearness * self.height], axis=1)


def trace_face(face_box: Box, homography: NDArray[np.float64], hidden_half: Half | None = None) -> Points:
    """Return the outline of a face in the frame, a convex polygon, without the half that something hides."""
    angles = np.linspace(0.0, 2 * math.pi, _OUTLINE_POINTS, endpoint=False)
    across, down = np.cos(angles), np.sin(angles)
    # Points of the hidden half move onto the line that divides the face; the outline stays convex.
    match hidden_half:
        case "left":
            across = np.maximum(across, 0.0)
        case "right":
            across = np.minimum(across, 0.0)
        case "upper":
            down = np.maximum(down, 0.0)
        case "lower":
            down = np.minimum(down, 0.0)
    (x, y) = face_box.centre
    outline = np.stack([x + across * face_box.width / 2, y + down * face_box.height / 2], axis=1)
    return project_points(outline, homography)


def project_points(points: Points, homography: NDArray[np.float64]) -> Points:
    """Map points by a homography."""
    projected = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(projected[:, :2] / projected[:, 2:], np.float64)


def clip_outline(outline: Points, window: Box) -> tuple[Box, float] | None:
    """Return the box of the part of a convex outline inside `window`, and its share of the area; None without one."""
    hull = cv2.convexHull(outline.astype(np.float32))
    frame = np.array(
        [
            [window.left, window.top],
            [window.right, window.top],
            [window.right, window.bottom],
            [window.left, window.bottom],
        ],
        np.float32,
    )
    area, part = cv2.intersectConvexConvex(hull, frame)
    if part is None or area < 1.0:
        return None
    (left, top), (right, bottom) = part.reshape(-1, 2).min(axis=0), part.reshape(-1, 2).max(axis=0)
    if right - left < 1.0 or bottom - top < 1.0:
        return None
    box = Box(*(round(float(edge), 2) for edge in (left, top, right, bottom)))
    return box, round(float(area / cv2.contourArea(hull)), 3)
