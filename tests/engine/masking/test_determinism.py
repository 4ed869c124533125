"""Redaction gives the same bytes whatever the processor can do (law 3)."""

import os
import subprocess
import sys

import pytest

DRAW = """
import hashlib, sys
import cv2
from engine.core.geometry import Box, Orientation, Size
from engine.masking.painter import redact
from engine.masking.presets import PRESETS
from engine.masking.style import Style
from tests.engine.masking.gradient_pictures import FORMATS, noise

cv2.setNumThreads(int(sys.argv[1]))
size = Size(641, 483)
styles = [*(preset.style for preset in PRESETS.values()), Style(method="pattern", shape="rounded", feather=0.3)]
boxes = [Box(100.13, 80.51, 300.77, 330.09), Box(250.5, 200.25, 400.1, 390.3), Box(-20.0, 400.0, 30.0, 483.0)]
found = hashlib.sha256()
for style in styles:
    for pixel_format in FORMATS.values():
        picture = noise(pixel_format, size)
        redact(picture, boxes, Orientation(size), style)
        for plane in picture.planes:
            found.update(plane.tobytes())
print(found.hexdigest())
"""
NUMPY_FEATURES = "AVX512_SKX AVX512_ICL AVX512_SPR AVX2 FMA3 X86_V4 X86_V3"


def drawn(threads=1, **environment):
    result = subprocess.run(
        [sys.executable, "-c", DRAW, str(threads)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return result.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def usual():
    return drawn()


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"OPENCV_CPU_DISABLE": "AVX2,AVX512-SKX"},
        {"OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,AVX,FP16,SSE4.2,SSE4.1", "OPENCV_IPP": "disabled"},
        {"NPY_DISABLE_CPU_FEATURES": NUMPY_FEATURES, "OPENBLAS_CORETYPE": "Prescott"},
    ],
    ids=["no AVX2", "plain", "plain numpy"],
)
def test_without_vector_instructions_the_bytes_are_the_same(usual, environment):
    assert drawn(**environment) == usual


@pytest.mark.slow
def test_with_more_threads_the_bytes_are_the_same(usual):
    assert drawn(threads=4) == usual
