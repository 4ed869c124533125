"""Texts as the pages write them."""

import pytest

from engine.record import DetectOptions, TrackingSettings
from workbench.core.formatting import describe_detection


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (DetectOptions(), "on-prem"),
        (DetectOptions(mode="hybrid"), "hybrid"),
        (DetectOptions(detectors=("mtcnn",)), "on-prem: mtcnn"),
        (DetectOptions(detectors=("mtcnn", "mediapipe")), "on-prem: mtcnn, mediapipe"),
        (
            DetectOptions(detectors=("mtcnn",), parameters={"mtcnn": {"threshold": 0.5}}),
            "on-prem: mtcnn (mtcnn.threshold=0.5)",
        ),
        (DetectOptions(tracking=TrackingSettings(support=3.0)), "on-prem (tracking.support=3.0)"),
    ],
)
def test_runs_with_different_detections_read_differently(options, text):
    assert describe_detection(options) == text
