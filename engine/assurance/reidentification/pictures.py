"""Frames of a clip as the attacker sees them: as they are, and with their faces covered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.core.picture import Rgb
from engine.errors import RecordError
from engine.masking.painter import redact
from engine.masking.style import Style
from engine.media.facts import MediaInfo
from engine.media.frame import SourceFrame
from engine.media.source.image_sequence import open_any
from engine.record import Record


class Clip(NamedTuple):
    """A clip with its record.

    Attributes:
        name: its path in the folder.
    """

    name: str
    path: Path
    info: MediaInfo
    record: Record


def read_frames(clip: Clip, indices: Collection[int]) -> Iterator[SourceFrame]:
    """Those frames of a clip, in order.

    Raises:
        SourceError: a frame up to the last of them cannot be decoded.
        RecordError: a frame is not the one of the record.
    """
    wanted = set(indices)
    if not wanted:
        return
    with open_any(clip.path, clip.info, on_damage="cover" if clip.record.damaged else "stop") as source:
        for frame in source.frames():
            if frame.index not in wanted:
                continue
            if frame.pts != clip.record.frames[frame.index].pts:
                raise RecordError(f"Frame {frame.index} of {clip.path} is not the one of its record; detect it again.")
            yield frame
            wanted.discard(frame.index)
            if not wanted:
                return


def mask_frame(clip: Clip, frame: SourceFrame, styles: Sequence[Style | None]) -> Iterator[Rgb]:
    """The frame under each style, every face of the record covered as a render covers it; as it is under None.

    Nothing is encoded: an encoder only takes away more of what might identify somebody.
    """
    video = clip.info.video
    boxes = [face.box for face in clip.record.frames[frame.index].faces]
    plain = frame.rgb()
    for style in styles:
        if style is None:
            yield plain
            continue
        with frame.open_for_drawing() as sheet:
            redact(sheet.picture(writable=True), boxes, video.orientation, style, video.colour.matrix)
            picture = sheet.rgb()
        yield picture
