"""The sound in Review: heard while the video plays, and muted or bleeped by dragging on the timeline."""

import pytest

from tests import clips
from tests.browser import save_screenshot, wait_until_settled
from tests.workbench.page_actions import go_to_step, open_review, wait_for_message
from tests.workbench.run_makers import make_run

FRAMES = 100


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "talk.mp4"
    return clips.video(path, size=(320, 240), frames=FRAMES, audio=[clips.Audio()])


@pytest.fixture
def run(workbench, source):
    return make_run(workbench.data, source, lambda _: [(60.0, 60.0, 120.0, 140.0)])


@pytest.fixture
def sound_lane(page, workbench, run):
    """A function that gives the place of a share of the video in the lane of the sound."""
    with page.expect_response("**/api/waveform/**"):
        open_review(page, workbench, run.id, 30)
    page.locator("[data-at=sound]:not([hidden])").wait_for(state="attached")
    # The times take 14 pixels at the foot, the sound 20 above them; the names of the lanes 58 at the left.
    strip = page.locator("[data-at=timeline]").bounding_box()
    y = strip["y"] + strip["height"] - 24
    return lambda share: (strip["x"] + 58 + share * (strip["width"] - 58), y)


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()


def test_a_drag_on_the_sound_mutes_it_and_sign_off_lists_it(page, sound_lane):
    drag(page, sound_lane(0.25), sound_lane(0.5))
    page.get_by_role("heading", name="Mute or bleep the sound").wait_for()
    assert float(page.get_by_label("From (s)").input_value()) == pytest.approx(1, abs=0.1)
    assert page.get_by_label("Frame number").input_value() == "30", "a drag on the sound goes to no frame"
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="Enter a reason").wait_for()
    page.get_by_label("From (s)").fill("1.2")
    page.get_by_label("To (s)").fill("1.6")
    page.get_by_label("Reason").fill("a name")
    page.keyboard.press("Enter")
    wait_for_message(page, "Chosen: mute of 1.2-1.6 s.")
    save_screenshot(page, "review-sound")
    # The link of the run, which keeps the session, as what was chosen does.
    page.get_by_test_id("stMain").get_by_role("link", name="Sign off").click()
    wait_until_settled(page)
    go_to_step(page, "3. Style")
    page.get_by_text("Mute 1.2 to 1.6 s in all streams: a name").wait_for()


def test_a_marked_range_is_bleeped_by_keys_and_taken_back_by_a_click(page, sound_lane):
    page.keyboard.press("i")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("o")
    page.keyboard.press("M")
    page.get_by_label("Tone").check()
    page.get_by_label("Reason").fill("a street")
    page.keyboard.press("Enter")
    wait_for_message(page, "Chosen: bleep of 1.2-2.44 s.")
    page.mouse.click(*sound_lane(0.4))
    page.get_by_role("heading", name="Bleeped from 1.20 to 2.44 s: a street").wait_for()
    page.get_by_role("button", name="Remove").click()
    wait_for_message(page, "was removed")


def test_the_sound_is_fetched_when_the_video_plays(page, sound_lane):
    with page.expect_response("**/api/sound/**") as answered:
        page.keyboard.press("Space")
    assert answered.value.headers["content-type"] == "audio/wav"
    page.keyboard.press("Space")
    page.keyboard.press("S")
    page.get_by_text("View", exact=True).click()
    page.get_by_role("button", name="Sound off").wait_for()
