"""A detector that is known to other processes of a cluster, and takes as long as it is told to."""

import os
import sys
import time
from typing import Annotated, ClassVar

import msgspec

from engine.detectors.base import DetectorSettings
from engine.detectors.table import DETECTORS, DetectorRow
from tests.engine.detectors.brightest_region_detector import Brightest, BrightestSettings

NAME = "sleeping"
ROW = DetectorRow(class_path=f"{__name__}:Sleeping", frame_cost_s=0.0)


class SleepingSettings(BrightestSettings, frozen=True):
    """Seconds for each picture; `moody` answers differ from process to process; `host` differs from process to process
    if it is "here"."""

    seconds: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    moody: bool = False
    host: str = ""


class Sleeping(Brightest):
    """Sleeps for each picture, and finds its brightest place."""

    name: ClassVar[str] = NAME
    settings_type: ClassVar[type[DetectorSettings]] = SleepingSettings

    @classmethod
    def describe(cls, settings):
        facts = super().describe(settings)
        if settings.host != "here":
            return facts
        return msgspec.structs.replace(facts, parameters={**facts.parameters, "host": os.getpid()})

    def detect(self, pictures):
        time.sleep(self._settings.seconds * len(pictures))
        found = super().detect(pictures)
        if not self._settings.moody:
            return found
        return [[msgspec.structs.replace(one, score=os.getpid() % 1000 / 1000) for one in faces] for faces in found]


if "pytest" not in sys.modules:
    # A worker of a cluster meets the detector when it reads a task. The process of the tests registers it by a fixture.
    DETECTORS[NAME] = ROW
