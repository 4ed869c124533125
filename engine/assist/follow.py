"""Follow a face that a person drew in one frame, both ways in time, until it is lost or the scene ends.

Needs the frames of the source and no model. Nothing is masked by it: the result becomes a mask when a person adds it
to the review, as an ordinary `add` with keyframes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, takewhile
from pathlib import Path

from engine.assist.face_path import FacePath, PathEnd, PathInput, PathSettings, follow_path
from engine.assist.keyframes import simplify_boxes
from engine.core.frame_ranges import FrameRange, describe_range
from engine.core.geometry import Box
from engine.core.progress import ProgressListener, SilentListener
from engine.core.scenes import Scenes
from engine.detection.look_schedule import GREY_SIDE_PX, Grey
from engine.errors import InputError
from engine.media.source.seek import SeekingReader
from engine.record import Document
from engine.review.amendments import MIN_BOX_SIDE_PX, Keyframe
from engine.review.apply import AmendedRecord

_MAX_HIDDEN_S = 0.4
"""Time in seconds for which a face may be hidden, by a hand or a blur, without being lost."""
_BLOCK_FRAMES = 120
"""Frames that are read at once to be gone through backwards: 60 MB of grey pictures."""
_SILENT = SilentListener()


class FollowedFace(Document, frozen=True):
    """A face that was followed from one frame.

    Attributes:
        frame: the frame in which a person drew it.
        keyframes: its boxes; between two of them the box is interpolated linearly.
        before: why it is not followed further back.
        after: why it is not followed further on.
    """

    frame: int
    keyframes: tuple[Keyframe, ...]
    before: PathEnd
    after: PathEnd

    @property
    def span(self) -> FrameRange:
        """Return its frames as a half-open range."""
        return self.keyframes[0].index, self.keyframes[-1].index + 1

    @property
    def boxes(self) -> dict[int, Box]:
        """Return the boxes of the keyframes by frame, as `ReviewEditor.add_face` takes them."""
        return {keyframe.index: keyframe.box for keyframe in self.keyframes}

    @property
    def reason(self) -> str:
        """Return what an amendment should say about how the boxes were made."""
        return f"followed from frame {self.frame}"

    def cut(self, start: int, stop: int) -> FollowedFace:
        """Return the part in a half-open range of frames.

        Raises:
            InputError: the face was not followed there.
        """
        first, end = max(start, self.span[0]), min(stop, self.span[1])
        if first >= end:
            raise InputError(
                f"The face was followed in {describe_range(*self.span)}, and not in {describe_range(start, stop)}."
            )
        inside = {k.index: k.box for k in self.keyframes if first <= k.index < end}
        boxes = inside | {index: _interpolate(self.keyframes, index) for index in (first, end - 1)}
        return FollowedFace(
            self.frame, tuple(Keyframe(index, boxes[index]) for index in sorted(boxes)), self.before, self.after
        )


def follow_face(
    source: Path | str, amended: AmendedRecord, frame: int, box: Box, listener: ProgressListener = _SILENT
) -> FollowedFace:
    """Follow a face both ways from the frame in which a person drew its box.

    It ends at a cut, where the face is lost or leaves the picture, and where a mask that is already there covers it.

    Args:
        source: the source.
        amended: its record with the review applied.
        frame: index of the frame.
        box: the face in it, in display pixels.
        listener: gets the progress.

    Raises:
        InputError: there is no such frame, or the box is outside of the picture or too small.
        SourceError: the source cannot be read, or is not the one of the record.
    """
    inside = check_start(amended, frame, box)
    record = amended.record
    scene = Scenes(record.cuts, len(record.frames)).find_scene(frame)
    settings = PathSettings(record.display, round(_MAX_HIDDEN_S / record.frame_s))
    with SeekingReader(Path(source), record) as reader:
        first = reader.read_frame(frame).grey(GREY_SIDE_PX)
        ways = _Ways(reader, amended, listener, scene)
        after = follow_path(inside, first, ways.read_on(frame + 1), settings)
        before = follow_path(inside, first, ways.read_back(frame), settings)
    boxes = {**before.boxes, frame: inside, **after.boxes}
    keyframes = tuple(Keyframe(index, kept) for index, kept in simplify_boxes(boxes).items())
    count = len(record.frames)
    return FollowedFace(
        frame, keyframes, _explain_end(before, is_video=scene[0] == 0), _explain_end(after, is_video=scene[1] == count)
    )


def describe_end(end: PathEnd, *, backwards: bool = False) -> str:
    """Describe why a face is followed no further, in one direction, as a phrase."""
    phrases: Mapping[str, str] = {
        "cut": "scene cut",
        "video": "start of the video" if backwards else "end of the video",
        "lost": "the face was lost",
        "left": "the face entered the picture" if backwards else "the face left the picture",
        "masked": f"masked by track {end.track}",
    }
    return phrases[end.cause]


class _Ways:
    """The frames of a scene in both directions."""

    def __init__(
        self, reader: SeekingReader, amended: AmendedRecord, listener: ProgressListener, scene: FrameRange
    ) -> None:
        self._reader, self._amended, self._listener, self._scene = reader, amended, listener, scene
        self._done = 0

    def read_on(self, start: int) -> Iterator[PathInput]:
        """Yield the frames from `start` to the end of the scene."""
        if start >= self._scene[1]:
            return
        frames = self._reader.read_frames(start)
        for frame in takewhile(lambda one: one.index < self._scene[1], frames):
            yield self._make_input(frame.index, frame.grey(GREY_SIDE_PX))

    def read_back(self, stop: int) -> Iterator[PathInput]:
        """Yield the frames before `stop` in falling order, to the start of the scene."""
        # Video can only be decoded forwards, so it is read in blocks.
        while stop > self._scene[0]:
            start = max(self._scene[0], stop - _BLOCK_FRAMES)
            block = [
                (frame.index, frame.grey(GREY_SIDE_PX))
                for frame in islice(self._reader.read_frames(start), stop - start)
            ]
            for index, grey in reversed(block):
                yield self._make_input(index, grey)
            stop = start

    def _make_input(self, index: int, grey: Grey) -> PathInput:
        self._done += 1
        self._listener.progress("follow", self._done, self._scene[1] - self._scene[0])
        masks = {face.track: face.box for face in self._amended.build_frame(index).faces if not face.visible}
        return PathInput(index, grey, masks)


def check_start(amended: AmendedRecord, frame: int, box: Box) -> Box:
    """Return the part of a drawn box that is inside of the picture.

    Raises:
        InputError: there is no such frame, or the box is outside of the picture or too small.
    """
    count, size = len(amended.record.frames), amended.record.display
    if not 0 <= frame < count:
        raise InputError(f"There is no frame {frame}: the video has {count}, from 0 to {count - 1}.")
    inside = box.clip(size)
    if inside is None or min(inside.width, inside.height) < MIN_BOX_SIDE_PX:
        raise InputError(
            f"The box in frame {frame} must be at least {MIN_BOX_SIDE_PX:g} pixels wide and high, inside of the "
            f"{size.width}x{size.height} picture."
        )
    return inside


def _explain_end(path: FacePath, *, is_video: bool) -> PathEnd:
    if path.end is not None:
        return path.end
    return PathEnd("video" if is_video else "cut")


def _interpolate(keyframes: tuple[Keyframe, ...], index: int) -> Box:
    before = max((k for k in keyframes if k.index <= index), key=lambda k: k.index)
    after = min((k for k in keyframes if k.index >= index), key=lambda k: k.index)
    if before.index == after.index:
        return before.box
    return before.box.interpolate(after.box, (index - before.index) / (after.index - before.index))
