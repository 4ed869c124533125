"""Make whole frames harder: blur, motion, light, noise, infrared."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.evaluation.benchmark.shots import PictureEffects

_NOISE_MARGIN_PX = 64
_INFRARED_WEIGHTS = (0.75, 0.25, 0.0)
"""Skin and hair are bright in the near infrared; of the visible colours red is closest to it."""
_INFRARED_FALLOFF = 0.75
"""How much darker than the middle a corner is under a lamp beside the camera."""


class EffectChain:
    """Applies the effects of one shot to its frames."""

    def __init__(self, effects: PictureEffects, size: Size, seed: int) -> None:
        self._effects, self._seed = effects, seed
        self._noise = _draw_noise(effects.noise, size, seed) if effects.noise else None
        self._lamp = _make_lamp(size) if effects.infrared else None

    def apply(self, picture: Rgb, frame: int) -> Rgb:
        """Return the changed picture."""
        effects = self._effects
        if self._lamp is not None:
            picture = _to_infrared(picture, self._lamp)
        if effects.blur:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), effects.blur), np.uint8)
        if effects.motion:
            picture = np.asarray(cv2.blur(picture, (effects.motion, 1)), np.uint8)
        if effects.gain != 1.0:
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=effects.gain), np.uint8)
        if self._noise is not None:
            picture = self._add_noise(picture, self._noise, frame)
        return picture

    def _add_noise(self, picture: Rgb, noise: NDArray[np.int16], frame: int) -> Rgb:
        # Drawing new noise for a 4K frame takes half a second; another part of one field is as good.
        generator = np.random.default_rng((self._seed, frame))
        top, left = (int(value) for value in generator.integers(_NOISE_MARGIN_PX, size=2))
        rows, columns = picture.shape[:2]
        part = noise[top : top + rows, left : left + columns]
        return np.asarray(np.clip(picture + part, 0, 255), np.uint8)


def _draw_noise(sigma: float, size: Size, seed: int) -> NDArray[np.int16]:
    shape = size.height + _NOISE_MARGIN_PX, size.width + _NOISE_MARGIN_PX, 3
    field = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return (field * np.float32(sigma)).round().astype(np.int16)


def _make_lamp(size: Size) -> NDArray[np.float32]:
    across, down = (np.linspace(-1, 1, length, dtype=np.float32) for length in (size.width, size.height))
    distance = np.add.outer(down**2, across**2) / 2
    return np.asarray(1.15 - _INFRARED_FALLOFF * distance, np.float32)


def _to_infrared(picture: Rgb, lamp: NDArray[np.float32]) -> Rgb:
    grey = cv2.transform(picture, np.array([_INFRARED_WEIGHTS]))
    lit = np.clip(grey * lamp, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(lit, cv2.COLOR_GRAY2RGB), np.uint8)
