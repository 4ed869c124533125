"""Assisted masks in a browser: a box drawn once follows its face, is looked at, cut to length and saved."""

import pytest

from engine.review.amendments import Add, Flag
from engine.review.review_file import read_review
from tests.assist_makers import CUT, make_moving_clip, place
from tests.browser import find_violations, save_screenshot
from tests.workbench.page_actions import drag_box, open_review, wait_for_message, wait_until_painted
from tests.workbench.run_makers import make_run
from workbench.core import caches


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make_moving_clip(tmp_path_factory.mktemp("canvas") / "moving.mp4")


@pytest.fixture
def run(workbench, source):
    """The moving patch is masked in the last frames alone, as if a detector had missed it before."""

    def boxes(index):
        box = place(index)
        return [(box.left, box.top, box.right, box.bottom)] if index >= CUT else []

    return make_run(workbench.data, source, boxes)


def review_of(run):
    return read_review(run.folder.review, caches.get_record_digest(run), missing_ok=True).amendments


def edges(box):
    return box.left, box.top, box.right, box.bottom


def test_a_face_is_followed_from_one_box_and_saved(workbench, page, run):
    open_review(page, workbench, run.id, 12)
    drag_box(page, (240, 160), edges(place(12)))
    page.get_by_role("button", name="Follow the face").click()
    wait_for_message(page, f"Followed in frames 0–{CUT - 1}")
    assert page.locator(".followed .thumb img[src]").first.is_visible()
    assert "masked by track 0" in page.locator(".followed").inner_text()
    assert find_violations(page) == []
    save_screenshot(page, "review-followed")
    # The keys work on: the end is set where one stands, and Enter saves.
    for _ in range(3):
        page.keyboard.press(".")
    page.locator('.review[data-frame="15"]').wait_for()
    page.keyboard.press("o")
    assert page.get_by_label("To frame (o)").input_value() == "15"
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as amendment 1.")
    (added,) = review_of(run)
    assert isinstance(added.action, Add)
    assert (added.action.keyframes[0].index, added.action.keyframes[-1].index) == (0, 15)
    assert added.reason == "followed from frame 12"
    page.locator('rect.box.reviewer[data-track="1"]').wait_for()
    page.keyboard.press("Home")
    wait_until_painted(page, 0)
    page.locator('rect.box.reviewer[data-track="1"]').wait_for()


def test_similar_places_become_items_to_check(workbench, page, run):
    open_review(page, workbench, run.id, 12)
    page.keyboard.press("q")
    wait_for_message(page, "Draw a box (d) or choose a face (f) first")
    drag_box(page, (240, 160), edges(place(12)))
    page.keyboard.press("q")
    page.locator(".ask h3", has_text="similar place").wait_for()
    page.locator(".preview .tick img[src]").first.wait_for()
    assert find_violations(page) == []
    save_screenshot(page, "review-similar")
    page.keyboard.press("Enter")
    wait_for_message(page, "Saved as amendment 1.")
    (flag,) = review_of(run)
    assert isinstance(flag.action, Flag)
    assert all(one.stop <= CUT for one in flag.action.places), "what is masked is not similar enough to be asked"
    page.get_by_role("tab", name="To check").click()
    page.locator('.item[data-spot^="similar:"]').first.wait_for()
    # The box that was drawn is still there, to be saved or followed.
    page.get_by_role("button", name="Follow the face").wait_for()
    page.keyboard.press("Escape")
    page.locator('.item[data-spot^="similar:"]').first.click()
    page.locator(".selection button.main", has_text="Not a face").click()
    wait_for_message(page, "Saved as amendment 2.")
