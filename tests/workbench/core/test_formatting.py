"""Texts as the pages write them."""

import re

import pytest

from engine.record import DetectOptions, TrackingSettings
from workbench.core.formatting import describe_detection, escape_markdown


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


@pytest.mark.parametrize(
    "text", ["https://evil.example/x", "HTTP://evil.example", "see www.evil.example", "a@evil.example"]
)
def test_words_of_other_people_make_no_link(text):
    """Streamlit makes links of bare addresses after it has read the escapes; an invisible letter breaks them."""
    shown = escape_markdown(text).replace("\\", "")
    assert not re.search(r"https?://|www\.|@evil", shown, re.IGNORECASE)
    assert shown.replace("\N{WORD JOINER}", "") == text
