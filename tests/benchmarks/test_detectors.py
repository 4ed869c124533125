"""What each detector costs a frame of 1920x1080, in a process of its own, as in the product."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.detector_cost import CONFIGURATIONS


@pytest.mark.parametrize("title", CONFIGURATIONS)
def test_detector_cost(title, record_figure):
    name, overrides = CONFIGURATIONS[title]
    command = [sys.executable, "-m", "tests.benchmarks.detector_cost", name, json.dumps(overrides), "1920", "1080"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    record_figure(f"Detector {title}: processor time a frame", float(done.stdout.split()[-1]), "ms")
