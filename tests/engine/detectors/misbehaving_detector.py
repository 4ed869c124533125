"""A detector without a model, which misbehaves as it is told."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.detectors.base import DetectorSettings
from engine.errors import InputError, ModelError
from engine.record import Detection, DetectorFacts

TROUBLE = 255
"""A picture that is all this value makes the detector do what its settings say."""


class RogueSettings(DetectorSettings, frozen=True):
    """What to do when loading, and on a picture of trouble."""

    on_load: str = ""
    on_trouble: str = ""


class Rogue:
    """Answers with one sighting that spells the picture's size and mean."""

    name: ClassVar[str] = "rogue"
    settings_type: ClassVar[type[DetectorSettings]] = RogueSettings

    def __init__(self, settings: RogueSettings, models: Path) -> None:
        self._settings = settings
        self._models = models

    @classmethod
    def describe(cls, settings: DetectorSettings) -> DetectorFacts:
        return DetectorFacts(cls.name, {}, (), {})

    @classmethod
    def longest_side(cls, settings: DetectorSettings) -> int | None:
        return None

    @classmethod
    def load(cls, settings: DetectorSettings, models: Path) -> Self:
        assert isinstance(settings, RogueSettings)
        rogue = cls(settings, models)
        rogue._do(settings.on_load)
        return rogue

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        answers = []
        for picture in pictures:
            assert not picture.flags.writeable
            if (picture == TROUBLE).all():
                self._do(self._settings.on_trouble)
            answers.append([spelled(picture)])
        return answers[1:] if self._settings.on_trouble == "forget one" else answers

    def close(self) -> None:
        self._do("say goodbye")

    def _do(self, what: str) -> None:
        if what not in {"", "forget one"}:
            DEEDS[what](self._models)


def spelled(picture: Rgb) -> Detection:
    """The picture's width, height and content as a sighting."""
    height, width = picture.shape[:2]
    return Detection(Rogue.name, Box(0.0, 0.0, float(width), float(height)), round(float(picture.mean()) / 256, 6))


def fail(_: Path) -> None:
    raise ValueError("the tensor is bent")


def miss_weights(models: Path) -> None:
    raise ModelError(f"The model file {models / 'rogue.onnx'} is missing: run `veil models fetch`.")


def miss_package(_: Path) -> None:
    raise InputError("The package rogue is not installed.")


def crash(_: Path) -> None:
    os.write(2, b"loading\nillegal tensor\n\n")
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(_: Path) -> None:
    os._exit(3)


def hang(_: Path) -> None:
    signal.pause()


def spin(_: Path) -> None:
    while True:
        pass


def chatter(_: Path) -> None:
    os.write(1, b"hello from native code\n")
    os.write(2, b"x" * 1_000_000)
    sys.stdout.write("hello from Python\n")
    assert os.read(0, 1) == b""


def rave(_: Path) -> None:
    os.write(2, b"x" * 1_000_000)
    os._exit(3)


def list_modules(_: Path) -> None:
    names = {name if name.startswith("tests.") else name.partition(".")[0] for name in sys.modules}
    raise ValueError(",".join(sorted(names)))


def show_environment(_: Path) -> None:
    raise ValueError(os.environ["OMP_NUM_THREADS"] + os.environ["YOLO_OFFLINE"])


def say_goodbye(models: Path) -> None:
    if models.is_dir():
        (models / "goodbye").touch()


DEEDS: dict[str, Callable[[Path], None]] = {
    "raise": fail,
    "miss weights": miss_weights,
    "miss package": miss_package,
    "crash": crash,
    "exit": leave,
    "hang": hang,
    "spin": spin,
    "chatter": chatter,
    "rave": rave,
    "list modules": list_modules,
    "show environment": show_environment,
    "say goodbye": say_goodbye,
}
