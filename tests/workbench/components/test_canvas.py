"""The canvas in a browser: exact stills while stepping, boxes drawn by hand, undone, and links that land on a frame."""

import pytest

from engine.approval.notes import read_notes
from engine.approval.reviewer_actions import read_viewed_ranges
from engine.core.geometry import Box
from engine.review.amendments import Add, Cover, Delete, Extend, Undo
from engine.review.review_file import read_review
from tests import clips
from tests.browser import TIMEOUT_S, find_violations, save_screenshot, wait_until_settled
from tests.workbench.page_actions import add_face, delete_track, open_review, wait_for_message, wait_until_painted
from tests.workbench.run_makers import make_run
from workbench.core import caches
from workbench.core.links import Page, build_address

FRAMES = 120
FACE = (60.0, 60.0, 180.0, 200.0)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """One group of pictures, 640x360."""
    options = ["-bf", "3", "-g", "600", "-x264-params", "scenecut=0"]
    return clips.video(tmp_path_factory.mktemp("canvas") / "long.mp4", size=(640, 360), frames=FRAMES, options=options)


@pytest.fixture
def run(workbench, source):
    """Two faces; the second ends in the middle."""
    other = (400.0, 80.0, 470.0, 160.0)
    return make_run(workbench.data, source, lambda index: [FACE, other] if index < 60 else [FACE])


def opened(page, workbench, run, frame=None, track=None):
    open_review(page, workbench, run.id, frame or 0, track)


def review_of(run):
    return read_review(run.folder.review, caches.get_record_digest(run), missing_ok=True).amendments


def test_a_link_lands_on_its_frame_and_track(workbench, page, run):
    opened(page, workbench, run, frame=30, track=1)
    assert page.locator("rect.box.chosen").get_attribute("data-track") == "1"
    assert page.get_by_label("Frame number").input_value() == "30"


def test_stepping_works_forwards_backwards_and_after_a_jump_and_is_put_on_record(workbench, page, run):
    opened(page, workbench, run)
    frame = 0
    for key, by in [*[("ArrowRight", 1)] * 12, ("End", 119 - 12), *[("ArrowLeft", -1)] * 20]:
        frame += by
        page.keyboard.press(key)
        wait_until_painted(page, frame)
        assert float(page.locator(".review").get_attribute("data-latency")) >= 0
    page.wait_for_function("new URL(location).searchParams.get('frame') === '99'")
    with page.expect_response("**/api/seen/**") as answered:
        page.evaluate("document.querySelector('body').focus()")
    assert answered.value.status == 204
    seen = {
        index
        for spans in read_viewed_ranges(workbench.data, run.id, caches.get_record_digest(run)).values()
        for a, b in spans
        for index in range(a, b)
    }
    assert seen >= {*range(13), *range(100, 120)}
    assert not seen & set(range(13, 99))


def test_a_face_is_added_by_dragging_another_deleted_and_that_undone(workbench, page, run):
    opened(page, workbench, run, frame=70)
    add_face(page, (640, 360), (300, 100, 380, 190), until=75)
    wait_for_message(page, "Saved as amendment 1.")
    (added,) = review_of(run)
    assert isinstance(added.action, Add)
    assert [keyframe.index for keyframe in added.action.keyframes] == [70, 75]
    box = added.action.keyframes[0].box
    assert (
        max(abs(a - b) for a, b in zip((box.left, box.top, box.right, box.bottom), (300, 100, 380, 190), strict=True))
        < 3
    )
    page.locator('rect.box.reviewer[data-track="2"]').wait_for()
    save_screenshot(page, "review-added")

    delete_track(page, 0, "a poster")
    wait_for_message(page, "Saved as amendment 2.")
    page.locator('rect.box[data-track="0"]').wait_for(state="detached")
    page.keyboard.press("z")
    wait_for_message(page, "Saved as amendment 3.")
    page.locator('rect.box[data-track="0"]').wait_for()
    assert [type(one.action) for one in review_of(run)] == [Add, Delete, Undo]
    page.get_by_role("tab", name="Amendments").click()
    assert page.locator(".amendment.undone").count() == 1


def test_the_queue_is_worked_through_with_the_keyboard_alone(workbench, page, run):
    opened(page, workbench, run)
    first = page.locator(".item").first.get_attribute("data-spot")
    page.keyboard.press("n")
    page.locator(f'.item.current[data-spot="{first}"]').wait_for()
    page.keyboard.press("a")
    wait_for_message(page, "Saved as amendment 1.")
    assert review_of(run)[0].action.spot == first
    page.keyboard.press("d")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as amendment 2.")
    page.keyboard.press("K")
    page.keyboard.press("Escape")
    assert len(review_of(run)) == 2


def test_a_person_is_decided_on_a_card_and_that_is_undone_in_one_step(workbench, page, run):
    opened(page, workbench, run)
    page.locator(".card").nth(1).wait_for(state="attached")
    page.keyboard.press("y")
    page.locator(".card.current img[src]").first.wait_for()
    # By the mouse: Enter has to save then too, and not to press the button again.
    page.locator("[data-do=personMasked]").click()
    page.locator(".ask h3").filter(has_text="the masks are right").wait_for()
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as amendment")
    page.locator(".card.masked").wait_for()
    decided = [one.action.spot for one in review_of(run)]
    assert decided[0] == f"person:0:0-{FRAMES}"
    page.keyboard.press("Control+z")
    page.locator(".card.masked").wait_for(state="detached")
    amendments = review_of(run)
    assert len(amendments) == 2 * len(decided)
    assert all(isinstance(one.action, Undo) for one in amendments[len(decided) :])
    # Both are in frame 0, so they are two people.
    for box in page.locator(".card input").all():
        box.click()
    page.get_by_role("button", name="Join", exact=True).click()
    wait_for_message(page, "so they are two people and cannot be joined")


def test_the_keys_work_after_a_frame_number_is_entered(workbench, page, run):
    opened(page, workbench, run)
    for key in ("g", "4", "0", "Enter"):
        page.keyboard.press(key)
    wait_until_painted(page, 40)
    page.keyboard.press("ArrowRight")
    wait_until_painted(page, 41)


def test_the_picture_after_masking_is_the_renders(workbench, page, run):
    opened(page, workbench, run, frame=10)
    with page.expect_response(lambda answer: "masked=1" in answer.url) as answered:
        page.keyboard.press("m")
    assert answered.value.status == 200
    page.keyboard.press("s")
    page.get_by_label("Split between before and after").wait_for(timeout=TIMEOUT_S * 1000)


@pytest.mark.parametrize("where", [Page.REVIEW, Page.SIGN_OFF])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(workbench, page, run, where, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(workbench.url + build_address(where, run.id))
    if where is Page.REVIEW:
        wait_until_painted(page, 0)
    else:
        page.get_by_role("button", name="Continue: ").wait_for()
    wait_until_settled(page)
    save_screenshot(page, f"{where.value}-{scheme}")
    assert find_violations(page) == []


def test_what_is_played_is_shown_frame_by_frame_and_seen(workbench, page, run):
    opened(page, workbench, run, frame=40)
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_function("Number(new URL(location).searchParams.get('frame')) > 0")
    page.locator('.review[data-frame="119"]').wait_for()
    page.get_by_role("button", name="Play").wait_for()
    page.locator(".sum", has_text="80 of 120").wait_for()


def test_a_range_follows_the_steps_and_a_track_is_extended_to_where_one_stands(workbench, page, run):
    opened(page, workbench, run, frame=50, track=1)
    page.keyboard.press("b")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_until_painted(page, 53)
    page.keyboard.press("w")
    page.keyboard.type("papers on the desk")
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as amendment 1.")
    page.keyboard.press("]")
    wait_until_painted(page, 59)
    page.keyboard.press("e")
    page.keyboard.press("Shift+ArrowRight")
    wait_until_painted(page, 69)
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as amendment 2.")
    cover, extend = review_of(run)
    assert (cover.action, cover.reason) == (Cover(50, 54), "papers on the desk")
    assert extend.action == Extend(1, 60, 70)


def test_a_box_is_placed_moved_and_followed_with_the_keyboard_alone(workbench, page, run):
    opened(page, workbench, run, frame=70)
    for key in ("d", "Shift+ArrowLeft", "ArrowUp", "Alt+Shift+ArrowRight", ".", ".", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
        if key == ".":
            page.wait_for_function("Number(document.activeElement?.shadowRoot?.activeElement?.dataset.frame) > 70")
    wait_for_message(page, "Saved as amendment 1.")
    first, last = review_of(run)[0].action.keyframes
    assert (first.index, last.index) == (70, 72)
    assert (first.box, last.box) == (Box(280, 149, 350, 209), Box(280, 159, 350, 219))


def test_another_amendment_waits_until_the_box_is_saved_or_discarded(workbench, page, run):
    opened(page, workbench, run, track=0)
    page.keyboard.press("r")
    page.keyboard.press("x")
    wait_for_message(page, "Save the box first")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.get_by_role("button", name="Remove", exact=True).first.wait_for()
    page.keyboard.press("Escape")
    assert review_of(run) == ()


def test_the_frames_around_are_shown_beside_and_not_counted_as_seen(workbench, page, run):
    opened(page, workbench, run, frame=30, track=1)
    page.keyboard.press("H")
    strip = page.locator("[data-at=filmstrip]")
    page.locator('[data-at=filmstrip][data-frame="30"]').wait_for()
    page.locator(".sum", has_text="1 of 120").wait_for()
    size = strip.bounding_box()
    strip.click(position={"x": size["width"] - 20, "y": 50})
    wait_until_painted(page, 33)
    page.locator('[data-at=filmstrip][data-frame="33"]').wait_for()
    page.keyboard.press("H")
    strip.wait_for(state="hidden")


def test_tracks_are_gone_through_from_beginning_to_beginning(workbench, page, run):
    opened(page, workbench, run, frame=50, track=0)
    page.keyboard.press("}")
    page.locator('rect.box.chosen[data-track="1"]').wait_for()
    wait_until_painted(page, 0)
    page.keyboard.press("]")
    wait_until_painted(page, 59)
    page.keyboard.press("}")
    wait_for_message(page, "No track starts after this frame.")
    page.keyboard.press("{")
    wait_until_painted(page, 0)


def test_a_small_face_is_looked_at_closely_and_stays_in_sight(workbench, page, run):
    opened(page, workbench, run, frame=10, track=1)
    page.keyboard.press("v")
    page.get_by_role("button", name="Fit", exact=True).wait_for(state="detached")
    stage, box = (page.locator(what).bounding_box() for what in ("[data-at=stage]", "rect.box.chosen"))
    assert box["height"] > 0.25 * stage["height"]
    assert abs(box["x"] + box["width"] / 2 - stage["x"] - stage["width"] / 2) < 20
    assert page.locator("rect.box").count() == 1
    page.keyboard.press("f")
    page.keyboard.press("ArrowRight")
    wait_until_painted(page, 11)
    box = page.locator("rect.box.chosen").bounding_box()
    assert stage["x"] <= box["x"] and box["x"] + box["width"] <= stage["x"] + stage["width"]
    page.keyboard.press("v")
    page.get_by_role("button", name="Fit", exact=True).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_by_what_opens(workbench, page, run, scheme):
    page.emulate_media(color_scheme=scheme)
    opened(page, workbench, run, frame=30, track=1)
    for key in ("?", "d", "r", "x", "K", "b", "s"):
        page.keyboard.press(key)
        assert (key, find_violations(page)) == (key, [])
        page.keyboard.press("Escape")
    page.keyboard.press("n")
    # An item is confirmed once its frame is on the screen: only then does its button show.
    page.locator(".selection button.main").wait_for()
    page.keyboard.press("a")
    wait_for_message(page, "Saved as amendment 1.")
    page.get_by_role("tab", name="Amendments").click()
    assert find_violations(page) == []


def test_a_note_is_written_with_the_keyboard_found_by_its_link_and_settled(workbench, page, run):
    opened(page, workbench, run, frame=30)
    page.keyboard.press("N")
    page.get_by_label("Note", exact=True).fill("Who is this?")
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as note 1.")
    page.get_by_role("tab", name="Notes (1)").click()
    page.get_by_label("Frame number").fill("0")
    page.get_by_label("Frame number").press("Enter")
    wait_until_painted(page, 0)
    page.get_by_role("button", name="Frame 30", exact=True).click()
    wait_until_painted(page, 30)
    page.get_by_role("button", name="Note 1 is done").click()
    wait_for_message(page, "Note 1 is done.")
    page.get_by_role("tab", name="Notes", exact=True).wait_for()
    (note,) = read_notes(run)
    assert (note.text, note.frame, note.done_by is not None) == ("Who is this?", 30, True)
