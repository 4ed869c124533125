"""What a person does in the pages, step by step, for the tests that play a story."""

from contextlib import contextmanager

from tests.browser import TIMEOUT_S, open_window, wait_until_settled
from tests.workbench.accounts import PASSWORDS
from workbench.core.links import Page, build_address

LONG_TIMEOUT_MS = 4 * TIMEOUT_S * 1000
"""Milliseconds that something may take which loads models or renders."""


@contextmanager
def signed_in_window(browser, server, account, path="/"):
    """A window of a browser of their own in which a person has signed in; `list_faults` tells what went wrong in it."""
    with open_window(browser) as page:
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(server.url + path)
        sign_in(page, account, PASSWORDS[account])
        wait_until_settled(page)
        yield page


def open_page(page, name):
    """Go to another page by the navigation."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name).first.wait_for()
    wait_until_settled(page)


def choose_footage(page, name):
    """Choose a video of the library on the Detect page."""
    page.get_by_role("combobox", name="Footage").click()
    page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")


def open_review(page, server, run_id, frame=0, track=None):
    """Open the Review page by its address."""
    page.goto(server.url + build_address(Page.REVIEW, run_id, frame, track))
    wait_until_painted(page, frame)
    wait_until_settled(page)


def wait_until_painted(page, frame):
    """Wait until the canvas shows the still of a frame."""
    page.locator(f'.review[data-frame="{frame}"]').wait_for()


def wait_for_message(page, sentence):
    """Wait until the canvas says something."""
    page.locator(".says", has_text=sentence).first.wait_for()


def drag_box(page, size, box):
    """Drag a box on the still of the canvas; `size` is the video's, `box` in its pixels."""
    (width, height), (left, top, right, bottom) = size, box
    place = page.locator("[data-at=boxes]").bounding_box()
    scale = min(place["width"] / width, place["height"] / height)
    x = place["x"] + (place["width"] - width * scale) / 2
    y = place["y"] + (place["height"] - height * scale) / 2
    page.mouse.move(x + left * scale, y + top * scale)
    page.mouse.down()
    page.mouse.move(x + right * scale, y + bottom * scale, steps=4)
    page.mouse.up()


def add_face(page, size, box, until, reason="missed"):
    """Add a face by dragging, from the frame that is shown to another one."""
    drag_box(page, size, box)
    page.get_by_label("Keep until frame").fill(str(until))
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Save (Enter)").click()


def delete_track(page, track, reason):
    """Delete a whole track that has a box in the frame that is shown."""
    page.locator(f'rect.box[data-track="{track}"]').click()
    page.keyboard.press("x")
    page.get_by_label("Reason").fill(reason)
    page.keyboard.press("Enter")


def find_form(page, button):
    """The form that has a button."""
    return page.get_by_test_id("stForm").filter(has=page.get_by_role("button", name=button, exact=True))


def sign_in(page, account, password):
    """Fill in the form of the sign-in that is shown."""
    page.get_by_label("Account").fill(account)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def go_to_step(page, name):
    """Go to a step of the Sign off page."""
    page.get_by_role("radiogroup", name="Step").get_by_text(name).click()
    wait_until_settled(page)


def sign(page, button, account, reason="", *, below_policy=False):
    """Sign on the Sign off page with one's password."""
    go_to_step(page, "4. Sign")
    form = find_form(page, button)
    if below_policy:
        form.get_by_text("I sign although this was not checked.").click()
    if reason:
        form.get_by_role("textbox", name="Reason").fill(reason)
    confirm_with_password(page, button, account)
    page.get_by_text("Signed: ").wait_for()
    wait_until_settled(page)


def confirm_with_password(page, button, account):
    """Give the password in a form and press its button."""
    form = find_form(page, button)
    form.get_by_label("Password", exact=True).fill(PASSWORDS[account])
    form.get_by_role("button", name=button, exact=True).click()


def judge_finding(page, verdict, reason):
    """Judge the first finding that holds the release up; `verdict` in the words of the page."""
    form = find_form(page, "Judge").first
    form.get_by_text(verdict, exact=True).click()
    form.get_by_label("Reason").fill(reason)
    form.get_by_role("button", name="Judge").click()


def download_file(page, name, folder):
    """Take a file of the newest release away by its link; where it lies then."""
    with page.expect_download() as download:
        page.get_by_role("list", name="Downloads").first.get_by_role("link", name=name, exact=True).click()
    path = folder / name
    download.value.save_as(path)
    return path


def list_faults(page):
    """What went wrong in a window: exceptions in the page, and boxes in which it says that something broke."""
    boxes = [*page.get_by_test_id("stException").all(), *page.get_by_text("Something unexpected happened").all()]
    return page.faults + [box.inner_text() for box in boxes]


_BRIGHTNESS = """video => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [32, 18];
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 32, 18);
    const samples = context.getImageData(0, 0, 32, 18).data;
    return samples.filter((_, index) => index % 4 != 3).reduce((sum, one) => sum + one, 0) / (32 * 18 * 3);
}"""


def measure_brightness(page):
    """Return the mean brightness of the video on the Live page, 0 to 255."""
    return page.frame_locator("iframe[title*=webrtc]").locator("video").evaluate(_BRIGHTNESS)


def wait_for_bright_video(page):
    """Wait until the video on the Live page shows a picture that is not black."""
    for _ in range(LONG_TIMEOUT_MS // 100):
        if measure_brightness(page) > 20:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the picture stayed black")
