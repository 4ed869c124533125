"""Fail closed: whatever happens to detectors and sources, a frame is judged or black."""

import numpy as np
import pytest

from engine.core.geometry import Box
from engine.errors import InputError, ModelError
from engine.live.detector_thread import DetectorRole
from engine.live.masker import LiveMasker
from engine.live.settings import JudgingSettings
from engine.media.stream.normalise import frame_from_rgb, rgb_from_frame
from tests.engine.detectors.misbehaving_detector import Rogue, RogueSettings
from tests.engine.live.scripted_camera import Camera, black, judged, patch, watches
from tests.engine.live.scripted_detectors import Moody, MoodySettings


def covered(verdict):
    return verdict.reason is not None


def assert_closed(passed):
    """Every frame is black, or its patch is hidden."""
    for verdict, picture in passed:
        if covered(verdict):
            assert black(picture), verdict.reason
        else:
            assert picture[64:96, 104:136].max() < 240, "a face shows"


def test_nothing_is_shown_before_every_detector_has_looked(moods, tmp_path):
    with LiveMasker(watches(moods), tmp_path, judging=JudgingSettings(deadline=0.05)) as masker:
        camera = Camera(masker)
        passed = camera.until(judged)
        assert_closed(passed)
        assert covered(passed[0][0])
        counters = masker.counters
    assert counters.frames == counters.shown == len(passed)
    assert counters.judged == 1
    assert sum(counters.covered.values()) == len(passed) - 1


def test_a_judged_frame_hides_the_face_and_leaves_the_rest_alone(camera):
    def decoded():
        return frame_from_rgb(patch()).reformat(format="yuv420p")

    before = rgb_from_frame(decoded())
    verdict, picture = camera.frame(decoded=decoded())
    while not judged(verdict):
        verdict, picture = camera.frame(decoded=decoded())
    (face,) = verdict.faces
    assert face.box.intersection_area(Box(100, 60, 140, 100)) == 1600
    assert picture[64:96, 104:136].max() < 240
    assert np.array_equal(picture[:, 240:], before[:, 240:])
    assert np.array_equal(picture[140:], before[140:])


@pytest.mark.parametrize(
    ("who", "mood", "reasons"),
    [
        ("moody", "hang", {"stale", "lost", "start"}),
        ("moody", "crash", {"lost", "stale", "start"}),
        ("moody", "slow", {"stale"}),
        ("swift", "hang", {"unanswered", "lost"}),
        ("swift", "crash", {"unanswered", "lost"}),
    ],
)
def test_a_detector_in_trouble_covers_everything_and_recovers(camera, moods, who, mood, reasons):
    (moods / who).write_text(mood)
    passed = camera.until(covered)
    passed += [camera.frame() for _ in range(10)]
    # An answer that was on its way when the trouble began may still come.
    for _ in range(100):
        late = [verdict.reason for verdict, _ in passed[-10:]]
        if None not in late:
            break
        passed.append(camera.frame())
    assert set(late) <= reasons, late
    (moods / who).write_text("")
    passed += camera.until(judged)
    assert_closed(passed)
    restarts = camera.masker.counters.restarts
    assert (restarts.get(who, 0) > 0) == (mood != "slow")


def test_a_fixed_rate_of_answers_that_are_too_old_shows_nothing(moods, tmp_path):
    judging = JudgingSettings(deadline=0.5, age=0.2, hang=5.0)
    with LiveMasker(watches(moods, seconds=0.6), tmp_path, judging=judging) as masker:
        masker.wait_until_ready(60)
        camera = Camera(masker)
        passed = [camera.frame() for _ in range(40)]
    assert_closed(passed)
    assert all(covered(verdict) for verdict, _ in passed)
    assert masker.counters.looks["moody"] >= 1


def test_a_face_that_only_the_slower_detector_sees_stays_hidden_in_between(camera, moods):
    (moods / "swift").write_text("blind")
    camera.until(
        lambda verdict: judged(verdict) and verdict.faces and not dict(verdict.faces[0].detections).get("swift")
    )
    passed = [camera.frame() for _ in range(15)]
    assert all(judged(verdict) and verdict.faces for verdict, _ in passed)
    assert_closed(passed)


def test_another_size_is_covered_until_all_have_looked_and_keeps_the_output_size(camera):
    large = patch(left=200, top=120, side=80, size=(640, 360))
    passed = camera.until(judged, picture=large)
    assert passed[0][0].reason == "source"
    assert_closed(passed)
    assert {picture.shape for _, picture in passed} == {(180, 320, 3)}
    assert camera.masker.counters.source_changes == 1


def test_an_interrupted_source_is_covered_until_all_have_looked(camera):
    camera.masker.mark_interrupted()
    passed = camera.until(judged)
    assert passed[0][0].reason == "source"
    assert_closed(passed)


def test_a_new_scene_is_covered_until_all_have_looked(camera):
    steps = np.add.outer(np.arange(180) // 20, np.arange(320) // 40) % 2
    other = np.repeat((steps * 200).astype(np.uint8)[..., None], 3, axis=2)
    passed = camera.until(judged, picture=other)
    assert passed[0][0].reason == "cut"


def test_panic_covers_at_once_and_ends_at_once(camera):
    camera.masker.controls.cover_all(on=True)
    verdict, picture = camera.frame()
    assert verdict.reason == "asked"
    assert black(picture)
    camera.masker.controls.cover_all(on=False)
    assert camera.frame()[0].reason is None


def test_looks_change_from_one_frame_to_the_next(camera):
    _, soft = camera.frame()
    camera.masker.controls.change(style="training-data")
    _, solid = camera.frame()
    assert np.ptp(solid[64:96, 104:136].astype(int), axis=(0, 1)).max() <= 4
    assert not np.array_equal(soft, solid)


def test_one_call_masks_an_rgb_picture(camera):
    picture = camera.masker.mask_picture(patch())
    assert picture.shape == (180, 320, 3)
    assert picture[64:96, 104:136].max() < 240


def test_a_detector_that_cannot_be_loaded_ends_the_run_with_its_sentence(tmp_path):
    watch = DetectorRole(Rogue, RogueSettings(on_load="miss weights"), every_frame=True)
    with LiveMasker([watch], tmp_path) as masker, pytest.raises(ModelError, match="veil models fetch"):
        masker.wait_until_ready(60)


def test_a_detector_for_every_frame_is_needed(tmp_path):
    with pytest.raises(InputError, match="every frame"):
        LiveMasker([DetectorRole(Moody, MoodySettings(), every_frame=False)], tmp_path)
