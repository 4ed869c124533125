import msgspec
import pytest

from engine.assurance.reidentification.people import Sampling, choose_person_tracks, read_labels, sample_evenly
from engine.errors import InputError
from tests.record_makers import make_record

SMALL, LARGE = (0, 0, 30, 30), (100, 100, 180, 190)


def clip(frames):
    return make_record(frames)


def found(record, labels=None, **sampling):
    return list(choose_person_tracks("a.mp4", record, Sampling(**sampling), labels))


def test_known_and_tried_frames_lie_apart_in_time():
    (sitting,) = found(clip([[LARGE]] * 100), gallery=5, probes=6)
    assert sitting.gallery == (0, 10, 20, 29, 39)
    assert len(sitting.probes) == 6
    assert min(sitting.probes) == 60
    assert max(sitting.probes) == 99
    assert sitting.apart == pytest.approx(21 / 25)


def test_without_labels_the_track_that_covers_most_is_the_person():
    assert [sitting.track for sitting in found(clip([[SMALL, LARGE]] * 40))] == [1]


def test_labels_choose_tracks_and_name_people():
    labels = {"a.mp4": {0: "Ann", 1: "Bob"}, "b.mp4": {7: "Cy"}}
    assert [(one.track, one.person) for one in found(clip([[SMALL, LARGE]] * 40), labels)] == [(0, "Ann"), (1, "Bob")]
    assert found(clip([[SMALL]] * 40), {"b.mp4": {0: "Cy"}}) == []


def test_a_label_for_a_track_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"track 3 of a\.mp4"):
        found(clip([[LARGE]] * 40), {"a.mp4": {3: "Ann"}})


def test_who_shows_too_small_too_short_or_was_not_seen_is_left_out():
    assert found(clip([[(0, 0, 20, 20)]] * 40)) == []
    assert found(clip([[LARGE]] * 6)) == []
    assert found(clip([[]] * 40)) == []
    record = clip([[LARGE]] * 40)
    guessed = [
        msgspec.structs.replace(
            frame,
            faces=tuple(msgspec.structs.replace(face, origin="interpolated", evidence=()) for face in frame.faces),
        )
        for frame in record.frames
    ]
    assert found(msgspec.structs.replace(record, frames=tuple(guessed))) == []


def test_spread_takes_the_ends_and_never_one_twice():
    assert sample_evenly(range(10), 3) == (0, 4, 9)
    assert sample_evenly(range(3), 10) == (0, 1, 2)
    assert sample_evenly(range(10), 1) == (0,)


def test_labels_are_read_strictly(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("clip,track,person,note\na.mp4,0,Ann,\na.mp4,2,Bob,left\n", encoding="utf-8")
    assert read_labels(path) == {"a.mp4": {0: "Ann", 2: "Bob"}}
    path.write_text("clip,person\na.mp4,Ann\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1: column track is missing"):
        read_labels(path)
    path.write_text("clip,track,person\na.mp4,first,Ann\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: expected a clip"):
        read_labels(path)
    with pytest.raises(InputError, match=r"gone\.csv cannot be read"):
        read_labels(tmp_path / "gone.csv")
