"""The timeline in a browser: zoom and pan, the frame under the pointer, sound; and the stops of the Tab key."""

import pytest

from tests import clips
from tests.browser import find_violations, save_screenshot
from tests.workbench.page_actions import open_review, wait_until_painted
from tests.workbench.run_makers import make_run

FRAMES = 120
FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  const style = getComputedStyle(found);
  const name = found.getAttribute("aria-label") || found.title || found.textContent.trim().slice(0, 60);
  const ring = style.outlineStyle !== "none" || Number.parseFloat(style.strokeWidth) > 3;
  return {inside: found.getRootNode() !== document, name, ring};
}"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("timeline") / "long.mp4"
    return clips.video(path, size=(640, 360), frames=FRAMES, audio=[clips.Audio()], options=["-g", "600"])


@pytest.fixture
def run(workbench, source):
    def boxes(index):
        return [(60.0 + 80 * track, 60.0, 120.0 + 80 * track, 140.0) for track in range(5 if index < 60 else 1)]

    return make_run(workbench.data, source, boxes)


def test_the_timeline_is_zoomed_at_the_pointer_moved_and_shows_what_is_under_it(workbench, page, run):
    with page.expect_response("**/api/waveform/**") as answered:
        open_review(page, workbench, run.id, 30)
    assert max(answered.value.json()["peaks"]) > 0
    strip = page.locator("[data-at=timeline]")
    place = strip.bounding_box()
    x, y = place["x"] + 0.75 * place["width"], place["y"] + 20
    page.mouse.move(x, y)
    page.locator(".peek:not(.near) img[src]").wait_for()
    before = int(page.locator(".peek").get_attribute("data-frame"))
    assert f"frame {before}" in page.locator(".peek").inner_text()
    save_screenshot(page, "review-timeline-peek")
    page.mouse.wheel(0, -300)
    page.get_by_role("button", name="Whole timeline").wait_for()
    page.mouse.click(x, y)
    page.wait_for_function(f"Math.abs(Number(new URL(location).searchParams.get('frame')) - {before}) < 2")
    before = int(page.get_by_label("Frame number").input_value())
    # A drag of the times moves what is shown.
    foot = place["y"] + place["height"] - 6
    page.mouse.move(x, foot)
    page.mouse.down()
    page.mouse.move(x - 100, foot, steps=3)
    page.mouse.up()
    assert page.get_by_label("Frame number").input_value() == str(before), "moving the timeline goes to no frame"
    page.mouse.click(x, y)
    page.wait_for_function(f"Number(new URL(location).searchParams.get('frame')) > {before}")
    page.keyboard.press("t")
    page.get_by_role("button", name="Zoom timeline").wait_for()
    page.keyboard.press("ArrowRight")
    page.mouse.move(place["x"], place["y"] - 200)
    page.locator(".peek").wait_for(state="hidden")


def test_every_stop_is_seen_has_a_name_of_its_own_and_there_are_few(workbench, page, run):
    open_review(page, workbench, run.id, 30)
    page.locator(".card").nth(1).wait_for(state="attached")
    page.locator(".review").focus()
    stops = []
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if not focused["inside"]:
            break
        stops.append(focused)
    assert 8 < len(stops) < 30
    assert [stop["name"] for stop in stops if not stop["ring"]] == []
    names = [stop["name"] for stop in stops]
    assert len(set(names)) == len(names), names
    assert find_violations(page) == []


def test_arrows_go_through_a_group_by_the_keyboard_and_through_frames_after_a_click(workbench, page, run):
    open_review(page, workbench, run.id, 30)
    page.locator(".review").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["name"] == "Previous item to check"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED)["name"] == "Back 10 frames"
    page.keyboard.press("End")
    assert "Shortcuts" in page.evaluate(FOCUSED)["name"]
    page.get_by_role("button", name="Next frame", exact=True).click()
    wait_until_painted(page, 31)
    page.keyboard.press("ArrowRight")
    wait_until_painted(page, 32)
    # Every other control of the picture leaves the keys to the canvas, too.
    for name in ("Zoom in", "Filmstrip", "Split", "Before", "To check", "Zoom timeline"):
        page.get_by_text(name, exact=True).or_(page.get_by_label(name, exact=True)).first.click()
        frame = int(page.get_by_label("Frame number").input_value())
        page.keyboard.press("ArrowRight")
        wait_until_painted(page, frame + 1)
