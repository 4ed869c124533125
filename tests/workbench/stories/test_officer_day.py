"""An officer's work on three minutes with three people, played in a browser, with every key press and click counted."""

import json
import subprocess
import sys

import pytest

from engine.record import sha256_hex
from engine.review.amendments import Add, Delete, Extend
from engine.review.review_file import read_review
from tests.browser import open_address, running_workbench, save_screenshot, wait_until_settled
from tests.workbench.page_actions import LONG_TIMEOUT_MS, find_form, list_faults, wait_until_painted
from tests.workbench.run_makers import finish_run
from tests.workbench.stories.three_people import MISSED, make_three_people

pytestmark = pytest.mark.slow

MOST_ACTIONS = 60
ENOUGH_FRAMES = 100
"""More than the quarter of the frames that the policy asks for."""


class Officer:
    """A person at a page: each key press, each click and each line that is typed counts as one action."""

    def __init__(self, page):
        self.page = page
        self.actions = []

    def press(self, *keys):
        for key in keys:
            self.actions.append(key)
            self.page.keyboard.press(key)

    def click(self, place):
        self.actions.append("click")
        place.click()

    def type_line(self, text):
        self.actions.append(text)
        self.page.keyboard.type(text)

    def sees(self, selector):
        """Wait for something; a wait is no action."""
        self.page.locator(selector).first.wait_for()


@pytest.fixture
def run(data_folder):
    """The finished run of the clip; its record was made by code."""
    data_folder.library.mkdir()
    made = make_three_people(data_folder.library / "interview.mp4")
    return finish_run(data_folder, made.path, made.record)


def test_three_minutes_with_three_people_take_at_most_sixty_actions(run, data_folder, page):
    officer = Officer(page)
    page.faults = []
    with running_workbench(data_folder) as server:
        open_address(page, server.url)
        officer.click(page.get_by_test_id("stMain").get_by_role("link", name="Review"))
        wait_until_painted(page, 0)
        decide_about_people(officer)
        settle_items(officer)
        play(officer)
        sign_and_release(officer)
        save_screenshot(page, "officer-released")
        assert list_faults(page) == []
    assert len(officer.actions) <= MOST_ACTIONS, " ".join(officer.actions)
    check_release(run)


def decide_about_people(officer):
    """Three people are masked, and the fourth card shows a wall."""
    officer.sees(".card")
    officer.press("y")
    for person in range(3):
        officer.sees(f".card.current.open >> text=Person {person + 1}")
        officer.press("a", "Enter")
        officer.page.locator(".card.masked").nth(person).wait_for()
    officer.sees(".card.current.open >> text=Person 4")
    officer.press("x")
    officer.type_line("a wall of bricks")
    officer.press("Enter")
    officer.sees(".card.removed")


def settle_items(officer):
    """The removals are looked at, the possible face is masked while it shows, and the rest is confirmed."""
    page = officer.page
    officer.press("n")
    for track in (8, 9):
        officer.sees(f'.item.current[data-spot^="removed:{track}:"]')
        page.locator("button[data-do=accept]").get_by_text("Removal is right").wait_for()
        officer.press("a")
    wait_until_painted(page, 302)
    officer.press("d")
    officer.click(page.get_by_label("Keep until frame"))
    page.get_by_label("Keep until frame").select_text()
    officer.type_line(str(MISSED[-1]))
    officer.press("Enter")
    officer.sees("rect.box.reviewer.chosen")
    officer.press("e", *[","] * (302 - MISSED[0]))
    wait_until_painted(page, MISSED[0])
    officer.press("Enter")
    officer.sees("rect.box.reviewer")
    officer.press("n")
    for frame in (180, 270):
        wait_until_painted(page, frame)
        officer.press("a")
    page.get_by_text("Every item is checked").wait_for()


def play(officer):
    """Play the video at four times its speed, as far as the policy asks for."""
    officer.press("Home")
    wait_until_painted(officer.page, 0)
    officer.press("l", "l", "l")
    # A busy machine leaves frames out, which do not count.
    viewed = officer.page.locator(".sum .row", has_text="Frames viewed").locator("b")
    while int(viewed.inner_text().split()[0]) < ENOUGH_FRAMES:
        officer.page.wait_for_timeout(200)


def sign_and_release(officer):
    page = officer.page
    officer.click(page.get_by_test_id("stMain").get_by_role("link", name="Sign off"))
    steps = page.get_by_role("radiogroup", name="Step")
    officer.click(steps.get_by_text("4. Sign"))
    wait_until_settled(page)
    for button in ("Sign as reviewed", "Approve"):
        officer.click(find_form(page, button).get_by_role("button", name=button, exact=True))
        page.get_by_text("Signed: ").wait_for()
        wait_until_settled(page)
    officer.click(page.get_by_role("button", name="Release the final video"))
    page.get_by_text("All checks passed").wait_for(timeout=4 * LONG_TIMEOUT_MS)
    wait_until_settled(page)


def check_release(run):
    """The release is what the record and the amendments say, nothing was found in it, and the certificate agrees."""
    (folder,) = run.folder.releases.iterdir()
    record, review = folder / "detections.json", folder / "review.jsonl"
    words = ("verify", run.source, record, folder / f"{run.id}.mp4", "--review", review, "--json")
    answer = subprocess.run(
        [sys.executable, "-m", "engine", *map(str, words)], capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout)["passed"] is True
    assert json.loads((folder / "leaks.json").read_text())["leaks"] == []
    amendments = read_review(review, sha256_hex(record.read_bytes())).amendments
    kinds = [type(one.action) for one in amendments]
    assert (kinds.count(Delete), kinds.count(Add), kinds.count(Extend)) == (2, 1, 1)
