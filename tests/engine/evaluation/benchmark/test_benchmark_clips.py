"""The clips of the benchmark and their truth: exact, complete, and the same for the same seed."""

import numpy as np
import pytest

from engine.core.geometry import Box, Size
from engine.evaluation.benchmark.clip_table import FRAME_SIZES, KINDS, list_clips
from engine.evaluation.benchmark.drawing import draw_clip
from engine.evaluation.benchmark.head_pose import HeadPose, clip_outline, trace_face
from engine.evaluation.benchmark.package_pictures import DONORS, load_background, load_donor
from engine.evaluation.benchmark.shots import BenchmarkClip, Camera, HeadMotion, PictureEffects, Shot

SIZE = Size(320, 240)
PLAIN = HeadMotion("coach", HeadPose(150, 120, 60))


def drawn(*shots, transition="cut", seed=0):
    return list(draw_clip(BenchmarkClip("plain", "1", SIZE, shots, transition), seed))


def find_change(one, other):
    """The box of the pixels in which two pictures differ clearly."""
    rows, columns = np.nonzero(np.abs(one.astype(int) - other).max(axis=2) > 12)
    return Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def face_of(pose, half=None):
    box = load_donor("coach").face_box
    found = clip_outline(trace_face(box, pose.compute_homography(box), half), Box(0, 0, SIZE.width, SIZE.height))
    return found and (found[0], round(found[1], 2))


@pytest.mark.parametrize("resolution", FRAME_SIZES)
def test_every_clip_of_the_table_is_complete(resolution):
    clips = list_clips(resolution)
    assert {clip.kind for clip in clips} == set(KINDS)
    assert len({clip.file for clip in clips}) == len(clips)
    assert all(clip.shots and clip.size == FRAME_SIZES[resolution] for clip in clips)
    quick = list_clips(resolution, quick=True)
    assert {clip.kind for clip in quick} == set(KINDS)
    assert {clip.file for clip in quick} < {clip.file for clip in clips}


def test_faces_are_planted_in_every_length_and_are_24_px_high_and_more():
    for clip in list_clips("1080p"):
        if clip.kind == "flash":
            (shot,) = clip.shots
            assert len(shot.heads) >= 16
            assert {head.shows[1] - head.shows[0] for head in shot.heads} == {int(clip.value)}
            assert min(head.start.height for head in shot.heads) > 24


def test_every_picture_is_there():
    assert all(load_donor(name).face_box.height >= 50 for name in DONORS)
    assert {load_background(shot.background).ndim for clip in list_clips("1080p") for shot in clip.shots} == {3}


def test_the_box_is_where_the_face_is_drawn():
    (empty,), (full,) = drawn(Shot("brick", 1)), drawn(Shot("brick", 1, (PLAIN,)))
    (face,) = full.faces
    changed = find_change(empty.picture, full.picture)
    assert changed.hull(face.box) == changed
    assert face.box.height == pytest.approx(60, abs=1)
    assert abs(face.box.centre[0] - changed.centre[0]) < 20
    assert face.visible == pytest.approx(1.0)


def test_a_lying_head_has_a_lying_box():
    upright, _ = face_of(HeadPose(150, 120, 60))
    lying, _ = face_of(HeadPose(150, 120, 60, roll=90))
    assert (lying.width, lying.height) == pytest.approx((upright.height, upright.width), abs=0.2)
    aside, _ = face_of(HeadPose(150, 120, 60, yaw=60))
    assert aside.width < 0.6 * upright.width


@pytest.mark.parametrize("half", ["left", "right", "upper", "lower"])
def test_a_hidden_half_is_not_in_the_box(half):
    whole, _ = face_of(HeadPose(150, 120, 60))
    part, share = face_of(HeadPose(150, 120, 60), half)
    assert part.area == pytest.approx(whole.area / 2, rel=0.03)
    assert whole.hull(part) == whole
    assert share == 1.0  # of what can be seen at all
    (frame,) = drawn(Shot("brick", 1, (HeadMotion("coach", HeadPose(150, 120, 60), hidden_half=half),)))
    assert frame.faces[0].box.area == pytest.approx(part.area, rel=0.03)


def test_the_box_ends_at_the_border_with_the_share_that_is_left():
    half, share = face_of(HeadPose(0, 120, 60))
    assert (half.left, share) == (0.0, 0.5)
    assert face_of(HeadPose(-60, 120, 60)) is None


def test_a_wipe_shows_each_face_up_to_its_edge():
    right = HeadMotion("coach", HeadPose(240, 120, 60))
    frames = drawn(Shot("brick", 12, (PLAIN,)), Shot("grass", 12, (right,)), transition="wipe")
    assert len(frames) == 14
    tracks = [{face.track for face in frame.faces} for frame in frames]
    assert tracks[0] == {"0.0"}
    assert tracks[-1] == {"1.0"}
    parts = [face.visible for frame in frames for face in frame.faces if face.track == "0.0"]
    assert parts == sorted(parts, reverse=True)
    assert parts[-1] < 1.0


def test_a_face_shows_for_its_frames_and_moves_with_the_camera():
    shown = HeadMotion("coach", HeadPose(150, 120, 60), shows=(2, 4))
    assert [len(frame.faces) for frame in drawn(Shot("brick", 6, (shown,)))] == [0, 0, 1, 1, 0, 0]
    first, second = drawn(Shot("brick", 2, (PLAIN,), camera=Camera(pan=(10, 0), zoom=1.1)))
    (one,), (other,) = first.faces, second.faces
    assert other.box.height == pytest.approx(one.box.height * 1.1, rel=0.03)
    assert other.box.centre[0] - one.box.centre[0] == pytest.approx(10 + 0.1 * (150 - 160), abs=1.5)


def test_effects_change_the_picture_and_not_the_truth():
    plain = drawn(Shot("brick", 2, (PLAIN,)))
    for effects in (
        PictureEffects(infrared=True),
        PictureEffects(blur=3.0),
        PictureEffects(motion=9),
        PictureEffects(gain=0.2),
        PictureEffects(noise=20.0),
    ):
        changed = drawn(Shot("brick", 2, (PLAIN,), effects=effects))
        assert [frame.faces for frame in changed] == [frame.faces for frame in plain]
        assert not np.array_equal(changed[0].picture, plain[0].picture)


def test_the_seed_decides():
    shot = Shot("brick", 2, (PLAIN,), effects=PictureEffects(noise=20.0))
    one, again, other = (drawn(shot, seed=seed)[1].picture for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert list_clips("1080p", seed=1) != list_clips("1080p")
