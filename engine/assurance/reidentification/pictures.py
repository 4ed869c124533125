"""Read the frames of a clip, and mask them as a render would."""

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
        name: Its path in the folder of the clips.
    """

    name: str
    path: Path
    info: MediaInfo
    record: Record


def read_frames(clip: Clip, indices: Collection[int]) -> Iterator[SourceFrame]:
    """Read the frames of a clip with these indices, in order.

    Raises:
        SourceError: A frame up to the last of them cannot be decoded.
        RecordError: A frame is not that of the record.
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
    """Yield the frame masked with each style as a render masks it, and unmasked for None.

    Nothing is encoded, because an encoder only removes more of what could identify a person.
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
