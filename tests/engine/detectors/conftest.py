from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from engine.detectors import registry
from tests.engine.detectors.detector_subprocess import Remote
from tests.engine.detectors.detector_union import Hybrid
from tests.rekognition_stand_in import StandIn, eye_of

HYBRID = ("centerface", "rekognition")


@pytest.fixture(scope="module", params=[*registry.detector_names(), Hybrid.name])
def detector(request: pytest.FixtureRequest, models: Path) -> Iterator[Remote | Hybrid]:
    """Each detector in turn, in a process of its own, and two of them as one; a service is the stand-in."""
    with ExitStack() as stack:
        if request.param not in registry.local_detector_names():
            models = stack.enter_context(standing_in(models))
        made = Hybrid(HYBRID, models) if request.param == Hybrid.name else Remote(request.param, models)
        stack.callback(made.close)
        yield made


@contextmanager
def standing_in(models: Path) -> Iterator[Path]:
    """The models in a data folder without answers, while a stand-in with a real detector serves this process."""
    with (
        tempfile.TemporaryDirectory() as folder,
        eye_of("yolov8-face", models) as eye,
        StandIn(eye) as stand_in,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in stand_in.environment().items():
            environment.setenv(name, value)
        (Path(folder) / "models").symlink_to(models)
        yield Path(folder) / "models"
