"""Veil: face anonymisation for regulated video.

The verbs of the command line as functions: `probe`, `detect`, `render`, `verify`, `anonymise`. Names load on first use,
so that importing the package imports no media or machine-learning library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.version import VERSION

if TYPE_CHECKING:
    from engine.anonymisation import anonymise
    from engine.detection.detect import detect
    from engine.media.source.probe import probe
    from engine.rendering.render import render
    from engine.verification.verify import verify

__all__ = ["__version__", "anonymise", "detect", "probe", "render", "verify"]
__version__ = VERSION

_HOMES = {
    "anonymise": "engine.anonymisation",
    "detect": "engine.detection.detect",
    "probe": "engine.media.source.probe",
    "render": "engine.rendering.render",
    "verify": "engine.verification.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    # Kept, so that the name is looked up once.
    globals()[name] = value
    return value
