"""Find places of a video that look like a face that a person chose, and that no mask covers.

Nothing is masked by it and nothing is decided: a person adds the places to the review as items to check (`flag`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np

from engine.assist.follow import check_start
from engine.assist.similar_regions import PICTURE_SIDE_PX, Example, Region
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.core.progress import ProgressListener, SilentListener
from engine.core.scenes import Scenes
from engine.detection.look_schedule import Grey
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.registry import plan_detector
from engine.errors import InputError, ModelError
from engine.media.source.seek import SeekingReader
from engine.record import Count, Document
from engine.review.amendments import FlaggedPlace
from engine.review.apply import AmendedFrame, AmendedRecord

_LOOK_INTERVAL_S = 0.2
_DETECTOR = "yolov8-face"
_THRESHOLD = 0.1
"""Score from which a detection is looked at; far below that of any mode, as another look decides."""
_BATCH = 4
_COVERED_SHARE = 0.5
"""Share of a place that masks must cover so that it is not reported."""
_SAME_FACE_IOU = 0.3
_MAX_MISSED_LOOKS = 2
"""Looks in a row without the face that do not end a place."""
_MAX_PLACES = 100
_SILENT = SilentListener()


class SimilarPlaces(Document, frozen=True):
    """Places that look like a face that a person chose, and that no mask covers.

    Attributes:
        frame: the frame of the example.
        box: the example.
        places: the places, most similar first.
        left_off: number of less similar places that are not listed.
        detector: the detector that looked, too; None: its model is not there.
    """

    frame: Count
    box: Box
    places: tuple[FlaggedPlace, ...]
    left_off: Count
    detector: str | None


@dataclass(frozen=True, slots=True)
class _Look:
    """A frame that is searched."""

    index: int
    grey: Grey
    picture: Rgb


def find_similar(  # noqa: PLR0913, PLR0917 - a place in a video, and what helps to look
    source: Path | str,
    amended: AmendedRecord,
    frame: int,
    box: Box,
    models: Path | None = None,
    listener: ProgressListener = _SILENT,
) -> SimilarPlaces:
    """Find places that look like a face and that no mask covers, in five frames of each second.

    Args:
        source: the source.
        amended: its record with the review applied.
        frame: the frame of the example.
        box: the example, in display pixels.
        models: folder of the weights of a detector that looks, too; None, or one without the weights: no detector.
        listener: gets the progress.

    Raises:
        InputError: there is no such frame, or the box is outside of the picture or too small.
        SourceError: the source cannot be read, or is not the one of the record.
    """
    inside = check_start(amended, frame, box)
    record = amended.record
    step = max(1, round(_LOOK_INTERVAL_S / record.frame_s))
    with ExitStack() as stack:
        detector = _open_detector(stack, models)
        reader = stack.enter_context(SeekingReader(Path(source), record))
        shown = reader.read_frame(frame)
        example = Example.cut(shown.grey(PICTURE_SIDE_PX), shown.rgb(PICTURE_SIDE_PX), inside, record.display)
        if example is None:
            raise InputError(f"The box in frame {frame} is too small to find others like it; draw it larger.")
        linking = _Linking(Scenes(record.cuts, len(record.frames)), step)
        for look, boxes in _detect(_read_looks(reader, amended, step, listener), detector, record.display):
            regions = example.find(look.grey, look.picture, boxes)
            seen = amended.build_frame(look.index)
            linking.add(look.index, [one for one in regions if not _is_covered(one.box, seen)])
    places = [place for place in linking.places() if not _is_example(place, frame, inside)]
    places.sort(key=lambda place: (-place.similarity, place.start, place.box.left))
    kept = tuple(places[:_MAX_PLACES])
    return SimilarPlaces(frame, inside, kept, len(places) - len(kept), None if detector is None else _DETECTOR)


def _open_detector(stack: ExitStack, models: Path | None) -> DetectorEnsemble | None:
    if models is None:
        return None
    detector = DetectorEnsemble([plan_detector(_DETECTOR, {"threshold": _THRESHOLD})], models, workers=1)
    try:
        stack.enter_context(detector)
        # Weights that are missing are noticed when the first picture is answered, which must not be one of the video.
        empty = (np.zeros((8, 8, 3), np.uint8),)
        detector.submit(0, dict.fromkeys(detector.input_sides, empty), "an empty picture")
        deque(detector.drain(), maxlen=0)
    except ModelError:
        # The search works without it, and the result says that it did not look.
        return None
    return detector


def _read_looks(
    reader: SeekingReader, amended: AmendedRecord, step: int, listener: ProgressListener
) -> Iterator[_Look]:
    for frame in reader.read_frames(0):
        if frame.index % step == 0:
            listener.progress("search", frame.index, len(amended.record.frames))
            yield _Look(frame.index, frame.grey(PICTURE_SIDE_PX), frame.rgb(PICTURE_SIDE_PX))


def _detect(
    looks: Iterator[_Look], detector: DetectorEnsemble | None, display: Size
) -> Iterator[tuple[_Look, Sequence[Box]]]:
    """Yield each frame with what the detector takes for faces; without a detector, with none."""
    for ticket in count(1):
        batch = tuple(islice(looks, _BATCH))
        if not batch:
            return
        if detector is None:
            yield from ((look, ()) for look in batch)
            continue
        pictures = tuple(look.picture for look in batch)
        label = f"frames {batch[0].index} to {batch[-1].index}"
        detector.submit(ticket, dict.fromkeys(detector.input_sides, pictures), label)
        ((_, answers),) = detector.drain()
        for look, detections in zip(batch, answers[_DETECTOR].detections, strict=True):
            rows, columns = look.picture.shape[:2]
            yield look, [one.box.scale_axes(display.width / columns, display.height / rows) for one in detections]


def _is_covered(box: Box, frame: AmendedFrame) -> bool:
    if frame.covered:
        return True
    # Also where a person is kept visible: that is decided.
    return any(face.box.intersection_area(box) >= _COVERED_SHARE * box.area for face in frame.faces)


def _is_example(place: FlaggedPlace, frame: int, box: Box) -> bool:
    """Whether a place is no more than the example itself."""
    return place.stop - place.start == 1 and place.frame == frame and place.box.iou(box) >= _SAME_FACE_IOU


@dataclass(slots=True)
class _Link:
    """A place that may go on."""

    start: int
    last: int
    box: Box
    best: Region
    best_frame: int


class _Linking:
    """Joins regions of successive looks into places; a place never crosses a cut."""

    def __init__(self, scenes: Scenes, step: int) -> None:
        self._scenes, self._reach = scenes, step * (1 + _MAX_MISSED_LOOKS)
        self._open: list[_Link] = []
        self._ended: list[_Link] = []

    def add(self, index: int, regions: Sequence[Region]) -> None:
        """Add the regions of the next look."""
        first = self._scenes.find_scene(index)[0]
        going_on = [link for link in self._open if link.last >= first and index - link.last <= self._reach]
        self._ended += [link for link in self._open if link not in going_on]
        self._open = going_on
        for region in regions:
            nearest = max(self._open, key=lambda link: link.box.iou(region.box), default=None)
            if nearest is None or nearest.box.iou(region.box) < _SAME_FACE_IOU:
                self._open.append(_Link(index, index, region.box, region, index))
                continue
            nearest.last, nearest.box = index, region.box
            if region.similarity > nearest.best.similarity:
                nearest.best, nearest.best_frame = region, index

    def places(self) -> Iterator[FlaggedPlace]:
        """Yield the places, up to the last frame in which each was found."""
        for link in (*self._ended, *self._open):
            yield FlaggedPlace(link.start, link.last + 1, link.best_frame, link.best.box, link.best.similarity)
