"""From detections to tracks of faces: pure functions on values, which neither read files nor run models."""

from engine.timeline.build import build_timeline

__all__ = ["build_timeline"]
