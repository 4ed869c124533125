"""Cut out faces, make them look like the faces of the video, and composite them into its frames.

A planted face is worth something only if it looks like the faces of this video: it gets their sizes, speeds, blur,
noise and light, and a soft edge, so that no detector can find it by a border that real faces do not have.
"""

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
"""Lowest score that every detector must give to a face that is cut out of the video."""
_MIN_DONOR_SIDE_PX = 40.0
"""Shortest side of such a face in pixels."""
_CROP_SCALE = 1.6
"""Sides of the cut-out in sides of the face, because detectors expect hair and chin."""
_FEATHER_SHARE = 0.25
"""Width of the soft edge of a cut-out, as a share of its half-axes."""
_ASTRONAUT_FACE_BOX = Box(172, 62, 272, 192)
"""The face in the picture astronaut.png of scikit-image."""
_MAX_ENLARGEMENT = 1.25
"""Largest factor by which a face is enlarged. Enlarged more, it would be blurrier than real faces of that size."""
_MAX_GREY_SPREAD = 2.0
"""Mean spread of the colour channels, in 8-bit steps, up to which a picture counts as black and white."""
MIN_FACE_HEIGHT_PX = 12.0
"""Lowest height of a planted face."""
_MAX_HEIGHT_SHARE = 0.5
"""Largest height of a planted face, as a share of the shorter side of the frame."""


class DonorFace(NamedTuple):
    """A face to plant: the picture around it, and the box of the face in that picture."""

    picture: Rgb
    face_box: Box
    origin: DonorOrigin


class Appearance(Document, frozen=True):
    """How a face is changed before it is planted.

    Attributes:
        height: Height of the face in display pixels.
        mirrored: True if it is mirrored left to right.
        turned: Rotation in degrees, clockwise.
        blur: Standard deviation of the blur, as a share of the height.
        noise: Standard deviation of the noise in 8-bit steps.
        light: Share by which its brightness is moved towards that of its place.
        border: True if it lies partly outside the frame.
    """

    height: float
    mirrored: bool
    turned: float
    blur: float
    noise: float
    light: Score
    border: bool


class FacePath(NamedTuple):
    """A straight path with a sway: the box in the first frame, the step per frame, and the sway, in pixels."""

    start_box: Box
    step_px: tuple[float, float]
    sway_px: float

    def locate(self, elapsed_frames: int) -> Box:
        """Return the box of the face after so many frames; it may lie partly outside the frame."""
        right = self.step_px[0] * elapsed_frames + self.sway_px * math.sin(elapsed_frames / 3.0)
        down = self.step_px[1] * elapsed_frames + self.sway_px * math.cos(elapsed_frames / 4.0)
        box = self.start_box
        return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def find_donor_faces(record: Record, max_count: int) -> list[tuple[int, Face]]:
    """Return the frame and face with the best view of each track: large, whole, and found by all detectors."""
    size, best = record.display, dict[int, tuple[float, int, Face]]()
    detector_count, min_score = len(record.detection.detectors), _choose_min_donor_score(record)
    for frame in record.frames:
        for face in frame.faces:
            box = face.box
            # A face at the border is cut off there; planted in the middle of a frame, it would be half a face.
            inside = Box(1, 1, size.width - 1, size.height - 1)
            whole = inside.intersection_area(box) > 0.999 * box.area if size.width > 2 and size.height > 2 else False
            certain = len(face.evidence) == detector_count and min(one.score for one in face.evidence) >= min_score
            if whole and certain and min(box.width, box.height) >= _MIN_DONOR_SIDE_PX:
                # The area counts by its logarithm, so that size never outweighs a clearly better score.
                quality = sum(one.score for one in face.evidence) * math.log(box.area)
                if face.track not in best or quality > best[face.track][0]:
                    best[face.track] = quality, frame.index, face
    ranked = sorted(best.values(), key=lambda one: (-one[0], one[1]))
    return [(index, face) for _, index, face in ranked[:max_count]]


def cut_donor_face(picture: Rgb, face: Face) -> DonorFace:
    """Cut a face out of a frame, by the box of the detector with the highest score."""
    size = Size(picture.shape[1], picture.shape[0])
    seen = max(face.evidence, key=lambda one: one.score).box
    cut = seen.scale(_CROP_SCALE).clip(size) or seen
    left, top, right, bottom = cut.to_pixel_bounds()
    place = Box(seen.left - left, seen.top - top, seen.right - left, seen.bottom - top)
    return DonorFace(np.ascontiguousarray(picture[top:bottom, left:right]), place, "clip")


def load_package_donor() -> DonorFace | None:
    """Load the picture of an astronaut from scikit-image; None if that package is not installed."""
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
    """Return the heights of the detected faces of a video, rising; usual heights if it has none."""
    found = sorted(
        max(face.evidence, key=lambda one: one.score).box.height
        for frame in record.frames
        for face in frame.faces
        if face.evidence
    )
    shorter = min(record.display.width, record.display.height)
    return found or [shorter * share for share in (0.05, 0.1, 0.2, 0.3)]


def measure_face_speed(record: Record) -> float:
    """Return the median distance that a face moves from frame to frame, as a share of its height."""
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
    """Return the share of the faces of a video that touch the border."""
    size, boxes = record.display, [face.box for frame in record.frames for face in frame.faces]
    touching = sum(
        box.left <= 0 or box.top <= 0 or box.right >= size.width or box.bottom >= size.height for box in boxes
    )
    return touching / len(boxes) if boxes else 0.0


def draw_appearance(
    heights: Sequence[float], size: Size, border_share: float, generator: np.random.Generator
) -> Appearance:
    """Draw an appearance at random, of the height of one of the faces of the video or down to half of it.

    Args:
        heights: Heights of the faces of the video.
        size: Size of a frame.
        border_share: Share of the faces of the video that touch the border.
        generator: Source of the random choices.
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
    """Draw a face that is large enough for an appearance; if none is, the largest, and a lower height.

    A face that is enlarged a lot is blurrier than the faces of the video of that size.
    """
    large = [donor for donor in donors if donor.face_box.height * _MAX_ENLARGEMENT >= appearance.height]
    if large:
        return large[int(generator.integers(len(large)))], appearance
    donor = max(donors, key=lambda one: one.face_box.height)
    return donor, msgspec.structs.replace(appearance, height=round(donor.face_box.height * _MAX_ENLARGEMENT, 2))


def draw_path(
    appearance: Appearance, aspect_ratio: float, size: Size, speed: float, generator: np.random.Generator
) -> FacePath:
    """Draw a path at random.

    Args:
        appearance: Appearance of the face.
        aspect_ratio: Width of the face over its height.
        size: Size of a frame.
        speed: Usual distance that the faces of the video move from frame to frame, as a share of their height.
        generator: Source of the random choices.
    """
    width, height = appearance.height * aspect_ratio, appearance.height
    left = float(generator.uniform(0, max(1.0, size.width - width)))
    top = float(generator.uniform(0, max(1.0, size.height - height)))
    if appearance.border:
        left = -0.3 * width if generator.integers(2) else size.width - 0.7 * width
    angle, pace = float(generator.uniform(0, 2 * math.pi)), speed * height * float(generator.uniform(0.5, 1.5))
    # A face at the border moves along it only, or it would leave the frame.
    step = (0.0 if appearance.border else pace * math.cos(angle), pace * math.sin(angle) / 2)
    return FacePath(Box(left, top, left + width, top + height), step, 0.02 * height)


def composite_face(picture: Rgb, donor: DonorFace, appearance: Appearance, face_box: Box, noise_seed: int) -> None:
    """Composite a face into a picture, in place.

    Args:
        picture: Writable picture.
        donor: The face.
        appearance: How the face is changed.
        face_box: Where the face goes. What lies outside the picture is cut off.
        noise_seed: Seed of the noise.
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
    # One sample in 64 is enough to see that a picture is black and white. A coloured face in it would stand out.
    if np.ptp(picture[::8, ::8].astype(np.int16), axis=2).mean() <= _MAX_GREY_SPREAD:
        part = part.mean(axis=2, keepdims=True)
    # A bright face in a dark place would be found by its border, and the recall would be too high.
    part = part + appearance.light * (there.mean() - part.mean())
    picture[y:bottom, x:right] = np.clip(there + (part - there) * cover[..., None], 0, 255).round().astype(np.uint8)


def _transform_donor_face(
    donor: DonorFace, appearance: Appearance, scale: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the scaled and changed cut-out, and its opacity for each pixel, 0 to 1."""
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
    """Return the lowest score of a face to plant. Detectors with a low threshold give good faces lower scores too."""
    halves = any(one.confident_score > 0 for one in record.detection.detectors)
    return 0.6 if halves else _MIN_DONOR_SCORE
