"""Compose the frames of a clip and the truth about them."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.evaluation.benchmark.head_pose import Half, HeadPose, clip_outline, project_points, trace_face
from engine.evaluation.benchmark.package_pictures import load_background, load_donor
from engine.evaluation.benchmark.picture_effects import EffectChain
from engine.evaluation.benchmark.shots import BenchmarkClip, Shot

MIN_VISIBLE_SHARE = 0.4
"""Share of a face that must be in the picture for it to count. Less is in the truth too, to be ignored."""
WIPE_FRAMES = 10
_FEATHER_SHARE = 0.12
"""Width of the soft edge of a head, as a share of its half-axes."""
_GRAIN = 3.0
"""Noise of a background in 8-bit steps: an enlarged picture would otherwise be smoother than any camera's."""


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """A face that shows: its name in the clip, the box of its visible part, and that part's share of the face."""

    track: str
    box: Box
    visible: float


@dataclass(frozen=True, slots=True)
class DrawnFrame:
    """A frame and its faces."""

    picture: Rgb
    faces: tuple[DrawnFace, ...]


def draw_clip(clip: BenchmarkClip, seed: int) -> Iterator[DrawnFrame]:
    """Yield the frames of a clip. The same clip and seed give the same frames."""
    artists = [
        _ShotArtist(shot, clip.size, f"{number}", zlib.crc32(f"{seed} {clip.file} {number}".encode()))
        for number, shot in enumerate(clip.shots)
    ]
    wipe = WIPE_FRAMES if clip.transition == "wipe" else 0
    for number, artist in enumerate(artists):
        following = artists[number + 1] if number + 1 < len(artists) else None
        started = wipe if number else 0
        wiped = artist.shot.frames - (wipe if following else 0)
        whole = Box(0, 0, clip.size.width, clip.size.height)
        for frame in range(started, wiped):
            yield artist.draw(frame, whole)
        if following:
            yield from (_draw_wipe(artist, following, wiped, step, clip.size) for step in range(wipe))


def _draw_wipe(before: _ShotArtist, after: _ShotArtist, wiped: int, step: int, size: Size) -> DrawnFrame:
    """Draw a frame of which the left part already shows the next shot."""
    edge = round(size.width * (step + 1) / (WIPE_FRAMES + 1))
    left = after.draw(step, Box(0, 0, edge, size.height))
    right = before.draw(wiped + step, Box(edge, 0, size.width, size.height))
    picture = right.picture.copy()
    picture[:, :edge] = left.picture[:, :edge]
    return DrawnFrame(picture, left.faces + right.faces)


class _ShotArtist:
    """Draws the frames of one shot."""

    def __init__(self, shot: Shot, size: Size, name: str, seed: int) -> None:
        self.shot = shot
        self._size, self._name = size, name
        self._background = _prepare_background(shot.background, size)
        self._effects = EffectChain(shot.effects, size, seed)

    def draw(self, frame: int, window: Box) -> DrawnFrame:
        """Draw a frame of the shot; faces are listed as far as they lie inside `window`."""
        picture, faces = self._draw_background(frame), []
        for number, head in enumerate(self.shot.heads):
            still = head.locate(frame)
            if still is None:
                continue
            pose = self.shot.camera.move_pose(still, frame, self._size)
            outline = _draw_head(picture, head.donor, pose, head.hidden_half)
            if (part := clip_outline(outline, window)) is not None:
                faces.append(DrawnFace(f"{self._name}.{number}", *part))
        return DrawnFrame(self._effects.apply(picture, frame), tuple(faces))

    def _draw_background(self, frame: int) -> Rgb:
        scale, x, y = self.shot.camera.view(frame, self._size)
        if (scale, x, y) == (1.0, 0.0, 0.0):
            return self._background.copy()
        matrix = np.array([[scale, 0.0, x], [0.0, scale, y]])
        moved = cv2.warpAffine(
            self._background, matrix, (self._size.width, self._size.height), borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(moved, np.uint8)


@functools.lru_cache(maxsize=4)
def _prepare_background(name: str, size: Size) -> Rgb:
    """Fit a background to a frame, cropped at the longer side, with a grain."""
    picture = load_background(name)
    rows, columns = picture.shape[:2]
    scale = max(size.width / columns, size.height / rows)
    enlarged = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (enlarged.shape[0] - size.height) // 2, (enlarged.shape[1] - size.width) // 2
    part = enlarged[max(0, top) : max(0, top) + size.height, max(0, left) : max(0, left) + size.width]
    part = cv2.resize(part, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    grain = np.random.default_rng(zlib.crc32(name.encode())).normal(0.0, _GRAIN, part.shape)
    return np.asarray(np.clip(part + grain, 0, 255), np.uint8)


def _draw_head(picture: Rgb, donor_name: str, pose: HeadPose, hidden_half: Half | None) -> NDArray[np.float64]:
    """Draw a head into a picture and return the outline of the visible face."""
    donor = load_donor(donor_name)
    # Enlarging leaves the cut-out alone: the projection does it. Reducing needs the mean of all pixels first.
    reduction = min(1.0, pose.height / donor.face_box.height)
    patch, face_box = _prepare_cutout(donor_name, round(reduction, 3), hidden_half)
    homography = pose.compute_homography(face_box)
    rows, columns = patch.shape[:2]
    corners = project_points(np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64), homography)
    window = _find_window(corners, Size(picture.shape[1], picture.shape[0]))
    if window is not None:
        left, top, right, bottom = window
        shift = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
        warped = cv2.warpPerspective(patch, shift @ homography, (right - left, bottom - top), flags=cv2.INTER_CUBIC)
        opacity = np.clip(warped[..., 3:], 0.0, 1.0)
        there = picture[top:bottom, left:right]
        mixed = there + (warped[..., :3] - there) * opacity
        picture[top:bottom, left:right] = np.clip(mixed, 0, 255).round().astype(np.uint8)
    return trace_face(face_box, homography, hidden_half)


def _find_window(corners: NDArray[np.float64], size: Size) -> tuple[int, int, int, int] | None:
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    if right - left < 1 or bottom - top < 1:
        return None
    part = Box(float(left), float(top), float(right), float(bottom)).clip(size)
    return None if part is None else part.to_pixel_bounds()


@functools.lru_cache(maxsize=64)
def _prepare_cutout(donor_name: str, reduction: float, hidden_half: Half | None) -> tuple[NDArray[np.float32], Box]:
    """Return the head as (rows, columns, red green blue opacity), float32, and the box of its face."""
    donor = load_donor(donor_name)
    rows, columns = donor.picture.shape[:2]
    size = max(4, round(columns * reduction)), max(4, round(rows * reduction))
    picture = donor.picture if hidden_half is None else _hide_half(donor.picture, donor.face_box, hidden_half)
    reduced = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    across, down = (np.abs((np.arange(length) + 0.5) / length * 2 - 1) for length in size)
    radius = np.sqrt(np.add.outer(down**2, across**2))
    opacity = np.clip((1.0 - radius) / _FEATHER_SHARE, 0.0, 1.0)
    patch = np.dstack([reduced.astype(np.float32), opacity.astype(np.float32)])
    return patch, donor.face_box.scale_axes(size[0] / columns, size[1] / rows)


def _hide_half(picture: Rgb, face: Box, half: Half) -> Rgb:
    """Put something with a texture in front of one half of a head."""
    rows, columns = picture.shape[:2]
    screen = cv2.resize(load_background("gravel"), (columns, rows), interpolation=cv2.INTER_AREA)
    x, y = (round(value) for value in face.centre)
    covered = picture.copy()
    area = {
        "left": (slice(None), slice(0, x)),
        "right": (slice(None), slice(x, None)),
        "upper": (slice(0, y), slice(None)),
        "lower": (slice(y, None), slice(None)),
    }[half]
    covered[area] = screen[area]
    return covered
