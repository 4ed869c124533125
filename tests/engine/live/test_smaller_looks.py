"""On a slow machine the looks get smaller; whatever their size, no frame shows a face that a look did not vouch for."""

import random
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from engine.cli import main
from engine.core.geometry import Box
from engine.errors import InputError
from engine.live.detector_thread import DetectorRole
from engine.live.log import Sized, read_log_lines
from engine.live.masker import LiveMasker
from engine.live.record_facts import plan_detector_roles
from engine.live.run import LiveOptions, anonymise_live
from engine.live.tracker import compute_covered_share
from engine.record import read_record
from tests.engine.live.live_scenes import flash_and_beep
from tests.engine.live.scripted_camera import PATIENCE_S, PATIENT, Camera, is_black, is_judged, white_patch
from tests.engine.live.scripted_detectors import Moody, MoodySettings, Swift

pytestmark = pytest.mark.slow
SIDES_PX = (320, 160, 80)
FULL_LOOK_S = 0.8
"""Longer than the budget, and at 160 pixels shorter: on a busy machine it may end at 80, never at 320."""
JUDGING = replace(PATIENT, age=1.5)


def slow_roles(moods):
    settings = MoodySettings(mood=str(moods / "moody"), pixel_seconds=FULL_LOOK_S / (320 * 180))
    return (
        DetectorRole(Swift, MoodySettings(mood=str(moods / "swift")), every_frame=True),
        DetectorRole(Moody, settings, every_frame=False, look_sides_px=SIDES_PX),
    )


def assert_hidden(verdict, picture, left, top, side):
    if is_judged(verdict):
        masks = [face.box for face in verdict.faces]
        assert compute_covered_share(Box(left, top, left + side, top + side), masks) == 1.0
        inner = picture[top + 4 : top + side - 4, left + 4 : left + side - 4]
        # An open patch is white all over; a blurred one at the border of the picture keeps bright samples.
        assert inner.mean() < 240, f"the face at {left},{top} shows"
    else:
        assert is_black(picture), verdict.reason


def test_a_slow_detector_looks_at_smaller_pictures_and_frames_are_judged_again(moods, tmp_path):
    with LiveMasker(slow_roles(moods), tmp_path, judging=JUDGING) as masker:
        masker.wait_until_ready(PATIENCE_S)
        camera = Camera(masker)
        while not masker.counters.smallest_face_px:
            assert_hidden(*camera.send_frame(), 100, 60, 40)
        (change,) = masker.state.take_look_changes()
        verdict, picture = camera.send_answered_frame()
        assert is_judged(verdict)
        assert_hidden(verdict, picture, 100, 60, 40)
        # The answer for a small picture is in the pixels of the frame.
        (face,) = verdict.faces
        assert face.box.intersection_area(Box(100, 60, 140, 100)) == 1600
        sizes = masker.counters.look_sizes
    assert change.before_px == 320
    assert change.side_px in SIDES_PX[1:]
    assert sizes["moody 320"] >= 2
    assert sizes[f"moody {change.side_px}"] >= 1
    assert set(sizes) <= {"swift 320", *(f"moody {side}" for side in SIDES_PX)}


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_faces_never_show_while_sizes_and_moods_change(moods, tmp_path, seed):
    """Each frame has a face at another place; the detectors wait, crash and change their size in between."""
    chance = random.Random(seed)
    judging = replace(JUDGING, deadline=0.5, hang=3.0)
    with LiveMasker(slow_roles(moods), tmp_path, judging=judging) as masker:
        masker.wait_until_ready(PATIENCE_S)
        camera, judged = Camera(masker), 0
        for _ in range(40):
            if chance.random() < 0.08:
                (moods / chance.choice(["moody", "swift"])).write_text(chance.choice(["", "", "crash", "wait"]))
                patience_s = 0.0
            else:
                for name in ("moody", "swift"):
                    (moods / name).write_text("")
                patience_s = 0.6
            side = chance.choice([24, 32, 40])
            left, top = chance.randrange(0, 320 - side), chance.randrange(0, 180 - side)
            verdict, picture = camera.send_frame(white_patch(left, top, side), wait_s=patience_s)
            assert_hidden(verdict, picture, left, top, side)
            judged += is_judged(verdict)
        assert judged > 0
        assert judged + sum(masker.counters.covered.values()) == 40


def test_the_log_and_the_record_state_the_size_of_the_looks(moods, tmp_path):
    clip = flash_and_beep(tmp_path / "beep.mp4", seconds=6.0)
    notices = []

    class Listener:
        def progress(self, step, done, total):
            pass

        def notice(self, text):
            notices.append(text)

    from engine.live.hooks import LiveHooks

    options = LiveOptions(slow_roles(moods), JUDGING)
    report = anonymise_live(clip, tmp_path / "out.mkv", options, hooks=LiveHooks(listener=Listener()), data=tmp_path)
    log = [line for line in read_log_lines(tmp_path / "out.mkv.detections.jsonl") if isinstance(line, Sized)]
    record = read_record(Path(report.record))
    assert [(line.detector, line.side_px) for line in log[:1]] in [[("moody", 160)], [("moody", 80)]]
    # No frame was dropped, so numbers of arrival are indices.
    assert record.detection.look_sizes["moody"] == tuple((line.number, line.side_px) for line in log)
    assert report.counters.smallest_face_px >= 20
    assert any("This machine is busy: moody looks at pictures of" in notice for notice in notices)
    assert "Faces under" in notices[0]


def test_the_size_is_fixed_where_a_person_names_it():
    auto, fixed, own = (
        plan_detector_roles(),
        plan_detector_roles(look_side_px=416),
        plan_detector_roles({"yolov8-face": {"size": 960}}),
    )
    assert [role.look_sides_px for role in auto] == [(), (640, 512, 416, 320, 256)]
    for roles, size in ((fixed, 416), (own, 960)):
        assert [role.look_sides_px for role in roles] == [(), ()]
        assert roles[1].longest_side_px == size


@pytest.mark.parametrize("size", ["9", "-640", "large", "99999", "6e2"])
def test_a_wrong_size_is_refused_in_one_sentence(size, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["live", "in.mp4", "out.mp4", f"--look-size={size}"])
    assert ended.value.code == 2
    assert "auto or a number of pixels from 64 to 4096" in capsys.readouterr().err


def test_a_size_that_is_given_twice_is_refused():
    with pytest.raises(InputError, match="given twice"):
        plan_detector_roles({"yolov8-face": {"size": 320}}, look_side_px=416)


def test_smaller_pictures_are_not_enlarged_again(models):
    """Otherwise a small look would take as long as a large one."""
    from tests.engine.detectors.worker_pools import look, pool

    (_, beside) = plan_detector_roles()
    picture = np.zeros((144, 256, 3), np.uint8)
    assert beside.settings.enlarge is False
    assert "enlarge" in beside.detector.describe(beside.settings).parameters
    with pool("yolov8-face", models, enlarge=False) as crew:
        assert look(crew, picture) == [[]]
