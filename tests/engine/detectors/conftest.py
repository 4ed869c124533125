from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote import Remote

from engine import store
from engine.detectors import registry, weights


@pytest.fixture(scope="session")
def models() -> Path:
    """The pinned model files, fetched once and kept."""
    folder = Path(os.environ["VEIL_MODELS"]) if "VEIL_MODELS" in os.environ else store.data_folder().models
    weights.fetch(folder)
    return folder


@pytest.fixture(scope="module", params=registry.names())
def detector(request: pytest.FixtureRequest, models: Path) -> Iterator[Remote]:
    """Each detector in turn, in a process of its own."""
    remote = Remote(request.param, models)
    yield remote
    remote.close()
