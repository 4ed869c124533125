"""From a source and its record to a video without faces. Runs no model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import engine
from engine import record as records
from engine.errors import RecordError, SourceError, StyleError
from engine.media.containers import ContainerChoice, choose_container
from engine.media.decode import Source, SourceFrame, open_source
from engine.media.encode import EncoderSettings
from engine.media.mux import mux
from engine.media.probe import MediaInfo, probe
from engine.media.writer import VideoWriter, Y4mWriter
from engine.picture import Picture
from engine.progress import Listener, Silent
from engine.record import Document, Record, Sha256
from engine.redact import Style, check, cover, redact, weaknesses
from engine.review.plan import FramePlan, plan_frames
from engine.store import file_digest, publish, scratch
from engine.store import write as write_file

SCHEMA = "veil/render/1"
DRAFT = "Veil draft: not reviewed, not released"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How faces are hidden and how the video is encoded.

    Attributes:
        style: what covers a face.
        encoder: settings of the encoder.
        force: allow a style too weak to hide a face; the report says that it was.
        y4m: also write the pictures handed to the encoder to this file.
    """

    style: Style = Style()
    encoder: EncoderSettings = EncoderSettings()
    force: bool = False
    y4m: Path | None = None
