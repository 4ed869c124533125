"""Fail closed: whatever happens to detectors and sources, a frame is judged or black."""

import numpy as np
import pytest
from msgspec.structs import replace

from engine.core.geometry import Box
from engine.errors import InputError, ModelError
from engine.live.detector_thread import DetectorRole
from engine.live.masker import LiveMasker
from engine.live.settings import JudgingSettings
from engine.media.stream.normalise import frame_from_rgb, rgb_from_frame
from tests.engine.detectors.misbehaving_detector import Rogue, RogueSettings
from tests.engine.live.scripted_camera import (
    JUDGING,
    PATIENCE_S,
    Camera,
    detector_roles,
    is_black,
    is_judged,
    white_patch,
)
from tests.engine.live.scripted_detectors import Moody, MoodySettings

pytestmark = pytest.mark.slow


def is_covered(verdict):
    return verdict.reason is not None


def assert_closed(sent):
    """Every frame is black, or its patch is hidden."""
    for verdict, picture in sent:
        if is_covered(verdict):
            assert is_black(picture), verdict.reason
        else:
            assert picture[64:96, 104:136].max() < 240, "a face shows"


def test_no_frame_is_shown_before_every_detector_has_answered(moods, tmp_path):
    with LiveMasker(detector_roles(moods), tmp_path, judging=JudgingSettings(deadline=0.05)) as masker:
        camera = Camera(masker)
        sent = camera.send_until(is_judged)
        assert_closed(sent)
        assert is_covered(sent[0][0])
        counters = masker.counters
    assert counters.frames == counters.shown == len(sent)
    assert counters.judged == 1
    assert sum(counters.covered.values()) == len(sent) - 1


def test_a_judged_frame_hides_the_face_and_leaves_the_rest_alone(camera):
    def decode_frame():
        return frame_from_rgb(white_patch()).reformat(format="yuv420p")

    before = rgb_from_frame(decode_frame())
    verdict, picture = camera.send_answered_frame(decoded=decode_frame())
    assert is_judged(verdict)
    (face,) = verdict.faces
    assert face.box.intersection_area(Box(100, 60, 140, 100)) == 1600
    assert picture[64:96, 104:136].max() < 240
    assert np.array_equal(picture[:, 240:], before[:, 240:])
    assert np.array_equal(picture[140:], before[140:])


@pytest.mark.parametrize(
    ("name", "mood", "reasons", "judging"),
    [
        # While only the detector beside is in trouble, frames wait for the healthy one: no frame is "unanswered".
        ("moody", "hang", {"stale", "lost", "start"}, replace(JUDGING, deadline=PATIENCE_S)),
        ("moody", "crash", {"lost", "stale", "start"}, replace(JUDGING, deadline=PATIENCE_S)),
        ("moody", "wait", {"stale"}, replace(JUDGING, deadline=PATIENCE_S, hang=PATIENCE_S)),
        ("swift", "hang", {"unanswered", "lost"}, JUDGING),
        ("swift", "crash", {"unanswered", "lost"}, JUDGING),
    ],
)
def test_a_detector_in_trouble_covers_everything_and_recovers(  # noqa: PLR0917
    moods, tmp_path, name, mood, reasons, judging
):
    with LiveMasker(detector_roles(moods), tmp_path, judging=judging) as masker:
        masker.wait_until_ready(PATIENCE_S)
        camera = Camera(masker)
        camera.send_until(is_judged)
        (moods / name).write_text(mood)
        sent = camera.send_until(is_covered, wait_step_s=0)
        sent += [camera.send_frame() for _ in range(10)]
        # An answer that was on its way when the trouble began may still come.
        for _ in range(100):
            last_reasons = [verdict.reason for verdict, _ in sent[-10:]]
            if None not in last_reasons:
                break
            sent.append(camera.send_frame())
        assert set(last_reasons) <= reasons, last_reasons
        (moods / name).write_text("")
        sent += camera.send_until(is_judged)
        assert_closed(sent)
        restarts = masker.counters.restarts
    assert (restarts.get(name, 0) > 0) == (mood != "wait")


def test_a_fixed_rate_of_answers_that_are_too_old_shows_nothing(moods, tmp_path):
    """An answer takes far longer than a frame waits, and by its time stamp the next frame is too late for it."""
    judging = JudgingSettings(deadline=0.5, age=0.2, hang=PATIENCE_S)
    with LiveMasker(detector_roles(moods, seconds=4.0), tmp_path, judging=judging) as masker:
        masker.wait_until_ready(PATIENCE_S)
        camera = Camera(masker, frame_s=1)
        sent = [camera.send_frame() for _ in range(40)]
        while not masker.counters.looks.get("moody") and len(sent) < 1000:
            sent.append(camera.send_frame())
    assert_closed(sent)
    assert all(is_covered(verdict) for verdict, _ in sent)
    assert masker.counters.looks["moody"] >= 1


def test_a_face_that_only_the_slower_detector_sees_stays_hidden_in_between(camera, moods):
    (moods / "swift").write_text("blind")
    camera.send_until(
        lambda verdict: (
            is_judged(verdict)
            and verdict.faces
            and "swift" not in {detection.detector for detection in verdict.faces[0].detections}
        )
    )
    # Every third frame is answered by both; the two in between have no answer of the slower detector of their own.
    sent = [camera.send_frame(wait_s=PATIENCE_S if number % 3 == 0 else 0.0) for number in range(15)]
    assert all(is_judged(verdict) and verdict.faces for verdict, _ in sent)
    assert_closed(sent)


def test_where_frames_are_rare_each_waits_for_the_detector_beside(moods, tmp_path):
    """By their time stamps, every answer for an earlier frame is too old: only the one for the frame itself counts."""
    judging = replace(JUDGING, deadline=PATIENCE_S, beside=PATIENCE_S, hang=PATIENCE_S, age=0.2)
    with LiveMasker(detector_roles(moods), tmp_path, judging=judging) as masker:
        masker.wait_until_ready(PATIENCE_S)
        camera = Camera(masker, frame_s=1)
        sent = [camera.send_frame() for _ in range(5)]
    assert all(is_judged(verdict) for verdict, _ in sent)
    assert_closed(sent)


def assert_first_is_covered(camera, moods, reason, picture=None):
    """Assert that the next frame is covered for `reason`, also if the fast detector has answered; then go on."""
    (moods / "moody").write_text("wait")
    sent = [camera.send_frame(picture)]
    assert sent[0][0].reason == reason
    (moods / "moody").write_text("")
    sent += camera.send_until(is_judged, picture=picture)
    return sent


def test_another_size_is_covered_until_all_have_answered_and_keeps_the_output_size(camera, moods):
    large = white_patch(left=200, top=120, side=80, size=(640, 360))
    sent = assert_first_is_covered(camera, moods, "source", large)
    assert_closed(sent)
    assert {picture.shape for _, picture in sent} == {(180, 320, 3)}
    assert camera.masker.counters.source_changes == 1


def test_a_change_of_format_that_the_source_reports_is_one_of_the_source(camera, moods):
    camera.masker.mark_format_change()
    assert_closed(assert_first_is_covered(camera, moods, "source"))
    assert camera.masker.counters.source_changes == 1


def test_a_frame_that_the_source_knows_to_be_damaged_is_covered(camera):
    camera.masker.submit(frame_from_rgb(white_patch()), camera.number, camera.number * camera.frame_s, damaged=True)
    camera.masker.state.wait_for_answers(camera.number, PATIENCE_S)
    assert camera.masker.collect().verdict.reason == "damaged"


def test_an_interrupted_source_is_covered_until_all_have_answered(camera, moods):
    camera.masker.mark_interrupted()
    assert_closed(assert_first_is_covered(camera, moods, "source"))


def test_a_new_scene_is_covered_until_all_have_answered(camera, moods):
    steps = np.add.outer(np.arange(180) // 20, np.arange(320) // 40) % 2
    other = np.repeat((steps * 200).astype(np.uint8)[..., None], 3, axis=2)
    assert_first_is_covered(camera, moods, "cut", other)


def test_cover_all_holds_from_the_next_frame_and_ends_with_the_next(camera):
    camera.masker.controls.cover_all(on=True)
    verdict, picture = camera.send_frame()
    assert verdict.reason == "asked"
    assert is_black(picture)
    camera.masker.controls.cover_all(on=False)
    assert camera.send_answered_frame()[0].reason is None


def test_the_style_changes_from_one_frame_to_the_next(camera):
    _, soft = camera.send_answered_frame()
    camera.masker.controls.change(style="training-data")
    _, solid = camera.send_answered_frame()
    assert np.ptp(solid[64:96, 104:136].astype(int), axis=(0, 1)).max() <= 4
    assert not np.array_equal(soft, solid)


def test_one_call_masks_an_rgb_picture(camera):
    picture = camera.masker.mask_picture(white_patch())
    assert picture.shape == (180, 320, 3)
    assert picture[64:96, 104:136].max() < 240


def test_a_detector_that_cannot_be_loaded_ends_the_run_with_its_sentence(tmp_path):
    role = DetectorRole(Rogue, RogueSettings(on_load="miss weights"), every_frame=True)
    with LiveMasker([role], tmp_path) as masker, pytest.raises(ModelError, match="veil models fetch"):
        masker.wait_until_ready(60)


def test_a_detector_for_every_frame_is_needed(tmp_path):
    with pytest.raises(InputError, match="every frame"):
        LiveMasker([DetectorRole(Moody, MoodySettings(), every_frame=False)], tmp_path)
