"""Detections for tests."""

from engine.record import Detection


def make_detections(by_detector):
    """The detections of pairs (box, score) by detector name, in one list."""
    return [Detection(name, box, score) for name, pairs in by_detector.items() for box, score in pairs]
