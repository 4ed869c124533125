"""Faces to plant: where they come from, how they are made to look like the clip's own, and the way they take."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.record import Document, Face, Record, Score

DonorOrigin = Literal["clip", "package"]

_MIN_DONOR_SCORE = 0.9
"""Least score of every detector's sighting of a face that is taken from the clip."""
_MIN_DONOR_SIDE_PX = 40.0
"""Least side of such a face, in pixels."""
_CROP_SCALE = 1.6
"""Sides of what is cut out, in sides of the face: hair and chin belong to the look of a face."""
_FEATHER_SHARE = 0.25
"""Width of the soft edge of a planted picture, in its half-axes."""
_ASTRONAUT_FACE_BOX = Box(172, 62, 272, 192)
"""The face in the picture astronaut.png of scikit-image."""
_MAX_ENLARGEMENT = 1.25
"""A donor is enlarged by so much at most."""
_MAX_GREY_SPREAD = 2.0
"""Mean spread of the colours of a picture, in 8-bit steps, up to which it has none."""
MIN_FACE_HEIGHT_PX = 12.0
_MAX_HEIGHT_SHARE = 0.5
"""Heights of planted faces: at least in pixels, at most of the frame's shorter side."""


class DonorFace(NamedTuple):
    """A face to plant: the picture about it, and the part of it that is the face."""

    picture: Rgb
    face_box: Box
    origin: DonorOrigin


class Appearance(Document, frozen=True):
    """What is done to a planted face.

    Attributes:
        height: of the face in display pixels.
        mirrored: left to right.
        turned: degrees clockwise.
        blur: standard deviation in shares of the height.
        noise: standard deviation in 8-bit steps.
        light: share of the way from its own brightness to that of the place where it is put.
        border: it lies partly outside the frame.
    """

    height: float
    mirrored: bool
    turned: float
    blur: float
    noise: float
    light: Score
    border: bool


class FacePath(NamedTuple):
    """Straight way of a face with a sway: box in the first frame, step a frame, sway in pixels."""

    start_box: Box
    step_px: tuple[float, float]
    sway_px: float

    def locate(self, elapsed_frames: int) -> Box:
        """Where the face is after so many frames; it may lie partly outside."""
        right = self.step_px[0] * elapsed_frames + self.sway_px * math.sin(elapsed_frames / 3.0)
        down = self.step_px[1] * elapsed_frames + self.sway_px * math.cos(elapsed_frames / 4.0)
        box = self.start_box
        return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def find_donor_faces(record: Record, max_count: int) -> list[tuple[int, Face]]:
    """Frames and faces of a record that show a face well (large, whole, seen by all): the best of each track."""
    size, best = record.display, dict[int, tuple[float, int, Face]]()
    asked = len(record.detection.detectors)
    for frame in record.frames:
        for face in frame.faces:
            box = face.box
            inside = Box(1, 1, size.width - 1, size.height - 1)
            whole = inside.intersection_area(box) > 0.999 * box.area if size.width > 2 and size.height > 2 else False
            strong = len(face.evidence) == asked and min(one.score for one in face.evidence) >= _choose_min_donor_score(
                record
            )
            if whole and strong and min(box.width, box.height) >= _MIN_DONOR_SIDE_PX:
                worth = sum(one.score for one in face.evidence) * math.log(box.area)
                if face.track not in best or worth > best[face.track][0]:
                    best[face.track] = worth, frame.index, face
    ranked = sorted(best.values(), key=lambda one: (-one[0], one[1]))
    return [(index, face) for _, index, face in ranked[:max_count]]


def cut_donor_face(picture: Rgb, face: Face) -> DonorFace:
    """What is cut out of a frame about a face; by the box of the detector that saw it best."""
    size = Size(picture.shape[1], picture.shape[0])
    seen = max(face.evidence, key=lambda one: one.score).box
    cut = seen.scale(_CROP_SCALE).clip(size) or seen
    left, top, right, bottom = cut.to_pixel_bounds()
    place = Box(seen.left - left, seen.top - top, seen.right - left, seen.bottom - top)
    return DonorFace(np.ascontiguousarray(picture[top:bottom, left:right]), place, "clip")


def load_package_donor() -> DonorFace | None:
    """The astronaut of scikit-image; None where that package is not installed."""
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "data" / "astronaut.png"
    if not path.exists():
        return None
    picture = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    cut = _ASTRONAUT_FACE_BOX.scale(_CROP_SCALE)
    left, top, right, bottom = cut.to_pixel_bounds()
    face = _ASTRONAUT_FACE_BOX
    place = Box(face.left - left, face.top - top, face.right - left, face.bottom - top)
    return DonorFace(np.ascontiguousarray(picture[top:bottom, left:right]), place, "package")


def collect_face_heights(record: Record) -> list[float]:
    """Heights of the clip's own faces as detectors saw them, rising; common ones for a clip without faces."""
    found = sorted(
        max(face.evidence, key=lambda one: one.score).box.height
        for frame in record.frames
        for face in frame.faces
        if face.evidence
    )
    shorter = min(record.display.width, record.display.height)
    return found or [shorter * share for share in (0.05, 0.1, 0.2, 0.3)]


def measure_face_speed(record: Record) -> float:
    """Usual way of a face from frame to frame, in shares of its height."""
    last: dict[int, tuple[int, Box]] = {}
    ways = []
    for frame in record.frames:
        for face in frame.faces:
            before = last.get(face.track)
            if before is not None and before[0] == frame.index - 1:
                (x, y), (u, v) = before[1].centre, face.box.centre
                ways.append(max(abs(x - u), abs(y - v)) / face.box.height)
            last[face.track] = frame.index, face.box
    return float(np.median(ways)) if ways else 0.02


def measure_border_share(record: Record) -> float:
    """Share of the clip's faces that touch the border."""
    size, boxes = record.display, [face.box for frame in record.frames for face in frame.faces]
    touching = sum(
        box.left <= 0 or box.top <= 0 or box.right >= size.width or box.bottom >= size.height for box in boxes
    )
    return touching / len(boxes) if boxes else 0.0


def draw_appearance(
    heights: Sequence[float], size: Size, border_share: float, generator: np.random.Generator
) -> Appearance:
    """A look drawn by lot: as large as one of the clip's faces, or down to half of that.

    Args:
        heights: of the clip's faces.
        size: of a frame.
        border_share: share of the clip's faces that touch the border.
        generator: of the lot.
    """
    height = float(heights[int(generator.integers(len(heights)))]) * float(generator.uniform(0.5, 1.05))
    most = _MAX_HEIGHT_SHARE * min(size.width, size.height)
    return Appearance(
        height=round(min(max(height, MIN_FACE_HEIGHT_PX), most), 2),
        mirrored=bool(generator.integers(2)),
        turned=round(float(generator.uniform(-20, 20)), 1),
        blur=round(float(generator.choice([0.0, 0.0, 0.02, 0.04])), 3),
        noise=round(float(generator.choice([0.0, 2.0, 5.0])), 1),
        light=round(float(generator.uniform(0.0, 0.7)), 2),
        border=bool(generator.uniform() < max(border_share, 0.1)),
    )


def draw_donor_face(
    donors: Sequence[DonorFace], appearance: Appearance, generator: np.random.Generator
) -> tuple[DonorFace, Appearance]:
    """A donor drawn by lot from those that are large enough for a look; where none is, the largest, and a smaller look.

    A face that is enlarged much is blurred more than the clip's faces of that size are.
    """
    large = [donor for donor in donors if donor.face_box.height * _MAX_ENLARGEMENT >= appearance.height]
    if large:
        return large[int(generator.integers(len(large)))], appearance
    donor = max(donors, key=lambda one: one.face_box.height)
    return donor, msgspec.structs.replace(appearance, height=round(donor.face_box.height * _MAX_ENLARGEMENT, 2))


def draw_path(
    appearance: Appearance, aspect_ratio: float, size: Size, speed: float, generator: np.random.Generator
) -> FacePath:
    """A way drawn by lot.

    Args:
        appearance: of the face.
        aspect_ratio: its width over its height.
        size: of a frame.
        speed: usual way of the clip's faces from frame to frame, in shares of their height.
        generator: of the lot.
    """
    width, height = appearance.height * aspect_ratio, appearance.height
    left = float(generator.uniform(0, max(1.0, size.width - width)))
    top = float(generator.uniform(0, max(1.0, size.height - height)))
    if appearance.border:
        left = -0.3 * width if generator.integers(2) else size.width - 0.7 * width
    angle, pace = float(generator.uniform(0, 2 * math.pi)), speed * height * float(generator.uniform(0.5, 1.5))
    step = (0.0 if appearance.border else pace * math.cos(angle), pace * math.sin(angle) / 2)
    return FacePath(Box(left, top, left + width, top + height), step, 0.02 * height)


def composite_face(picture: Rgb, donor: DonorFace, appearance: Appearance, face_box: Box, noise_seed: int) -> None:
    """Put a donor's face at the place `face_box` of a picture, in place.

    Args:
        picture: writable.
        donor: the face.
        appearance: what is done to it.
        face_box: where its face goes; what lies outside the picture is cut off.
        noise_seed: of its noise.
    """
    scale = face_box.height / donor.face_box.height
    rows, columns = picture.shape[:2]
    patch, alpha = _transform_donor_face(donor, appearance, scale, noise_seed)
    left, top = round(face_box.left - donor.face_box.left * scale), round(face_box.top - donor.face_box.top * scale)
    x, y = max(0, left), max(0, top)
    right, bottom = min(columns, left + patch.shape[1]), min(rows, top + patch.shape[0])
    if right <= x or bottom <= y:
        return
    there = picture[y:bottom, x:right].astype(np.float32)
    part, cover = (array[y - top : bottom - top, x - left : right - left] for array in (patch, alpha))
    if np.ptp(picture[::8, ::8].astype(np.int16), axis=2).mean() <= _MAX_GREY_SPREAD:
        part = part.mean(axis=2, keepdims=True)
    part = part + appearance.light * (there.mean() - part.mean())
    picture[y:bottom, x:right] = np.clip(there + (part - there) * cover[..., None], 0, 255).round().astype(np.uint8)


def _transform_donor_face(
    donor: DonorFace, appearance: Appearance, scale: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The donor's picture at its size with all that is done to it, and how much each sample covers."""
    height, width = donor.picture.shape[:2]
    size = max(2, round(width * scale)), max(2, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    patch = cv2.resize(donor.picture, size, interpolation=method).astype(np.float32)
    if appearance.mirrored:
        patch = patch[:, ::-1]
    patch = cv2.warpAffine(
        np.ascontiguousarray(patch),
        cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), -appearance.turned, 1.0),
        size,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if appearance.blur:
        patch = cv2.GaussianBlur(patch, (0, 0), max(0.3, appearance.blur * appearance.height))
    if appearance.noise:
        patch = patch + np.random.default_rng(seed).normal(0.0, appearance.noise, patch.shape)
    return np.asarray(patch, np.float32), _make_alpha(size)


def _make_alpha(size: tuple[int, int]) -> NDArray[np.float32]:
    across = (np.arange(size[0]) + 0.5) / size[0] * 2 - 1
    down = (np.arange(size[1]) + 0.5) / size[1] * 2 - 1
    radius = np.sqrt(np.add.outer(down**2, across**2))
    return np.clip((1.0 - radius) / _FEATHER_SHARE, 0.0, 1.0).astype(np.float32)


def _choose_min_donor_score(record: Record) -> float:
    """Score from which a sighting counts as strong: half-seeing detectors report lower ones for good faces too."""
    halves = any(one.confident_score > 0 for one in record.detection.detectors)
    return 0.6 if halves else _MIN_DONOR_SCORE
