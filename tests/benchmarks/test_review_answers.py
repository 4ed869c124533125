"""How long the controls of Review take to answer, each pressed five times, alone on the machine.

It shows three minutes of 1080p with sound, three people and more than twenty items to check.
"""

import re

import pytest

from tests.benchmarks.answers import (
    LISTEN,
    Control,
    fill,
    find_button,
    find_text,
    keys,
    local,
    measure_all,
    settle,
    steps,
    typed,
)
from tests.benchmarks.interview import make_interview
from tests.browser import make_data_folder, running_workbench
from tests.workbench.page_actions import open_review

IS_PLAYING = """root => root.querySelector("[data-do=play]").getAttribute("aria-pressed") === "true\""""
IS_PAUSED = IS_PLAYING.replace("true", "false")
IS_IN_NUMBER = """root => root.activeElement?.matches("[data-at=frame]")"""


@pytest.fixture(scope="module")
def interview(models, tmp_path_factory):
    """A server with the run that Review shows."""
    data = make_data_folder(tmp_path_factory.mktemp("interview"), models)
    run = make_interview(data, (1920, 1080), 30, 18)
    with running_workbench(data) as server:
        yield server, run.id


def do(name):
    return lambda page: page.locator(f'.review [data-do="{name}"]').first.click()


def choose_option(label, value):
    """Choose of a list of the canvas, whose own window no script can see: it begins when it has changed."""

    def act(page):
        page.evaluate("window.veilAnswer.begin()")
        page.locator(".review").get_by_label(label, exact=True).select_option(value)

    return act


ESCAPE = keys("Escape")
UNDO = steps(settle, keys("Control+z"), settle)
AT_START = steps(keys("Escape", "Home"), lambda page: page.wait_for_timeout(300))
AT_FACE = steps(AT_START, keys("f"))
PEOPLE = steps(do("back"), lambda page: page.get_by_role("tab", name="People").click())
ITEMS = lambda page: page.get_by_role("tab", name="To check").click()  # noqa: E731


def at_item(page):
    """Go to the next item and wait until it can be confirmed."""
    keys("Escape", "n")(page)
    page.locator(".selection button.main").wait_for()


def pick_cards(*places):
    def act(page):
        PEOPLE(page)
        while page.locator(".card input:checked").count():
            page.locator(".card input:checked").first.click()
        for place in places:
            page.locator(".card input").nth(place).click()

    return act


ask_to_split = steps(
    pick_cards(2), do("personSplit"), lambda page: page.locator(".ask input[type=checkbox]").first.click()
)
SAVES = {
    "confirm an item (a)": Control(keys("a"), at_item, restore=UNDO),
    "undo (z)": Control(keys("z"), steps(at_item, keys("a"), settle)),
    "redo (Z)": Control(keys("Z"), steps(at_item, keys("a"), settle, keys("z"), settle), restore=UNDO),
    "save a box (d, Enter)": Control(keys("Enter"), steps(AT_START, keys("d", "ArrowUp")), restore=UNDO),
    "save a resized box": Control(keys("Enter"), steps(AT_FACE, keys("r", "ArrowUp")), restore=UNDO),
    "save masked frames": Control(keys("Enter"), steps(AT_START, keys("b", ".")), restore=UNDO),
    "save a removal": Control(keys("Enter"), steps(AT_FACE, keys("x"), typed("a wall")), restore=UNDO),
    "save kept visible": Control(keys("Enter"), steps(AT_FACE, keys("K"), typed("agreed")), restore=UNDO),
    "save a note": Control(keys("Enter"), steps(ESCAPE, keys("N"), typed("Who is this?"))),
    "a note is done": Control(
        lambda page: page.get_by_role("button", name="is done").first.click(),
        lambda page: page.get_by_role("tab", name="Notes").click(),
    ),
    "masks of a person are right": Control(keys("Enter"), steps(ESCAPE, keys("y", "a")), restore=UNDO),
    "confirm a group": Control(
        keys("Enter"),
        steps(ESCAPE, ITEMS, choose_option("Group items", "cause"), find_button("Confirm...")),
        restore=steps(UNDO, choose_option("Group items", "none")),
    ),
    "split a card": Control(keys("Enter"), ask_to_split, restore=steps(settle, do("personUndo"), settle)),
    "join two cards": Control(
        do("personJoin"),
        steps(ask_to_split, keys("Enter"), settle, pick_cards(2, 3)),
        restore=steps(settle, do("personUndo"), settle, do("personUndo"), settle),
    ),
    "name a card": Control(keys("Enter"), steps(pick_cards(0), do("personName"), typed("Ana"))),
    "mute a range": Control(keys("Enter"), steps(AT_START, keys("i", ".", "o", "M", "w", "x")), restore=keys("u")),
}  # fmt: skip
MOVES = {
    **{
        f"key {name}": local(keys(name), restore=ESCAPE)
        for name in (
            *("ArrowRight", "ArrowLeft", ".", ",", "Shift+ArrowRight", "Shift+ArrowLeft", "n", "p", "y", "Y", "c", "C"),
            *("f", "F", "]", "[", "}", "{", "m", "s", "h", "H", "t", "i", "o", "u", "+", "-", "?"),
        )
    },
    "key End": local(keys("End"), keys("Home")),
    "key Home": local(keys("Home"), keys("End")),
    "key v": local(keys("v"), AT_FACE),
    "key 0": local(keys("0"), keys("+")),
    "key g": local(keys("g"), restore=ESCAPE, sign=IS_IN_NUMBER),
    "key L": local(keys("L"), at_item, restore=keys("L")),
    "key S": local(keys("S")),
    "play (Space)": local(keys(" "), keys("Home"), restore=keys("k"), sign=IS_PLAYING),
    "play slowly": local(keys("Shift+ "), keys("Home"), restore=keys("k"), sign=IS_PLAYING),
    "play on (l)": local(keys("l"), keys("Home"), restore=keys("k"), sign=IS_PLAYING),
    "play back (j)": local(keys("j"), keys("End"), restore=keys("k"), sign=IS_PLAYING),
    "pause (k)": local(keys("k"), keys("Home", " "), sign=IS_PAUSED),
    "draw a face (d)": local(keys("d"), ESCAPE, restore=ESCAPE),
    "resize (r)": local(keys("r"), AT_FACE, restore=ESCAPE),
    "remove (x)": local(keys("x"), AT_FACE, restore=ESCAPE),
    "extend (e)": local(keys("e"), AT_FACE, restore=ESCAPE),
    "keep visible (K)": local(keys("K"), AT_FACE, restore=ESCAPE),
    "mask frames (b)": local(keys("b"), restore=ESCAPE),
    "note (N)": local(keys("N"), restore=ESCAPE),
    "follow the face (D)": local(keys("D"), steps(AT_START, keys("d")), restore=keys("Escape", "Escape")),
    "find more like this (q)": local(keys("q"), AT_FACE, restore=keys("Escape", "Escape")),
    **{
        f"tab {name}": local(
            lambda page, name=name: page.get_by_role("tab", name=name).click(),
            lambda page, other=other: page.get_by_role("tab", name=other).click(),
        )
        for name, other in (("People", "Notes"), ("To check", "People"), ("Amendments", "People"), ("Notes", "People"))
    },
    **{
        f"button {name}": local(do(name), restore=ESCAPE)
        for name in ("nextItem", "prevItem", "on", "back", "on10", "back10", "zoomIn", "zoomOut", "draw", "cover")
    },
    "button help": local(do("help"), restore=ESCAPE),
    "After": local(lambda page: page.get_by_role("radio", name="After").click(), restore=keys("m")),
    "Split": local(lambda page: page.get_by_role("radio", name="Split").click(), restore=keys("s")),
    "View": local(lambda page: page.locator(".looks summary").click()),
    "brightness": local(
        lambda page: page.get_by_label("Brightness").press("ArrowRight"),
        lambda page: page.locator(".looks").evaluate("one => { one.open = true; }"),
    ),
    "reset the picture": local(
        do("plainPicture"),
        steps(
            lambda page: page.locator(".looks").evaluate("one => { one.open = true; }"),
            lambda page: page.get_by_label("Brightness").press("ArrowRight"),
        ),
        restore=lambda page: page.locator(".looks").evaluate("one => { one.open = false; }"),
    ),
    "an item": local(lambda page: page.locator(".item").nth(5).click(), steps(ESCAPE, ITEMS), restore=ESCAPE),
    "group by person": local(choose_option("Group items", "person"), ITEMS, choose_option("Group items", "none")),
    "sort by time": local(choose_option("Sort items", "time"), ITEMS, choose_option("Sort items", "risk")),
    "a card": local(lambda page: page.locator(".card .go").nth(1).click(), PEOPLE, restore=ESCAPE),
    "a face of a card": local(lambda page: page.locator(".card .thumb").nth(1).click(), PEOPLE, restore=ESCAPE),
    "pick a card": local(lambda page: page.locator(".card input").first.click(), PEOPLE),
    "a click on the timeline": local(
        lambda page: page.locator("[data-at=timeline]").click(position={"x": 300, "y": 20}), keys("Home")
    ),
}  # fmt: skip
SAMPLE = {
    "random sample check": Control(
        find_text("Random sample check"), restore=steps(settle, find_text("Random sample check"), settle)
    ),
    "sample size": Control(fill("Sample size (frames)", "19", "28")),
    "page of the sample": Control(fill(re.compile(r"Page \(1 to \d+\)"), "2", "3", "1")),
    "face visible": Control(lambda page: page.get_by_text("Face visible (frame").first.click()),
}


def test_review(interview, page, record_figure):
    server, run = interview
    page.add_init_script(LISTEN)
    open_review(page, server, run)
    page.locator(".card").nth(2).wait_for(state="attached")
    page.wait_for_timeout(4000)
    measure_all(page, "Review", {**MOVES, **SAVES}, record_figure)
    find_text("Random sample check")(page)
    settle(page)
    fill("Sample size (frames)", "28")(page)
    settle(page)
    measure_all(page, "Review", SAMPLE, record_figure)
