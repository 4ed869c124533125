import json
import tracemalloc

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from engine.core.geometry import Box
from engine.errors import RecordError
from engine.record import (
    Face,
    SmoothingInFrames,
    SmoothingSettings,
    TrackingInFrames,
    TrackingSettings,
    decode_record,
    encode_document,
    read_record,
    record_json_schema,
)
from tests.record_makers import make_record
from tests.repository import SCHEMAS

coordinates = st.integers(0, 23_900).map(lambda hundredths: hundredths / 100)


@st.composite
def box_rows(draw):
    left, top = draw(coordinates), draw(coordinates)
    return left, top, min(left + 1, 320.0), min(top + 1, 240.0)


def edited(record, *path, to):
    """The bytes of a record with one value replaced."""
    document = json.loads(encode_document(record))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(document).encode()


@pytest.mark.slow
@given(st.lists(st.lists(box_rows(), max_size=3), min_size=1, max_size=6))
def test_a_record_survives_its_bytes(frames):
    record = make_record(frames)
    data = encode_document(record)
    assert decode_record(data) == record
    assert encode_document(decode_record(data)) == data


def test_bytes_are_canonical():
    data = encode_document(make_record([[(1, 2, 3, 4.5)], []]))
    document = json.loads(data)
    assert data == json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert document["frames"][0]["faces"][0]["box"] == [1, 2, 3, 4.5]
    assert document["frames"][1] == {"doubtful": [], "faces": [], "index": 1, "pts": 512}


def test_the_published_schema_accepts_what_is_written_and_refuses_what_is_not_known():
    schema = json.loads(json.dumps(record_json_schema()))
    import jsonschema  # takes a second, in each process that collects tests

    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = json.loads(encode_document(make_record([[(1, 2, 3, 4)], []])))
    validator.validate(document)
    for place in (document, document["source"], document["frames"][0], document["frames"][0]["faces"][0]):
        place["extra"] = 1
        assert not validator.is_valid(document)
        del place["extra"]


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("frames", 1, "colour"), "red", r"unknown field `colour` - at `\$\.frames\[1\]`"),
        (("extra",), 1, "unknown field `extra`"),
        (("frames", 0, "faces", 0, "box"), [1, 2, 3], "faces"),
        (("frames", 0, "faces", 0, "box"), [3, 2, 1, 4], "left < right"),
        (("frames", 0, "faces", 0, "box"), [1, 2, 321, 4], r"\$\.frames\[0\]\.faces\[0\]\.box.*crosses the border"),
        (("frames", 0, "faces", 0, "evidence", 0, "box"), [1, 2, 3, 241], r"evidence\[0\]\.box"),
        (("frames", 0, "faces", 0, "evidence", 0, "score"), 1.5, "score"),
        (("frames", 0, "faces", 0, "evidence", 0, "detector"), "nobody", "'nobody' is not among"),
        (("frames", 0, "faces", 0, "evidence"), [], "has 0 detections"),
        (("frames", 0, "faces", 0, "origin"), "guessed", "origin"),
        (("frames", 1, "index"), 2, r"\$\.frames\[1\]\.index: expected 1, got 2"),
        (("frames", 1, "pts"), 0, r"\$\.frames\[1\]\.pts"),
        (("frames", 1, "pts"), "512", "pts"),
        (("source", "sha256"), "AB" * 32, "sha256"),
        (("source", "video", "frames"), 3, "2 entries for 3 frames"),
        (("cuts",), [1, 1], r"\$\.cuts"),
        (("damaged",), [9], r"\$\.damaged"),
        (("schema",), "veil/detections/9", "veil/detections/9.*reads 'veil/detections/1' and 'veil/detections/2'"),
    ],
)
def test_reading_is_strict_and_names_the_place(path, value, place):
    data = edited(make_record([[(1, 2, 3, 4)], []]), *path, to=value)
    with pytest.raises(RecordError, match=place) as caught:
        decode_record(data, "clip.json")
    assert "clip.json" in str(caught.value)


def test_two_faces_of_one_frame_have_two_tracks():
    record = make_record([[(1, 2, 3, 4), (5, 6, 7, 8)]])
    with pytest.raises(RecordError, match="track 0 is in this frame twice"):
        decode_record(edited(record, "frames", 0, "faces", 1, "track", to=0))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"schema": 1}', b"\xff\xfe"])
def test_what_is_not_a_record_is_said_to_be_none(data):
    with pytest.raises(RecordError, match=r"clip\.json is not a detection record"):
        decode_record(data, "clip.json")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"none\.json cannot be read"):
        read_record(tmp_path / "none.json")


def test_parts_are_immutable():
    with pytest.raises(AttributeError):
        Face(0, Box(0, 0, 1, 1), "extended", ()).track = 1


@pytest.mark.slow
def test_a_long_record_is_written_and_read_in_little_memory():
    record = make_record([[(10.25, 20.5, 60.75, 80.0), (100.0, 20.5, 160.75, 80.0)]] * 27_000)
    data = encode_document(record)
    assert decode_record(data) == record
    del record
    tracemalloc.start()
    again = decode_record(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(again.frames) == 27_000
    # 20 MB, and 21 MB for an hour: some minutes stay decoded (32 MB if all frames did).
    assert peak < 25e6


def as_schema_1(record):
    """The record as an earlier version wrote it: its settings count frames."""
    document = json.loads(encode_document(record))
    document["schema"] = "veil/detections/1"
    document["detection"]["tracking"] = msgspec.to_builtins(TrackingInFrames(patience=17))
    document["detection"]["smoothing"] = msgspec.to_builtins(SmoothingInFrames(gap=9))
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_a_record_of_an_earlier_version_keeps_its_bytes_and_its_frame_counts():
    data = as_schema_1(make_record([[(1.5, 2.5, 3.5, 4.5)], []]))
    record = decode_record(data)
    assert encode_document(record) == data
    assert record.schema == "veil/detections/1"
    assert record.detection.schedule is None
    assert record.detection.smoothing.in_frames(1 / 240).gap == 9
    assert record.detection.tracking.in_frames(1 / 240).patience == 17


def test_a_record_of_an_earlier_version_is_read_as_strictly():
    data = as_schema_1(make_record([[]])).replace(b'"patience":17', b'"patience_s":17')
    with pytest.raises(RecordError, match="patience_s"):
        decode_record(data, "old.json")


@pytest.mark.parametrize("rate", [10, 25, 60, 240])
def test_settings_mean_the_same_time_at_every_frame_rate(rate):
    tracking, smoothing = TrackingSettings().in_frames(1 / rate), SmoothingSettings().in_frames(1 / rate)
    assert tracking.patience / rate == pytest.approx(1.2, abs=0.5 / rate)
    assert smoothing.gap / rate == pytest.approx(1.2, abs=0.5 / rate)
    assert smoothing.tail / rate == pytest.approx(0.48, abs=0.5 / rate)
    # What is kept "after 1/25 s" is kept after as many frames as that is.
    assert tracking.inertia ** (rate / 25) == pytest.approx(0.95)


def test_at_25_frames_a_second_the_settings_are_those_of_earlier_versions():
    assert TrackingSettings().in_frames(0.04) == TrackingInFrames()
    assert SmoothingSettings().in_frames(0.04) == SmoothingInFrames()


def test_the_schema_in_the_documentation_is_the_one_of_the_code():
    published = SCHEMAS / "detections-2.json"
    assert json.loads(published.read_bytes()) == json.loads(json.dumps(record_json_schema()))


def test_covered_frames_are_written_only_when_there_are_any():
    record = make_record([[], []])
    assert b"covered" not in encode_document(record)
    live = msgspec.structs.replace(record, covered=(1,))
    assert decode_record(encode_document(live)).covered == (1,)
    with pytest.raises(RecordError, match="covered"):
        decode_record(encode_document(msgspec.structs.replace(record, covered=(2,))))
