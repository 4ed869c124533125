from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest

import engine
from engine.assurance.leak_check.check import check_leaks
from engine.assurance.leak_check.check_detectors import CheckDetectors, choose_check_detectors
from engine.assurance.leak_check.report import LeakJudgement, LeakReport
from engine.cli import main
from engine.detectors.registry import plan_detector
from engine.errors import CheckFailedError, RecordError
from engine.record import DetectOptions, encode_document, read_document, sha256_hex
from engine.review.amendments import Add, Author, KeepVisible, Keyframe
from engine.review.review_file import append_amendment, read_review
from tests.engine.assurance.fake_detectors import Watchers, blind, face_clip, place
from tests.record_makers import make_record, record_of, written

PANEL = CheckDetectors((plan_detector("centerface", {"size": 640}),), plan_detector("yolov8-face"), Watchers)


def without(record, gone):
    """The record without the faces of the frames of which `gone(index)` holds."""
    frames = (msgspec.structs.replace(frame, faces=()) if gone(frame.index) else frame for frame in record.frames)
    return msgspec.structs.replace(record, frames=tuple(frames))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return face_clip(tmp_path_factory.mktemp("clip") / "face.mp4")


@pytest.fixture(scope="module")
def record(clip):
    return record_of(clip, lambda index: [place(index)])


@pytest.fixture(scope="module")
def output(clip, record, tmp_path_factory):
    path = tmp_path_factory.mktemp("output") / "out.mp4"
    engine.render(clip, record, path)
    return path


def check(*files, **options):
    return check_leaks(*files, **({"panel": PANEL} | options))


@pytest.mark.slow
def test_an_output_as_it_was_rendered_has_no_leak_and_every_mask_was_compared(clip, record, output):
    report = check(clip, record, output)
    assert report.leaks == report.doubtful == ()
    assert (report.looked.masks, report.looked.whole, report.looked.longest) == (48, 5, 11)


@pytest.mark.slow
def test_a_mask_that_is_missing_in_one_frame_of_the_output_is_named(clip, record, tmp_path):
    engine.render(clip, without(record, lambda index: index == 17), tmp_path / "out.mp4")
    (leak,) = check(
        clip, record, tmp_path / "out.mp4", panel=CheckDetectors(PANEL.scan_plans, PANEL.confirmation_plan, blind)
    ).leaks
    assert (leak.kind, leak.first, leak.last, leak.track) == ("unmasked", 17, 17, 0)
    assert leak.detector == "comparison"
    assert leak.key.startswith("unmasked:17:")


@pytest.mark.slow
@pytest.mark.parametrize(("start", "stop"), [(17, 18), (20, 25), (0, 5), (43, 48), (10, 40)])
def test_a_face_that_the_record_lost_for_a_while_is_found(clip, record, tmp_path, start, stop):
    lost = without(record, lambda index: start <= index < stop)
    engine.render(clip, lost, tmp_path / "out.mp4")
    (leak,) = check(clip, lost, tmp_path / "out.mp4").leaks
    assert leak.kind == "unrecorded"
    assert leak.track == 0
    assert start <= leak.first <= leak.last < stop
    assert leak.box.iou(record.frames[leak.frame].faces[0].box) > 0.6
    assert "centerface" in {one.detector for one in leak.seen}


def test_a_face_that_is_nowhere_in_the_record_is_found(clip, record, tmp_path):
    empty = without(record, lambda _: True)
    engine.render(clip, empty, tmp_path / "out.mp4")
    (leak,) = check(clip, empty, tmp_path / "out.mp4").leaks
    assert (leak.kind, leak.track) == ("unrecorded", None)
    assert leak.last - leak.first > 24


@pytest.mark.slow
@pytest.mark.parametrize("gone", [range(17, 18), range(20, 25), range(40, 48)])
def test_a_mask_that_the_record_lacks_by_its_own_settings_needs_no_detector(clip, record, tmp_path, gone):
    lost = without(record, lambda index: index in gone)
    engine.render(clip, lost, tmp_path / "out.mp4")
    (leak,) = check(
        clip, lost, tmp_path / "out.mp4", panel=CheckDetectors(PANEL.scan_plans, PANEL.confirmation_plan, blind)
    ).leaks
    assert (leak.kind, leak.detector, leak.track) == ("unrecorded", "record", 0)
    assert (leak.first, leak.last) == (gone[0], gone[-1])
    assert "its own settings" in leak.finding


@pytest.mark.slow
def test_such_a_mask_is_not_missed_where_a_reviewer_put_one(clip, record, tmp_path):
    lost = without(record, lambda index: index == 17)
    path = written(lost, tmp_path / "record.json")
    added = Add((Keyframe(17, record.frames[17].faces[0].box),))
    append_amendment(
        tmp_path / "review.jsonl", lost, sha256_hex(path.read_bytes()), added, Author("ann", "Ann"), "it was lost"
    )
    review = read_review(tmp_path / "review.jsonl", sha256_hex(path.read_bytes()))
    engine.render(clip, path, tmp_path / "out.mp4", review=review)
    assert check(clip, path, tmp_path / "out.mp4", review=review).leaks == ()


def test_what_detectors_half_see_is_no_leak(clip, record, tmp_path):
    lost = without(record, lambda _: True)
    engine.render(clip, lost, tmp_path / "out.mp4")
    unsure = CheckDetectors(PANEL.scan_plans, PANEL.confirmation_plan, partial(Watchers, score=0.4))
    assert check(clip, lost, tmp_path / "out.mp4", panel=unsure).leaks == ()


def test_what_the_detection_doubted_itself_is_told_apart(clip, record, tmp_path):
    lost = without(record, lambda _: True)
    seen = record.frames[12].faces[0].evidence
    frames = tuple(
        msgspec.structs.replace(frame, doubtful=seen) if frame.index == 12 else frame for frame in lost.frames
    )
    doubted = msgspec.structs.replace(lost, frames=frames)
    engine.render(clip, doubted, tmp_path / "out.mp4")
    report = check(clip, doubted, tmp_path / "out.mp4")
    assert report.leaks == ()
    (leak,) = report.doubtful
    assert leak.first <= 12 <= leak.last


@pytest.mark.slow
def test_a_face_that_is_kept_visible_for_a_reason_is_no_leak(clip, record, tmp_path):
    path = written(record, tmp_path / "record.json")
    sha256 = sha256_hex(path.read_bytes())
    append_amendment(
        tmp_path / "review.jsonl", record, sha256, KeepVisible(0, 0, 48), Author("ann", "Ann"), "consented"
    )
    review = read_review(tmp_path / "review.jsonl", sha256)
    engine.render(clip, path, tmp_path / "out.mp4", review=review)
    report = check(clip, path, tmp_path / "out.mp4", review=tmp_path / "review.jsonl")
    assert report.leaks == ()
    assert report.review_sha256 == review.sha256
    assert len(check(clip, path, tmp_path / "out.mp4").leaks) == 1


def test_the_same_files_give_the_same_report(clip, record, output):
    assert encode_document(check(clip, record, output)) == encode_document(check(clip, record, output))


def test_an_output_with_other_frames_is_refused(clip, record, output, tmp_path):
    with pytest.raises(CheckFailedError, match="other frames"):
        check(clip, record, face_clip(tmp_path / "short.mp4", frames=40))


def test_a_record_of_another_video_is_refused(clip, output):
    with pytest.raises(RecordError, match="another video"):
        check(clip, make_record([[]] * 48), output)


@pytest.mark.parametrize(
    ("used", "chosen"),
    [
        (["mtcnn"], ["centerface", "yolov8-face"]),
        (["yolov8-face", "centerface"], ["centerface", "mtcnn", "yolov8-face"]),
        (["mediapipe", "yolov8-face"], ["centerface", "mtcnn", "yolov8-face"]),
        (["rekognition"], ["centerface", "yolov8-face"]),
    ],
)
def test_a_detector_that_the_detection_did_not_use_looks_at_every_output(used, chosen):
    record = make_record([[]])
    (facts,) = record.detection.detectors
    detectors = tuple(msgspec.structs.replace(facts, name=name) for name in used)
    record = msgspec.structs.replace(record, detection=msgspec.structs.replace(record.detection, detectors=detectors))
    panel = choose_check_detectors(record)
    assert [*(one.name for one in panel.scan_plans), panel.confirmation_plan.name] == chosen
    lookouts = [one for one in panel.list_facts(record) if one.role == "lookout"]
    assert any(one.independent for one in lookouts)
    assert [one.independent for one in panel.list_facts(record)] == [name not in used for name in chosen]


def test_the_verb_finds_a_real_face_and_asks_for_a_judgement(talk, own_data, tmp_path, capsys):
    record = engine.detect(talk, options=DetectOptions(detectors=("yolov8-face",)), data=own_data)
    lost = without(record, lambda index: 20 <= index < 26)
    path, out, report = written(lost, tmp_path / "lost.json"), tmp_path / "out.mp4", tmp_path / "leaks.json"
    engine.render(talk, path, out)
    arguments = ["leaks", str(talk), str(path), str(out), "--data", str(own_data)]
    assert main([*arguments, "-o", str(report)]) == 3
    assert "LEAK  unrecorded:" in capsys.readouterr().out
    found = read_document(report, LeakReport, "report of a leak check")
    (leak,) = found.leaks
    assert 20 <= leak.first <= leak.last < 26
    judged = LeakJudgement(
        found.output_sha256, leak.key, "allowed", "he agreed", Author("ann", "Ann"), datetime(2026, 1, 2, tzinfo=UTC)
    )
    (tmp_path / "judged.jsonl").write_bytes(encode_document(judged))
    assert main([*arguments, "--judgements", str(tmp_path / "judged.jsonl")]) == 0
