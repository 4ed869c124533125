"""The list of the clips: each tries one thing, and most differ from a plain clip in that alone."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.core.geometry import Size
from engine.evaluation.benchmark.head_pose import Half, HeadPose
from engine.evaluation.benchmark.package_pictures import BACKGROUNDS, DONORS, FACES_RIGHT, LARGE_DONORS
from engine.evaluation.benchmark.shots import BenchmarkClip, Camera, HeadMotion, PictureEffects, Shot

Side = Literal["left", "right", "top", "bottom"]

FRAME_SIZES: Mapping[str, Size] = {"1080p": Size(1920, 1080), "2160p": Size(3840, 2160)}
FRAMES = 25
"""Frames of most clips: one second."""
_FLASH_FRAMES = 75
_FLASH_PLACES = 4
_SMALL_PX = 60.0
"""Height up to which all people are used; above it only those with a large picture."""
_USUAL_PX = 160.0
"""Height of a face in a frame of 1080 lines, where the height is not what is tried."""
_MAX_CROWD = 40


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of a kind: all of them, and those of a quick run."""

    every: Sequence[str]
    quick: Sequence[str]


_SIDES = ("left", "right", "top", "bottom")
_VALUES: Mapping[str, _Values] = {
    "plain": _Values(["1"], ["1"]),
    "roll": _Values([f"{turn:03}" for turn in range(15, 360, 15)], ["045", "090", "180", "270"]),
    "yaw": _Values(["-60", "-45", "-30", "30", "45", "60"], ["-45", "45"]),
    "pitch": _Values(["-45", "-30", "30", "45"], ["-30", "30"]),
    "size": _Values(
        ["16", "24", "32", "48", "96", "240", "480", "50%", "100%", "150%", "200%"], ["16", "24", "48", "100%", "200%"]
    ),
    "brightness": _Values(["0.15", "0.25", "0.5", "1.5", "2", "3"], ["0.15", "3"]),
    "blur": _Values(["1", "2", "4", "8"], ["8"]),
    "motion": _Values(["10", "20", "40"], ["20"]),
    "noise": _Values(["10", "20", "40", "60"], ["60"]),
    "infrared": _Values(["1"], ["1"]),
    "occluded": _Values(["left", "right", "upper", "lower"], ["upper", "lower"]),
    "border": _Values(_SIDES, _SIDES),
    "entry": _Values(_SIDES, ["left", "bottom"]),
    "flash": _Values(["01", "02", "03", "05", "10"], ["01", "03", "10"]),
    "crowd": _Values(["12", "16", "24", "32"], ["12", "24"]),
    "camera": _Values(["pan", "whip", "zoom-in", "zoom-out", "shake"], ["whip", "zoom-in"]),
    "change": _Values(["cut", "wipe"], ["cut", "wipe"]),
    "encoding": _Values(["crf32", "crf40", "twice"], ["crf40"]),
    "empty": _Values(["1"], ["1"]),
}
KINDS = tuple(_VALUES)


def list_clips(resolution: str, *, quick: bool = False, seed: int = 0) -> list[BenchmarkClip]:
    """List the clips of a resolution of `FRAME_SIZES`; `quick`: a part of the values."""
    size = FRAME_SIZES[resolution]
    return [
        _build_clip(kind, value, size, seed)
        for kind, values in _VALUES.items()
        for value in (values.quick if quick else values.every)
    ]


def _build_clip(kind: str, value: str, size: Size, seed: int) -> BenchmarkClip:
    scene = _SceneMaker(size, np.random.default_rng(zlib.crc32(f"{seed} {kind} {value}".encode())))
    return _BUILDERS[kind](scene, BenchmarkClip(kind, value, size, ()))


@dataclass(frozen=True, slots=True)
class _SceneMaker:
    """Makes shots for a size of frame; draws what is left open at random."""

    size: Size
    generator: np.random.Generator

    @property
    def unit(self) -> float:
        """Return the pixels that a pixel of a frame of 1080 lines is here."""
        return self.size.height / 1080

    def draw_background(self) -> str:
        return str(self.generator.choice(BACKGROUNDS))

    def line_up(self, pose: HeadPose | None = None, hidden_half: Half | None = None) -> tuple[HeadMotion, ...]:
        """Return people beside each other, who sway and drift: four, or those with features on the other half."""
        pose = pose or HeadPose(0, 0, _USUAL_PX * self.unit)
        donors = [donor for donor in LARGE_DONORS if not (hidden_half == "right" and donor == FACES_RIGHT)]
        pitch = self.size.width / len(donors)
        return tuple(
            HeadMotion(
                donor,
                replace(
                    pose,
                    x=pitch * (number + 0.5) + self._draw_offset(0.1 * pitch),
                    y=self.size.height / 2 + self._draw_offset(0.15 * self.size.height),
                ),
                step=(self._draw_offset(2 * self.unit), self._draw_offset(1 * self.unit)),
                sway=4 * self.unit,
                hidden_half=hidden_half,
            )
            for number, donor in enumerate(donors)
        )

    def fill_grid(self, height: float, most: int) -> tuple[HeadMotion, ...]:
        """Return people of a height in rows and columns, as many as fit and at most `most`."""
        pitch = max(3.0 * height, math.sqrt(self.size.width * self.size.height / most))
        columns, rows = max(1, int(self.size.width // pitch)), max(1, int(self.size.height // pitch))
        donors = DONORS if height <= _SMALL_PX else LARGE_DONORS
        places = [(column, row) for row in range(rows) for column in range(columns)][:most]
        return tuple(
            HeadMotion(
                donors[number % len(donors)],
                HeadPose(
                    (column + 0.5) * self.size.width / columns + self._draw_offset(0.3 * height),
                    (row + 0.5) * self.size.height / rows + self._draw_offset(0.3 * height),
                    height,
                ),
                step=(self._draw_offset(0.01 * height), self._draw_offset(0.01 * height)),
                sway=0.03 * height,
            )
            for number, (column, row) in enumerate(places)
        )

    def _draw_offset(self, reach: float) -> float:
        return float(self.generator.uniform(-reach, reach))


_Builder = Callable[[_SceneMaker, BenchmarkClip], BenchmarkClip]


def _with_pose(angle: str) -> _Builder:
    def build(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
        pose = replace(HeadPose(0, 0, _USUAL_PX * scene.unit), **{angle: float(clip.value)})
        return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, scene.line_up(pose)),))

    return build


def _with_effects(choose: Callable[[str, float], PictureEffects]) -> _Builder:
    def build(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
        effects = choose(clip.value, scene.unit)
        return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, scene.line_up(), effects=effects),))

    return build


def _build_size(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    value = clip.value
    height = scene.size.height * float(value[:-1]) / 100 if value.endswith("%") else float(value)
    heads = scene.fill_grid(height, 6)
    if height <= scene.size.height / 3:
        return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, heads),))
    # Large faces take turns: one fills the frame.
    shots = (
        Shot(scene.draw_background(), 12, (replace(scene.fill_grid(height, 1)[0], donor=donor),))
        for donor in LARGE_DONORS
    )
    return replace(clip, shots=tuple(shots))


def _build_occluded(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    halves: Mapping[str, Half] = {"left": "left", "right": "right", "upper": "upper", "lower": "lower"}
    pose = HeadPose(0, 0, _USUAL_PX * scene.unit)
    return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, scene.line_up(pose, halves[clip.value])),))


def _place_at_border(scene: _SceneMaker, side: str) -> tuple[HeadMotion, ...]:
    """Return people, each with the middle of the face on a border."""
    width, height = scene.size.width, scene.size.height
    line = scene.line_up(hidden_half="right" if side == "right" else None)
    heads = []
    for number, head in enumerate(line):
        along = (number + 0.5) / len(line)
        x = {"left": 0.0, "right": float(width)}.get(side, along * width)
        y = {"top": 0.0, "bottom": float(height)}.get(side, along * height)
        pose = replace(head.start, x=x, y=y)
        # A sway could move a face out of the picture further than is tried here.
        heads.append(replace(head, start=pose, step=(0.0, 0.0), sway=1.5 * scene.unit, hidden_half=None))
    return tuple(heads)


def _build_border(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, _place_at_border(scene, clip.value)),))


def _build_entry(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    """Build a clip in which people come in over a border and leave again, one after another."""
    inwards = {"left": (1, 0), "right": (-1, 0), "top": (0, 1), "bottom": (0, -1)}[clip.value]
    heads = []
    for number, head in enumerate(_place_at_border(scene, clip.value)):
        pace = head.start.height * (0.08 + 0.05 * number)
        distance = 0.8 * head.start.height
        start = replace(head.start, x=head.start.x - inwards[0] * distance, y=head.start.y - inwards[1] * distance)
        step = (inwards[0] * pace, inwards[1] * pace)
        heads.append(replace(head, start=start, step=step, turns_back=FRAMES))
    return replace(clip, shots=(Shot(scene.draw_background(), 2 * FRAMES, tuple(heads)),))


def _build_flash(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    """Build a clip in which faces of 24 to 200 px show for a number of frames, up to four at once."""
    length = int(clip.value)
    heads = []
    for place in range(_FLASH_PLACES):
        start = 2 + int(scene.generator.integers(length + 4))
        while start + length < _FLASH_FRAMES:
            heads.append(_draw_flash(scene, place, start, length))
            start += length + 4 + int(scene.generator.integers(4))
    return replace(clip, shots=(Shot(scene.draw_background(), _FLASH_FRAMES, tuple(heads)),))


def _draw_flash(scene: _SceneMaker, place: int, start: int, length: int) -> HeadMotion:
    generator = scene.generator
    # By the logarithm, so that small faces are as frequent as large ones.
    height = float(math.exp(generator.uniform(math.log(24.5), math.log(200.0))))
    donors = DONORS if height <= _SMALL_PX else LARGE_DONORS
    pitch = scene.size.width / _FLASH_PLACES
    x = pitch * (place + 0.5) + float(generator.uniform(-0.2, 0.2)) * pitch
    y = scene.size.height * float(generator.uniform(0.2, 0.8))
    donor = donors[int(generator.integers(len(donors)))]
    return HeadMotion(donor, HeadPose(x, y, height), sway=0.02 * height, shows=(start, start + length))


def _build_crowd(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    heads = scene.fill_grid(float(clip.value), _MAX_CROWD)
    return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, heads),))


def _build_camera(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    unit = scene.unit
    cameras = {
        "pan": (Camera(pan=(-8 * unit, 0)), 0),
        "whip": (Camera(pan=(-50 * unit, 0)), round(20 * unit)),
        "zoom-in": (Camera(zoom=1.04), 0),
        "zoom-out": (Camera(zoom=0.96), 0),
        "shake": (Camera(shake=12 * unit), round(4 * unit)),
    }
    camera, motion = cameras[clip.value]
    heads = scene.line_up()
    # Who is to the right of the picture comes in as the camera pans.
    beyond = [
        replace(head, start=replace(head.start, x=head.start.x + scene.size.width)) for head in heads if camera.pan[0]
    ]
    effects = PictureEffects(motion=motion)
    return replace(
        clip, shots=(Shot(scene.draw_background(), FRAMES, (*heads, *beyond), camera=camera, effects=effects),)
    )


def _build_change(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    length = 12 if clip.value == "cut" else 24
    backgrounds = scene.generator.permutation(BACKGROUNDS)[:4]
    shots = tuple(Shot(str(background), length, scene.line_up()) for background in backgrounds)
    return replace(clip, shots=shots, transition="wipe" if clip.value == "wipe" else "cut")


def _build_encoding(scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    crf, times = {"crf32": (32, 1), "crf40": (40, 1), "twice": (28, 3)}[clip.value]
    return replace(clip, shots=(Shot(scene.draw_background(), FRAMES, scene.line_up()),), crf=crf, encoded=times)


def _build_empty(_scene: _SceneMaker, clip: BenchmarkClip) -> BenchmarkClip:
    """Build a clip without people, which only false masks can spoil."""
    return replace(clip, shots=tuple(Shot(background, 6) for background in BACKGROUNDS))


_BUILDERS: Mapping[str, _Builder] = {
    "plain": _with_effects(lambda _value, _unit: PictureEffects()),
    "roll": _with_pose("roll"),
    "yaw": _with_pose("yaw"),
    "pitch": _with_pose("pitch"),
    "size": _build_size,
    "brightness": _with_effects(lambda value, _unit: PictureEffects(gain=float(value), noise=4.0)),
    "blur": _with_effects(lambda value, unit: PictureEffects(blur=float(value) * unit)),
    "motion": _with_effects(lambda value, unit: PictureEffects(motion=round(float(value) * unit))),
    "noise": _with_effects(lambda value, _unit: PictureEffects(noise=float(value))),
    "infrared": _with_effects(lambda _value, unit: PictureEffects(infrared=True, blur=1.0 * unit, noise=8.0)),
    "occluded": _build_occluded,
    "border": _build_border,
    "entry": _build_entry,
    "flash": _build_flash,
    "crowd": _build_crowd,
    "camera": _build_camera,
    "change": _build_change,
    "encoding": _build_encoding,
    "empty": _build_empty,
}
