"""Records of an hour at 30 frames/s: written, read, and searched for items to check."""

from time import perf_counter, process_time

import msgspec

from engine.core.geometry import Box
from engine.record import Face, ScheduleSettings, decode_record, encode_document
from engine.review.queue import find_review_items
from tests.engine.review.test_queue import FILLED, GOOD, ONE, TWO, record_of, seen
from tests.record_makers import make_record

HOUR_FRAMES = 108_000
LOOK_STEP = 5


def test_reading_and_writing(record_figure):
    record = make_record([[(10.25, 20.5, 60.75, 80.0), (100.0, 20.5, 160.75, 80.0)]] * HOUR_FRAMES)
    start = perf_counter()
    data = encode_document(record)
    record_figure("Record of an hour, two faces: write", perf_counter() - start, "s", 15)
    start = perf_counter()
    assert decode_record(data) == record
    record_figure("Record of an hour, two faces: read", perf_counter() - start, "s", 15)


def test_finding_items_to_check(record_figure):
    """As the default mode writes it: a look on every fifth frame, and faces carried between."""

    def faces(index):
        left = msgspec.structs.replace(GOOD, track=index // 900)
        right = Face(1000 + index // 1300, Box(400.0, 300.0, 418.0, 320.0), "detected", seen(0.3).evidence)
        if index % LOOK_STEP:
            return [Face(face.track, face.box, "carried", ()) for face in (left, right)]
        return [msgspec.structs.replace(FILLED, track=left.track) if index % 300 < 20 else left, right]

    looks = tuple((index, index + 1) for index in range(0, HOUR_FRAMES, LOOK_STEP))
    blank = record_of(lambda _: [], schedule=ScheduleSettings(interval_s=0.2, change=8.0))
    detection = msgspec.structs.replace(blank.detection, asked={ONE: looks, TWO: looks})
    frames = tuple(
        msgspec.structs.replace(blank.frames[0], index=index, pts=index, faces=tuple(faces(index)))
        for index in range(HOUR_FRAMES)
    )
    record = msgspec.structs.replace(blank, detection=detection, frames=frames)
    start = process_time()
    items = find_review_items(record)
    record_figure("Record of an hour: find the items to check (processor time)", process_time() - start, "s", 2)
    assert len(items) > 200
