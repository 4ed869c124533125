"""Memory of the record of a long video."""

import gc
import math
import tracemalloc

import pytest

from engine.core.geometry import Box
from engine.detection.assemble import assemble_record
from engine.detection.frame_detections import FrameDetections, FrameTable, merge_passes
from engine.detectors.base import Receipt
from engine.media.source.probe import probe
from engine.record import Detection, DetectOptions, DetectorFacts, hash_record
from engine.timeline.carried import CarriedPath
from tests import clips

FACTS = (DetectorFacts("a", {}, (), {"sure": 0.4}),)


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    return probe(clips.video(tmp_path_factory.mktemp("small") / "small.mp4", frames=2))


def place(index):
    left, top = 40 + 20 * math.cos(index / 37), 30 + 15 * math.sin(index / 51)
    return Box(round(left, 2), round(top, 2), round(left + 20, 2), round(top + 20, 2))


def detect_frame(index, every):
    """A face in every frame that is looked at, carried both ways into those between."""
    if index % every:
        return FrameDetections(512 * index, False, 0.01, {})
    paths = tuple(
        CarriedPath(look, place(look), step, tuple(place(look + step * far) for far in range(1, every)))
        for look, step in ((index - every, 1), (index, -1))
        if look >= 0 and every > 1
    )
    return FrameDetections(512 * index, False, 0.01, {"a": (Detection("a", place(index), 0.9),)}, carried=paths)


@pytest.mark.slow
@pytest.mark.parametrize(("every", "limit"), [(1, 5.5e6), (5, 7.5e6)])
def test_a_long_video_takes_little_memory(info, every, limit):
    def measure_peak(count):
        gc.collect()  # what earlier tests have left would be freed while it is measured
        tracemalloc.start()
        frames = FrameTable(detect_frame(index, every) for index in range(count))
        record = assemble_record(frames, info, FACTS, DetectOptions(detectors=("a",)))
        hash_record(record)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(len(frame.faces) for frame in record.frames) >= count - every
        return peak

    measure_peak(600)  # imports what is imported late
    # Six minutes take 4.5 and 6.4 MB, a part of which grows no more beyond 8,192 frames; 9.6 and 12.2 MB if frames were
    # not packed.
    assert measure_peak(9_000) < limit


def test_a_table_gives_back_what_was_put_in():
    frames = [detect_frame(index, 5) for index in range(600)]
    table = FrameTable(iter(frames))
    assert list(table) == frames
    assert table[5].carried == frames[5].carried


def test_a_second_pass_that_ended_early_keeps_the_frames_of_the_first():
    first = FrameTable(detect_frame(index, 1) for index in range(300))
    receipt = Receipt("ab" * 32, 10, "r", paid=True)
    second = FrameTable(FrameDetections(512 * index, False, 0.01, {"b": ()}, {"b": receipt}) for index in range(260))
    merged = list(merge_passes([first, second]))
    assert len(merged) == 300
    assert merged[259].by_detector == {**first[259].by_detector, "b": ()}
    assert merged[259].receipts == {"b": receipt}
    assert merged[260:] == list(first)[260:]
