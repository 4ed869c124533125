"""Veil: face anonymisation for regulated video.

The verbs of the command line as functions: `probe`, `detect`, `render`, `verify`, `anonymise`. Names load on first use,
so that importing the package imports no media or machine-learning library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.version import VERSION

if TYPE_CHECKING:
    from engine.media.probe import probe
    from engine.pipeline import anonymise, detect
    from engine.rendering import render
    from engine.verification import verify

__all__ = ["__version__", "anonymise", "detect", "probe", "render", "verify"]
__version__ = VERSION

_HOMES = {
    "anonymise": "engine.pipeline",
    "detect": "engine.pipeline",
    "probe": "engine.media.probe",
    "render": "engine.rendering",
    "verify": "engine.verification",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
