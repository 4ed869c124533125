"""The page Live: its states, and a browser whose camera shows a face."""

import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tests.workbench.conftest import CHROMIUM, PASSWORDS, SECONDS, photograph, serving, settled

from engine import access, runs
from engine.record import read
from tests import clips
from workbench.live import Desk, pictures

PAGE = "pages/live.py"


@pytest.fixture
def app(place, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(place.root))
    return AppTest.from_file(PAGE, default_timeout=60)


def button(app, label):
    return next(button for button in app.button if button.label == label)


def test_an_empty_page_offers_sources_and_a_start(app):
    app.run()
    assert not app.exception and not app.error
    assert app.title[0].value == "Live"
    assert app.radio[0].options == ["Camera of this browser", "Camera, stream or file of the server"]
    assert {slider.label for slider in app.slider} == {"Blur", "Confidence"}


@pytest.mark.parametrize(("address", "sentence"), [("", "No source"), ("/no/such.mp4", "does not exist")])
def test_a_source_that_is_none_is_a_sentence_and_the_form_stays(app, address, sentence):
    app.run()
    app.radio[0].set_value("Camera, stream or file of the server").run()
    app.text_input[0].set_value(address).run()
    button(app, "Start").click().run()
    assert not app.exception
    assert sentence in app.error[0].value
    assert button(app, "Start")


def test_whoever_is_not_signed_in_is_told_so(app, place):
    access.add(
        place,
        access.single_user(place),
        account="ana",
        name="Ana",
        roles=("administrator",),
        password=PASSWORDS["ana"],
    )
    app.run()
    assert not app.exception
    assert app.error and not app.button


class Broken:
    """A live run whose preview fails."""

    class preview:  # noqa: N801 - stands for an attribute
        @staticmethod
        def picture(*, unmasked):
            raise ValueError("anything")


def test_an_exception_where_the_picture_is_made_gives_black():
    frame = pictures(Broken())(0, None)
    assert frame.to_ndarray(format="rgb24").max() < 20


def test_one_live_run_a_person(place, tmp_path):
    desk, person = Desk(), access.single_user(place)
    clip = clips.video(tmp_path / "clip.mp4", frames=500)
    from engine.live.controls import Look

    live = desk.begin(place, str(clip), person, Look())
    try:
        with pytest.raises(Exception, match="goes on still"):
            desk.begin(place, str(clip), person, Look())
        assert desk.of(person.account) is live
    finally:
        live.stop(SECONDS)
    desk.clear(person.account)
    assert desk.of(person.account) is None


# a browser


@pytest.fixture(scope="module")
def camera(carphone, tmp_path_factory):
    """What a camera of 640x480 sees: a man talking in a car."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    clips.ffmpeg(
        "-i", carphone, "-vf", "scale=640:480:flags=lanczos,fps=15", "-c:v", "mjpeg", "-q:v", "3",
        "-pix_fmt", "yuvj420p", path,
    )  # fmt: skip
    return path


@pytest.fixture
def window(camera):
    """A browser with that camera."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "Chromium is not installed: apt-get install chromium"
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*CHROMIUM, *fake, f"--use-file-for-fake-video-capture={camera}"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(SECONDS * 1000)
        yield page
        browser.close()


def looked_at(page, patience, until):
    """Pictures of the video on the page, RGB, until one is as it should be."""
    video = page.frame_locator("iframe[title*=webrtc]").locator("video")
    end = time.monotonic() + patience
    while time.monotonic() < end:
        width = video.evaluate("video => video.videoWidth")
        data = np.frombuffer(video.screenshot(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        if width and until(picture):
            return picture
        page.wait_for_timeout(100)
    pytest.fail("the picture never came")


def shows_something(picture):
    return picture.mean() > 30


def faces(models, picture):
    """How many clear faces a detector sees that has no part in a live run."""
    from tests.engine.detectors.looking import look, pool

    with pool("centerface", models, threshold=0.5) as crew:
        return len(look(crew, picture)[0])


def slide(page, label, keys):
    handle = page.get_by_role("slider", name=label)
    handle.focus()
    for key in keys:
        handle.press(key)


def test_a_camera_that_shows_a_face_comes_back_masked(window, place, camera):
    seen = cv2.VideoCapture(str(camera)).read()[1][..., ::-1]
    assert faces(place.models, np.ascontiguousarray(seen)) == 1, "the camera shows a face"
    with serving(place) as server:
        window.goto(f"{server.url}/live")
        settled(window)
        photograph(window, "live-empty")
        window.get_by_role("button", name="Start", exact=True).click()
        first = looked_at(window, 120, shows_something)
        assert faces(place.models, first) == 0
        slide(window, "Blur", ["ArrowRight"] * 4)
        window.get_by_text("3.00").wait_for()
        coarser = looked_at(window, 60, shows_something)
        assert faces(place.models, coarser) == 0
        photograph(window, "live-running")
        libraries = Path(f"/proc/{server.pid}/maps").read_text()
        assert "libav" in libraries, "this is the process that serves"
        assert not [name for name in ("tensorflow", "torch", "onnxruntime", "openvino") if name in libraries]
        window.get_by_role("button", name="Cover everything").click()
        window.get_by_role("button", name="Show the picture again").wait_for()
        looked_at(window, 30, lambda picture: picture.max() < 40)
        window.get_by_role("button", name="Stop and keep the record").click()
        window.get_by_text("The live run has ended").wait_for()
        photograph(window, "live-ended")
    [run] = runs.register(place).runs
    assert (run.status, run.request.detection.mode) == ("done", "live")
    record = read(run.folder.record)
    assert any(face.evidence for frame in record.frames for face in frame.faces)
    looks = (run.folder.path / "detections.jsonl").read_text()
    assert '"strength":3.0' in looks and '"cover_all":true' in looks
