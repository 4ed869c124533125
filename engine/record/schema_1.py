"""Reading of detection records of the schema veil/detections/1, which count durations in frames.

In memory such a record is a `Record` like any other, except that its timeline settings are the types here. It is
encoded to the bytes that it was read from, so hashes and signatures of earlier versions stay valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from engine.core.json_decoder import decode_json
from engine.record.document import Count, Document
from engine.record.time_settings import REFERENCE_FRAME_S, SmoothingInFrames, TrackingInFrames
from engine.record.types import DetectionConfig, DetectorFacts, Frame, FusionSettings, Record, SourceFacts

SCHEMA_1: Literal["veil/detections/1"] = "veil/detections/1"


class DetectionConfig1(Document, frozen=True, omit_defaults=True):
    """`DetectionConfig` of the schema veil/detections/1."""

    mode: str
    detectors: tuple[DetectorFacts, ...]
    fusion: FusionSettings
    tracking: TrackingInFrames
    smoothing: SmoothingInFrames
    asked: Mapping[str, tuple[tuple[Count, Count], ...]] = {}

    @property
    def schedule(self) -> None:
        """Return None: every frame was looked at, or `asked` names those that were."""
        return


class _Record1(Document, frozen=True, omit_defaults=True):
    schema: Literal["veil/detections/1"]
    source: SourceFacts
    detection: DetectionConfig1
    frames: Sequence[Frame]
    cuts: tuple[Count, ...]
    damaged: tuple[Count, ...]
    covered: tuple[Count, ...] = ()


def parse_record_1(data: bytes) -> Record:
    """Parse a record of the schema veil/detections/1.

    Raises:
        msgspec.MsgspecError: the data is not one.
    """
    record = decode_json(data, type=_Record1)
    # Both configs have the same fields and methods; only what their settings count differs.
    config = cast("DetectionConfig", record.detection)
    return Record(record.schema, record.source, config, record.frames, record.cuts, record.damaged, record.covered)


_FRAME_COUNTS = {"tracking": ("patience", "hold"), "smoothing": ("gap", "lead", "tail", "trust", "window", "horizon")}
"""The settings that were counted in frames, by part of the options of a detection."""


def upgrade_request(document: Any) -> Any:
    """Return the content of a request for a run with its durations in seconds.

    A request does not tell the frame rate, so the frames of an earlier version are taken for those of 25 a second.
    """
    if not isinstance(document, dict) or not isinstance(options := document.get("detection"), dict):
        return document
    parts = {
        part: dict(_in_seconds(name, value, counted) for name, value in old.items())
        for part, counted in _FRAME_COUNTS.items()
        if isinstance(old := options.get(part), dict)
    }
    return {**document, "detection": {**options, **parts}}


def _in_seconds(name: str, value: Any, counted: tuple[str, ...]) -> tuple[str, Any]:
    if name in counted and isinstance(value, int):
        return f"{name}_s", value * REFERENCE_FRAME_S
    return name, value
