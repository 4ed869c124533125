"""The description of the clips as data: who moves where, what the camera does, and what is done to the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from engine.core.geometry import Size
from engine.evaluation.benchmark.head_pose import Half, HeadPose

_SWAY_PERIOD_FRAMES = 23.0
_ROLL_SWAY_DEGREES = 2.0


@dataclass(frozen=True, slots=True)
class HeadMotion:
    """A head and its way through a shot; lengths in pixels, times in frames of the shot.

    Attributes:
        donor: Name of the person.
        start: Pose in the first frame of the shot.
        step: Movement a frame.
        turns_back: Frame from which the head moves back the way it came.
        sway: Largest distance from the straight way; no real head is still.
        shows: First frame with the head, and the frame after the last one. None: to the end.
        hidden_half: Half of the face that is behind something.
    """

    donor: str
    start: HeadPose
    step: tuple[float, float] = (0.0, 0.0)
    turns_back: int | None = None
    sway: float = 0.0
    shows: tuple[int, int | None] = (0, None)
    hidden_half: Half | None = None

    def locate(self, frame: int) -> HeadPose | None:
        """Return the pose in a frame of the shot, None where the head does not show."""
        first, end = self.shows
        if frame < first or (end is not None and frame >= end):
            return None
        steps = frame if self.turns_back is None or frame < self.turns_back else 2 * self.turns_back - frame
        # Neighbours start at different places of their sway, so that they do not move as one.
        phase = 2 * math.pi * frame / _SWAY_PERIOD_FRAMES + self.start.x + 2 * self.start.y
        start = self.start
        return HeadPose(
            start.x + self.step[0] * steps + self.sway * math.sin(phase),
            start.y + self.step[1] * steps + self.sway * math.cos(0.7 * phase),
            start.height,
            start.roll + _ROLL_SWAY_DEGREES * math.sin(phase),
            start.yaw,
            start.pitch,
        )


@dataclass(frozen=True, slots=True)
class Camera:
    """The movement of the camera: pixels a frame, enlargement a frame, and the reach of a shake in pixels."""

    pan: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    shake: float = 0.0

    def view(self, frame: int, size: Size) -> tuple[float, float, float]:
        """Return enlargement and shift (x, y) of the picture in a frame: a point p goes to p * enlargement + shift."""
        scale = self.zoom**frame
        x = self.pan[0] * frame + self.shake * math.sin(1.9 * frame)
        y = self.pan[1] * frame + self.shake * math.cos(2.3 * frame)
        return scale, (1 - scale) * size.width / 2 + x, (1 - scale) * size.height / 2 + y

    def move_pose(self, pose: HeadPose, frame: int, size: Size) -> HeadPose:
        """Return a pose as the camera sees it."""
        scale, x, y = self.view(frame, size)
        return HeadPose(pose.x * scale + x, pose.y * scale + y, pose.height * scale, pose.roll, pose.yaw, pose.pitch)


@dataclass(frozen=True, slots=True)
class PictureEffects:
    """What is done to every whole frame, in this order.

    Attributes:
        infrared: Grey with a bright middle, as a camera with an infrared lamp sees.
        blur: Standard deviation of a Gaussian blur in pixels.
        motion: Length of a horizontal motion blur in pixels.
        gain: Factor for every sample; above 1 bright parts are clipped.
        noise: Standard deviation of noise in 8-bit steps.
    """

    infrared: bool = False
    blur: float = 0.0
    motion: int = 0
    gain: float = 1.0
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Shot:
    """A number of frames before one background."""

    background: str
    frames: int
    heads: tuple[HeadMotion, ...] = ()
    camera: Camera = Camera()
    effects: PictureEffects = PictureEffects()


@dataclass(frozen=True, slots=True)
class BenchmarkClip:
    """One clip of the benchmark.

    Attributes:
        kind: What is tried, as `roll`.
        value: How much of it, as `45`. Kind and value together are a cell of the table.
        size: Size of a frame.
        shots: One after another.
        transition: Change from shot to shot.
        crf: Rate factor of the encoder; higher is worse.
        encoded: How many times the clip is encoded.
    """

    kind: str
    value: str
    size: Size
    shots: tuple[Shot, ...] = field(repr=False)
    transition: Literal["cut", "wipe"] = "cut"
    crf: int = 18
    encoded: int = 1

    @property
    def resolution(self) -> str:
        """Return the usual name of the size, as `1080p`."""
        return f"{self.size.height}p"

    @property
    def file(self) -> str:
        """Return the file in the folder of the benchmark."""
        return f"{self.resolution}/{self.kind}-{self.value}.mp4"
