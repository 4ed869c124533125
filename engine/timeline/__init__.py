"""Sightings become tracks of faces: pure functions on values, which neither read files nor run models."""

from engine.timeline.compose import build

__all__ = ["build"]
