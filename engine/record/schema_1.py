"""Reading of detection records of the schema veil/detections/1, which count durations in frames.

In memory such a record is a `Record` like any other, except that its timeline settings are the types here. It is
encoded to the bytes that it was read from, so hashes and signatures of earlier versions stay valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from engine.core.json_decoder import decode_json
from engine.record.document import Count, Document
from engine.record.time_settings import SmoothingInFrames, TrackingInFrames
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
    frames: tuple[Frame, ...]
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
