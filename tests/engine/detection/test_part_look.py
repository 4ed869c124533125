"""A small change is looked at alone first; the frame is looked at whole only if there may be a face in the change."""

from types import SimpleNamespace

import pytest

import engine
from engine.core.frame_ranges import expand_ranges
from engine.core.geometry import Box, Size
from engine.detection.look_decision import DecisionContext, UnknownChange
from engine.detection.part_look import PartLooks, choose_parts
from engine.detectors.table import DETECTORS
from engine.errors import InputError
from engine.record import Detection, DetectOptions, FusionSettings, ScheduleSettings
from tests import clips
from tests.engine.detectors import bright_square_detector

DISPLAY = Size(1920, 1080)
FACE = Box(400, 300, 500, 420)
CONTEXT = DecisionContext(DISPLAY, FusionSettings(), {"a": 0.5}, 2.0, 6)


def make_looks(side=None):
    return PartLooks(CONTEXT, 0.4, {"a": side})


def share(box):
    return Box(box.left / 1920, box.top / 1080, box.right / 1920, box.bottom / 1080)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (Box(900, 500, 940, 560), (760, 370, 1080, 690)),
        (Box(700, 500, 1040, 560), (550, 370, 1190, 690)),
        # At a corner of the picture the part ends there.
        (Box(0, 0, 8, 8), (0, 0, 320, 320)),
        (Box(1912, 1072, 1920, 1080), (1600, 760, 1920, 1080)),
        # As high as the picture.
        (Box(900, 0, 940, 1080), (760, 0, 1080, 1080)),
    ],
)
def test_a_part_shows_a_change_and_its_surroundings_in_whole_steps(change, part):
    assert choose_parts([share(change)], DISPLAY) == [Box(*part)]


def test_changes_side_by_side_share_a_part_and_those_far_apart_do_not():
    near = [share(Box(900, 500, 940, 560)), share(Box(960, 500, 990, 560))]
    assert len(choose_parts(near, DISPLAY)) == 1
    assert len(choose_parts([*near, share(Box(100, 900, 120, 920))], DISPLAY)) == 2


@pytest.mark.parametrize("size", [Size(16, 16), Size(17, 300), Size(4096, 2160), Size(1, 1)])
def test_every_change_is_within_a_part_of_the_picture(size):
    places = [Box(0, 0, 1, 1), Box(0.5, 0.5, 0.51, 0.51), Box(0, 0.99, 0.01, 1), Box(0.2, 0, 0.9, 0.1)]
    for number in range(1, len(places) + 1):
        parts = choose_parts(places[:number], size)
        assert all(part.is_within(size) for part in parts)
        for place in places[:number]:
            box = place.scale_axes(size.width, size.height)
            assert any(part.hull(box).area == pytest.approx(part.area) for part in parts)


def test_changes_over_much_of_the_picture_are_looked_at_whole():
    assert make_looks().choose_parts(UnknownChange((Box(0.4, 0.4, 0.6, 0.6),), (), ()))
    assert not make_looks().choose_parts(UnknownChange((Box(0.1, 0.1, 0.9, 0.9),), (), ()))


def answer(found, before=(), after=(), side=None, part=Box(320, 240, 640, 560)):
    looks = make_looks(side)
    looks.add(7, 12, UnknownChange((), before, after), [part])
    assert 7 in looks
    frame, looked = looks.take_answers(7, {"a": SimpleNamespace(detections=[found])})
    assert (frame, len(looks)) == (12, 0)
    return looked


def test_something_like_a_face_is_looked_at_unless_both_looks_know_it():
    # In pixels of the part.
    seen = [Detection("a", FACE.move(-320, -240), 0.9)]
    assert answer(seen)
    assert answer(seen, before=[FACE])
    assert answer(seen, after=[FACE])
    assert not answer(seen, before=[FACE], after=[FACE])
    assert answer(seen, before=[FACE], after=[FACE.move(300, 0)])
    assert not answer([])


def test_what_is_far_from_a_face_is_not_looked_at():
    assert answer([Detection("a", Box(10, 10, 50, 60), 0.15)])
    assert not answer([Detection("a", Box(10, 10, 50, 60), 0.14)])


def test_parts_of_a_smaller_picture_are_compared_with_the_faces_of_the_whole():
    small = FACE.move(-320, -240).scale_axes(0.5, 0.5)
    assert not answer([Detection("a", small, 0.9)], [FACE], [FACE], side=960)
    assert answer([Detection("a", small, 0.9)], [FACE.move(200, 200)], [FACE], side=960)


@pytest.fixture
def bright_square(monkeypatch):
    monkeypatch.setitem(DETECTORS, bright_square_detector.NAME, bright_square_detector.ROW)


def options(part):
    schedule = ScheduleSettings(interval_s=0.2, change=12.0, part=part)
    return DetectOptions(detectors=(bright_square_detector.NAME,), schedule=schedule, workers=1)


@pytest.fixture(scope="module")
def flashes(tmp_path_factory):
    """A grey clip with a face from the beginning, something dark in frame 7, a second face in frame 13."""
    return clips.video(
        tmp_path_factory.mktemp("flashes") / "flashes.mp4",
        size=(640, 360),
        frames=25,
        filters="drawbox=c=gray:t=fill,drawbox=60:60:60:60:white:fill,"
        "drawbox=500:250:50:50:black:fill:enable=eq(n\\,7),drawbox=420:60:50:50:white:fill:enable=eq(n\\,13)",
        options=["-crf", "10", "-sc_threshold", "0"],
    )


def find_looks(record):
    return set(expand_ranges(record.detection.asked[bright_square_detector.NAME]))


def find_boxes(record):
    return [[face.box for face in frame.faces] for frame in record.frames]


@pytest.mark.slow
@pytest.mark.usefixtures("bright_square")
def test_a_face_of_one_frame_is_found_and_anything_else_costs_no_whole_look(flashes, tmp_path):
    record = engine.detect(flashes, tmp_path / "a.json", options(0.4), data=tmp_path)
    always = engine.detect(flashes, tmp_path / "b.json", options(0.0), data=tmp_path)
    # A thing that goes changes the picture as one that comes does.
    assert find_looks(always) - find_looks(record) == {7, 8, 14}
    assert {0, 5, 10, 13, 15, 20} <= find_looks(record)
    assert len(record.frames[13].faces) == 2
    assert find_boxes(record) == find_boxes(always)


@pytest.mark.slow
@pytest.mark.usefixtures("bright_square")
@pytest.mark.parametrize("stop_at", [4, 8, 16])
def test_an_interrupted_run_ends_with_the_same_bytes(flashes, tmp_path, stop_at):
    class StopError(Exception):
        pass

    class Stopper:
        def progress(self, stage, done, total):
            if stage == "detect" and stop_at <= done < 25:
                raise StopError

        def notice(self, message):
            pass

    engine.detect(flashes, tmp_path / "whole.json", options(0.4), data=tmp_path)
    with pytest.raises(StopError):
        engine.detect(flashes, tmp_path / "a.json", options(0.4), data=tmp_path, listener=Stopper())
    engine.detect(flashes, tmp_path / "a.json", options(0.4), data=tmp_path)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_detector_that_looks_at_whole_pictures_only_is_named(tmp_path):
    schedule = ScheduleSettings(interval_s=0.2, change=12.0, part=0.4)
    clip = clips.video(tmp_path / "a.mp4", frames=2)
    with pytest.raises(InputError, match=r"^yolov8-face cannot look at a part of a picture: set schedule\.part=0\.$"):
        engine.detect(clip, options=DetectOptions(mode="hybrid", schedule=schedule), data=tmp_path)
