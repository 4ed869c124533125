import pytest

from engine.core.geometry import Box
from engine.detection import checkpoint
from engine.detection.checkpoint import Checkpoint
from engine.detection.frame_detections import FrameDetections
from engine.detectors.base import Receipt
from engine.errors import InputError
from engine.record import Detection, Document


class Subject(Document, frozen=True):
    name: str


def chunk(start):
    return tuple(
        FrameDetections(
            pts=512 * index,
            damaged=False,
            change=0.25,
            by_detector={"one": (Detection("one", Box(1, 2, 3, 4.25), 0.5),), "two": ()},
            receipts={"two": Receipt("a" * 64, 1200, "r-1", paid=True)} if index == start else {},
        )
        for index in range(start, start + 4)
    )


def test_what_was_appended_is_there_again(tmp_path):
    with Checkpoint(tmp_path, Subject("a")) as journal:
        journal.append_batch(chunk(0))
        journal.append_batch(chunk(4))
    with Checkpoint(tmp_path, Subject("a")) as journal:
        assert (journal.batch_count, journal.frame_count) == (2, 8)
        assert tuple(journal.read_frames()) == chunk(0) + chunk(4)


def test_a_line_has_the_detections_as_pairs_of_box_and_score_by_detector(tmp_path):
    with Checkpoint(tmp_path, Subject("a")) as journal:
        journal.append_batch(chunk(0)[:2])
    (path,) = tmp_path.iterdir()
    _, _, line = path.read_bytes().partition(b" ")
    sightings = b'"sightings":{"one":[[[1,2,3,4.25],0.5]],"two":[]}'
    receipt = b'"receipts":{"two":{"sha256":"' + b"a" * 64 + b'","bytes":1200,"request":"r-1","paid":true}}'
    first = b'{"pts":0,"damaged":false,"change":0.25,' + sightings + b"," + receipt + b"}"
    second = b'{"pts":512,"damaged":false,"change":0.25,' + sightings + b"}"
    assert line == b"[" + first + b"," + second + b"]\n"


def test_another_subject_has_another_journal(tmp_path):
    with Checkpoint(tmp_path, Subject("a")) as journal:
        journal.append_batch(chunk(0))
    with Checkpoint(tmp_path, Subject("b")) as journal:
        assert journal.frame_count == 0


@pytest.mark.parametrize("kept", [1, 9, 40, -1])
def test_a_line_that_a_crash_cut_short_is_detected_again(tmp_path, kept):
    with Checkpoint(tmp_path, Subject("a")) as journal:
        journal.append_batch(chunk(0))
        journal.append_batch(chunk(4))
    (path,) = tmp_path.iterdir()
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:kept])
    with Checkpoint(tmp_path, Subject("a")) as journal:
        assert journal.batch_count == 1
        journal.append_batch(chunk(4))
        assert tuple(journal.read_frames()) == chunk(0) + chunk(4)


def test_a_changed_line_ends_the_trust(tmp_path):
    with Checkpoint(tmp_path, Subject("a")) as journal:
        journal.append_batch(chunk(0))
        journal.append_batch(chunk(4))
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(data)
    with Checkpoint(tmp_path, Subject("a")) as journal:
        assert journal.batch_count == 0


def test_two_processes_cannot_share_a_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "_TAKE_OVER_S", 0.1)
    with (
        Checkpoint(tmp_path, Subject("a")),
        pytest.raises(InputError, match="another process"),
        Checkpoint(tmp_path, Subject("a")),
    ):
        raise AssertionError("the second one opened")


def test_a_finished_journal_is_gone(tmp_path):
    with Checkpoint(tmp_path, Subject("a")) as journal:
        journal.append_batch(chunk(0))
        journal.discard()
    assert list(tmp_path.iterdir()) == []
