import cv2
import msgspec
import numpy as np
import pytest

import engine
from engine.assurance.planted_faces.compositing import (
    Appearance,
    DonorFace,
    FacePath,
    collect_face_heights,
    composite_face,
    draw_appearance,
    draw_donor_face,
    find_donor_faces,
)
from engine.assurance.planted_faces.experiment import (
    find_planting_obstacle,
    plans_from_record,
    run_planted_faces,
)
from engine.assurance.planted_faces.placement import draw_segments
from engine.assurance.planted_faces.report import PlantedFaceReport, PlantedFaceSettings
from engine.cli import main
from engine.core.geometry import Box, Size
from engine.detectors.registry import plan_detector
from engine.errors import InputError, RecordError
from engine.record import Detection, DetectOptions, encode_document, read_document
from tests.engine.assurance.fake_detectors import Watchers, blind, face_clip, place
from tests.record_makers import make_record, record_of, written

SETTINGS = PlantedFaceSettings(segments=3, length=8, faces=2, share=1.0)
LOOK = Appearance(height=40, mirrored=False, turned=0, blur=0, noise=0, light=0, border=False)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return face_clip(tmp_path_factory.mktemp("clip") / "face.mp4")


@pytest.fixture(scope="module")
def record(clip):
    """The patch in a record that MTCNN might have made of it: strong evidence, and large enough to be taken."""
    made = record_of(clip, lambda index: [place(index)])
    frames = tuple(
        msgspec.structs.replace(
            frame,
            faces=tuple(
                msgspec.structs.replace(face, evidence=(Detection("mtcnn", face.box.scale(1.3), 0.99),))
                for face in frame.faces
            ),
        )
        for frame in made.frames
    )
    return msgspec.structs.replace(made, frames=frames)


class Colourful(Watchers):
    """Finds every patch of colour in the grey."""

    def _look(self, picture, detector):
        colour = (np.ptp(picture.astype(np.int16), axis=2) > 40).astype(np.uint8)
        joined = cv2.morphologyEx(colour, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
        boxes = [Box(x, y, x + width, y + height) for x, y, width, height, area in stats[1:].tolist() if area > 40]
        return [Detection(detector, box, 0.9) for box in boxes]


def test_a_detector_that_sees_nothing_finds_none_of_the_plants(clip, record):
    report = run_planted_faces(clip, record, settings=SETTINGS, start_detectors=blind)
    assert report.overall.plants == len(report.plants) > 0
    assert (report.overall.recall, report.overall.throughout) == (0.0, 0)
    assert report.overall.recall_interval[1] < 0.9


def test_a_detector_that_sees_some_finds_some(clip, record):
    assert run_planted_faces(clip, record, settings=SETTINGS, start_detectors=Colourful).overall.found > 0


def seen_by(record, *detectors):
    """The record with a larger face, which these detectors saw well."""
    facts = tuple(plan_detector(name).facts for name in detectors)
    frames = []
    for frame in record.frames:
        (face,) = frame.faces
        box = face.box.scale(1.3)
        evidence = tuple(Detection(name, box, 0.99) for name in detectors)
        frames.append(
            msgspec.structs.replace(frame, faces=(msgspec.structs.replace(face, box=box, evidence=evidence),))
        )
    detection = msgspec.structs.replace(record.detection, detectors=facts)
    return msgspec.structs.replace(record, detection=detection, frames=tuple(frames))


@pytest.mark.parametrize(
    ("detectors", "hire", "planted"),
    [
        (["mtcnn"], Colourful, "clip"),
        (["mtcnn"], blind, "package"),
        (["yolov8-face"], blind, "package"),
        (["centerface", "yolov8-face"], blind, "clip"),
    ],
)
def test_a_face_of_the_clip_is_planted_when_two_detectors_take_it_for_one(clip, record, detectors, hire, planted):
    report = run_planted_faces(clip, seen_by(record, *detectors), settings=SETTINGS, start_detectors=hire)
    assert (planted in {one.origin for one in report.plants}) is True
    assert ("clip" in {one.origin for one in report.plants}) is (planted == "clip")


@pytest.mark.slow
def test_the_same_source_and_record_give_the_same_report_and_another_seed_another(clip, record, tmp_path):
    one = run_planted_faces(clip, record, settings=SETTINGS, start_detectors=blind)
    assert encode_document(one) == encode_document(
        run_planted_faces(clip, record, settings=SETTINGS, start_detectors=blind)
    )
    other = face_clip(tmp_path / "other.mp4", frames=40)
    assert (
        run_planted_faces(other, record_of(other, lambda _: []), settings=SETTINGS, start_detectors=blind).seed
        != one.seed
    )


def test_plants_keep_clear_of_the_faces_of_the_clip(clip, record):
    seen = []

    class Noting(Watchers):
        def _look(self, picture, detector):
            left, top, right, bottom = 20, 40, 100, 76
            seen.append(picture[top:bottom, left:right].copy())
            return []

    run_planted_faces(
        clip, record, settings=PlantedFaceSettings(segments=1, length=4, faces=3, share=1.0), start_detectors=Noting
    )
    assert seen
    for patch in seen:
        red = (patch[..., 0] > 170) & (patch[..., 1] < 90)
        assert 0.05 < red.mean() < 0.35


def test_segments_are_bounded_by_their_share_of_the_video(clip, record):
    report = run_planted_faces(
        clip, record, settings=PlantedFaceSettings(segments=12, length=4, faces=1, share=0.25), start_detectors=blind
    )
    assert len(report.segments) == 3
    assert report.share == 0.25


def test_the_classes_of_sizes_hold_all_plants(clip, record):
    report = run_planted_faces(clip, record, settings=SETTINGS, start_detectors=blind)
    assert sum(one.plants for one in report.by_size.values()) == report.overall.plants
    assert all(one.frames == 8 for one in report.plants)


def test_a_clip_without_faces_gets_the_picture_of_a_package(clip, record):
    empty = msgspec.structs.replace(
        record, frames=tuple(msgspec.structs.replace(frame, faces=()) for frame in record.frames)
    )
    assert {one.origin for one in run_planted_faces(clip, empty, settings=SETTINGS, start_detectors=blind).plants} == {
        "package"
    }


def test_weights_of_one_s_own_are_not_looked_for(record):
    (facts,) = record.detection.detectors
    own = msgspec.structs.replace(facts, name="yolov8-face", parameters={"weights": "mine.onnx"})
    assert "weights of your own" in find_planting_obstacle(
        msgspec.structs.replace(record, detection=msgspec.structs.replace(record.detection, detectors=(own,)))
    )
    assert find_planting_obstacle(record) is None


def test_a_record_of_another_video_is_refused(clip):
    with pytest.raises(RecordError, match="another video"):
        run_planted_faces(clip, make_record([[]]), start_detectors=blind)


def test_a_detection_that_asked_a_service_is_not_repeated(record):
    (facts,) = record.detection.detectors
    asked = msgspec.structs.replace(facts, name="rekognition", parameters={})
    with pytest.raises(InputError, match="asks a service"):
        plans_from_record(
            msgspec.structs.replace(record, detection=msgspec.structs.replace(record.detection, detectors=(asked,)))
        )


def test_donors_are_large_whole_and_seen_clearly():
    boxes = [[(50, 50, 120, 130), (0, 50, 80, 130), (200, 50, 220, 70)]]
    record = make_record(boxes * 3)
    assert [(index, face.track) for index, face in find_donor_faces(record, 8)] == [(0, 0)]


def test_a_planted_picture_replaces_the_middle_and_leaves_the_rest(clip):
    picture = np.full((120, 160, 3), 90, np.uint8)
    donor = DonorFace(np.full((64, 64, 3), 220, np.uint8), Box(12, 12, 52, 52), "clip")
    composite_face(picture, donor, LOOK, Box(60, 40, 100, 80), 1)
    assert picture[60, 80].tolist() == [220, 220, 220]
    assert (picture[:, :40] == 90).all()
    assert (picture[:, 120:] == 90).all()


def test_a_plant_beyond_the_border_is_cut_off():
    picture = np.full((120, 160, 3), 90, np.uint8)
    donor = DonorFace(np.full((64, 64, 3), 220, np.uint8), Box(12, 12, 52, 52), "clip")
    composite_face(picture, donor, LOOK, Box(-20, 40, 20, 80), 1)
    assert picture[60, 1].tolist() == [220, 220, 220]
    composite_face(picture, donor, LOOK, Box(900, 40, 940, 80), 1)


def test_looks_have_the_sizes_of_the_clip_s_own_faces():
    record = make_record([[(50, 50, 120, 130)]])
    lot = np.random.default_rng(3)
    heights = [draw_appearance(collect_face_heights(record), Size(320, 240), 0.0, lot).height for _ in range(50)]
    assert min(heights) >= 39.9
    assert max(heights) <= 84.1


def test_a_course_moves_by_its_step():
    way = FacePath(Box(0, 0, 10, 10), (2.0, 1.0), 0.0)
    assert way.locate(5) == Box(10, 5, 20, 15)


@pytest.mark.parametrize("cuts", [(), (33,), (5, 33, 34, 90)])
def test_segments_lie_in_one_scene_and_do_not_overlap(cuts):
    found = list(draw_segments(100, cuts, 8, 5, np.random.default_rng(4)))
    taken = [index for one in found for index in one]
    assert len(found) == 5
    assert len(taken) == len(set(taken))
    assert all(not any(one.start < cut < one.stop for cut in cuts) for one in found)


def test_the_verb_plants_real_faces_and_real_detectors_find_most(talk, own_data, tmp_path, capsys):
    options = DetectOptions(detectors=("yolov8-face",))
    path = written(engine.detect(talk, options=options, data=own_data), tmp_path / "talk.json")
    arguments = ["plant", str(talk), str(path), "--data", str(own_data), "--length", "6", "--segments", "2"]
    assert main([*arguments, "-o", str(tmp_path / "planted.json")]) == 0
    assert "faces planted in" in capsys.readouterr().out
    report = read_document(tmp_path / "planted.json", PlantedFaceReport, "report of planted faces")
    assert report.overall.plants >= 1
    assert report.overall.recall > 0.5


def test_a_number_of_segments_below_one_is_refused(talk, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["plant", str(talk), str(talk), "--segments", "0"])
    assert "--segments: must be a whole number of at least 1" in capsys.readouterr().err


def test_a_donor_is_enlarged_a_little_at_most():
    small, large = (DonorFace(np.zeros((side, side, 3), np.uint8), Box(0, 0, side, side), "clip") for side in (20, 40))
    lot = np.random.default_rng(1)
    assert {
        draw_donor_face([small, large], msgspec.structs.replace(LOOK, height=45), lot)[0].face_box.height
        for _ in range(9)
    } == {40}
    donor, look = draw_donor_face([small, large], msgspec.structs.replace(LOOK, height=90), lot)
    assert (donor.face_box.height, look.height) == (40, 50)
    assert (
        len(
            {
                draw_donor_face([small, large], msgspec.structs.replace(LOOK, height=20), lot)[0].face_box.height
                for _ in range(20)
            }
        )
        == 2
    )


def test_a_picture_without_colours_gets_a_face_without_colours():
    red = DonorFace(np.full((40, 40, 3), (200, 30, 30), np.uint8), Box(0, 0, 40, 40), "package")
    grey, coloured = np.full((80, 80, 3), 90, np.uint8), np.full((80, 80, 3), (90, 90, 140), np.uint8)
    for picture in (grey, coloured):
        composite_face(picture, red, LOOK, Box(20, 20, 60, 60), 1)
    assert np.ptp(grey.astype(np.int16), axis=2).max() <= 1
    assert np.ptp(coloured[40, 40].astype(np.int16)) > 100
