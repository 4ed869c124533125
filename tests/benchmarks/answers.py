"""Measure how long a control of a page takes to answer: until something that can be seen changes."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from typing import NamedTuple

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browser import open_address, wait_until_settled

LIMIT_MS = 200
LONGEST_WAIT_MS = 6000
PRESSES = 5

WATCH = """() => {
  const roots = [document.body];
  const collect = (root) => root.querySelectorAll("*").forEach((one) => {
    if (one.shadowRoot) { roots.push(one.shadowRoot); collect(one.shadowRoot); }
  });
  collect(document);
  const answer = window.veilAnswer = {began: null, answered: null};
  const own = new Set([
    "data-test-script-state", "data-stale", "data-test-connection-state", "data-latency", "data-preview-latency",
    "tabindex",
  ]);
  const isDrawn = (one) => one?.getBoundingClientRect?.().width > 0;
  const seen = ({attributeName, target, addedNodes}) => {
    const one = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
    // What has changed in a shadow root is of the canvas, which shows its state by classes.
    if (target.getRootNode() !== document) return !own.has(attributeName);
    if (!one || one.closest("header") || attributeName === "class" || own.has(attributeName)) return false;
    // What lies over the page, such as a tooltip, is added to a box without a size.
    const parts = [...addedNodes].flatMap((added) => [added, ...added.querySelectorAll?.("*") ?? []]);
    return [one, ...parts].some(isDrawn);
  };
  const settle = () => {
    observer.disconnect();
    requestAnimationFrame(() => { answer.answered = performance.now() - answer.began; });
  };
  const observer = new MutationObserver((changes) => {
    if (answer.began !== null && changes.some(seen)) settle();
  });
  const what = {subtree: true, childList: true, attributes: true, characterData: true};
  roots.forEach((root) => observer.observe(root, what));
  answer.begin = (event) => {
    answer.began ??= event?.timeStamp ?? performance.now();
  };
  answer.end = () => observer.disconnect();
}"""
"""Watches for the first change that can be seen after `veilAnswer.begin` was called."""

LISTEN = """for (const kind of ["pointerdown", "keydown"]) {
  window.addEventListener(kind, (event) => window.veilAnswer?.begin(event), true);
}"""
"""Has what is watched begin with a press of a key or a pointer. It comes first: the canvas keeps its keys to itself."""

WATCH_INPUT = """text => {
  const answer = window.veilAnswer;
  const app = document.querySelector(".stApp");
  let ran = false;
  const check = () => {
    if (answer.began === null) return;
    const running = app.dataset.testScriptState === "running";
    ran ||= running;
    const shown = text ? document.body.innerText.includes(text) : ran && !running;
    if (!shown) return;
    observer.disconnect();
    requestAnimationFrame(() => { answer.followed = performance.now() - answer.began; });
  };
  const observer = new MutationObserver(check);
  observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}"""
"""Tells when the page has followed what began: it shows a text, or its script has run."""

WATCH_SIGN = """sign => {
  const answer = window.veilAnswer;
  answer.end();
  const canvas = [...document.querySelectorAll("*")].find((one) => one.shadowRoot?.querySelector(".review"));
  const holds = eval(sign);
  const check = (now) => {
    if (answer.began !== null && holds(canvas.shadowRoot)) answer.answered = now - answer.began;
    else requestAnimationFrame(check);
  };
  requestAnimationFrame(check);
}"""
"""Takes what a function says of the canvas of Review for the answer, where another change would come before it."""


class Control(NamedTuple):
    """Something that a person does.

    Attributes:
        act: does it.
        prepare: what comes before, such as opening a list.
        text: shows that the page has followed; empty: the script of the page has run.
        restore: what comes after, such as closing a form.
        sign: function in JavaScript that says of the root of the canvas whether it has answered; empty: by any change.
        is_local: True if the browser answers by itself, and no script of the page follows.
    """

    act: Callable[[Page], None]
    prepare: Callable[[Page], None] = lambda _page: None
    text: str = ""
    restore: Callable[[Page], None] = lambda _page: None
    sign: str = ""
    is_local: bool = False


def open_list(label):
    def open_it(page):
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option").first.wait_for()

    return open_it


def pick(name):
    return lambda page: page.get_by_role("option", name=name).first.click()


def press_key(label, key="ArrowRight"):
    return lambda page: page.get_by_test_id("stSlider").filter(has_text=label).get_by_role("slider").first.press(key)


def click_text(role, name):
    return lambda page: page.get_by_role(role, name=name).first.click()


def arrive(page, address, act):
    """Load a page and wait until nothing happens any more."""
    page.add_init_script(LISTEN)
    open_address(page, address)
    if "/review" in address:
        page.locator(".review[data-frame]").wait_for()
    if act is not None:
        act(page)
        wait_until_settled(page)
    page.wait_for_timeout(700)


MAX_ESCAPES = 20


def close_what_is_open(page):
    """Close lists and dialogs, which would lie over what comes next; the help of Review is one that is hidden."""
    page.keyboard.press("Escape")
    for _ in range(MAX_ESCAPES):
        if not page.locator("[role=dialog]:visible").count():
            break
        page.wait_for_timeout(100)
        page.keyboard.press("Escape")
    else:
        page.reload()
    wait_until_settled(page)


def wait_for_answer(page):
    """Return the milliseconds from the beginning until something changes; the longest time if nothing does."""
    try:
        page.wait_for_function("() => window.veilAnswer.answered !== null", timeout=LONGEST_WAIT_MS)
    except PlaywrightTimeoutError:
        return LONGEST_WAIT_MS
    finally:
        page.evaluate("() => window.veilAnswer.end()")
    return page.evaluate("() => window.veilAnswer.answered")


def measure(page, control, rest_ms=1200):
    """Do what a control is for, and return the milliseconds until it answers and until the page has followed."""
    control.prepare(page)
    page.wait_for_timeout(rest_ms)
    page.evaluate(WATCH)
    page.evaluate(WATCH_INPUT, control.text)
    if control.sign:
        page.evaluate(WATCH_SIGN, control.sign)
    control.act(page)
    answered = wait_for_answer(page)
    if not control.is_local:
        with suppress(PlaywrightTimeoutError):
            # A browser that is held up may show the end of a script without its beginning.
            page.wait_for_function("() => window.veilAnswer.followed !== undefined", timeout=LONGEST_WAIT_MS)
    followed = page.evaluate("window.veilAnswer.followed ?? null")
    control.restore(page)
    return answered, answered if followed is None else followed


def keys(*names):
    def press(page):
        for name in names:
            page.keyboard.press(name)
            page.wait_for_timeout(60)

    return press


def typed(text):
    return lambda page: page.keyboard.type(text)


def steps(*acts):
    def act(page):
        for one in acts:
            one(page)
            page.wait_for_timeout(150)

    return act


def settle(page):
    page.wait_for_timeout(200)
    wait_until_settled(page)


def find_text(name):
    return lambda page: page.get_by_text(name, exact=True).first.click()


def find_button(name):
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def fill(label, *texts):
    """Fill in a field, named by its label or by a pattern of it, with another text each time, and leave it."""
    turns = {}

    def act(page):
        turns[label] = turns.get(label, -1) + 1
        field = page.get_by_label(label, exact=True).first
        field.fill(texts[turns[label] % len(texts)])
        field.press("Enter")

    return act


def local(act, prepare=lambda _page: None, restore=lambda _page: None, sign=""):
    return Control(act, prepare, restore=restore, sign=sign, is_local=True)


def measure_all(page, place, controls, record_figure, presses=PRESSES):
    """Press each control several times and record the medians.

    $VEIL_CONTROLS, a regular expression, restricts what is measured.
    """
    wanted = re.compile(os.environ.get("VEIL_CONTROLS", ""))
    for name, control in controls.items():
        if wanted.search(f"{place}: {name}"):
            both = [measure(page, control, rest_ms=700) for _ in range(presses)]
            answered, followed = (median(times) for times in zip(*both, strict=True))
            record_figure(f"{place}: {name}", answered, "ms", LIMIT_MS)
            if not control.is_local:
                record_figure(f"{place}: {name}, until all of it is shown", followed, "ms")
