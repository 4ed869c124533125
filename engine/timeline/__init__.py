"""Sightings become tracks of faces: pure functions on values, which neither read files nor run models."""

from engine.timeline.build import build

__all__ = ["build"]
