"""The page Live: its states, and a browser whose camera shows a face."""

import base64
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from streamlit.testing.v1 import AppTest

from engine import access, audit, runs
from engine.access.live_sources import set_live_source
from engine.live.controls import LiveControlsState
from engine.live.counters import LiveCounters
from engine.media.stream.live_preview import LivePreview
from engine.media.stream.normalise import frame_from_rgb
from engine.record import read_record
from tests import clips
from tests.browser import (
    TIMEOUT_S,
    find_violations,
    make_data_folder,
    running_workbench,
    save_screenshot,
    wait_until_settled,
)
from tests.crashing_reader import find_children
from tests.repository import PAGES
from tests.workbench.page_actions import LONG_TIMEOUT_MS
from workbench.views.live.live_runs import LiveRunTable, build_picture_source, note_small_looks

PAGE = PAGES / "live.py"


@pytest.fixture
def app(data_folder, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(data_folder.root))
    return AppTest.from_file(PAGE, default_timeout=60)


def button(app, label):
    return next(button for button in app.button if button.label == label)


def test_an_empty_page_offers_sources_and_a_start(app):
    app.run()
    assert not app.exception and not app.error
    assert app.title[0].value == "Live"
    assert app.radio[0].options[:2] == ["Camera of this browser", "Camera, stream or file on the server"]
    assert {slider.label for slider in app.slider} == {"Blur", "Confidence"}
    looks = next(box for box in app.selectbox if box.label == "Size of the looks")
    assert looks.value == "Automatic"
    assert looks.options == ["Automatic", *(f"{side} pixels" for side in (640, 512, 416, 320, 256))]


@pytest.mark.parametrize(("address", "sentence"), [("", "No source"), ("/no/such.mp4", "does not exist")])
def test_a_source_that_is_none_is_a_sentence_and_the_form_stays(app, address, sentence):
    app.run()
    app.radio[0].set_value("Camera, stream or file on the server").run()
    app.text_input[0].set_value(address).run()
    button(app, "Start").click().run()
    assert not app.exception
    assert sentence in app.error[0].value
    assert button(app, "Start")


def test_where_sources_are_listed_a_person_chooses_a_name(app, data_folder, tmp_path):
    clips.video(tmp_path / "a.mp4", frames=2)
    jane = access.get_single_user(data_folder)
    set_live_source(data_folder, jane, "Room 3", "rtsp://veil:secret@10.0.0.7/main")
    set_live_source(data_folder, jane, "Incoming", str(tmp_path))
    app.run()
    app.radio[0].set_value("Camera, stream or file on the server").run()
    assert not app.text_input
    (sources,) = (box for box in app.selectbox if box.label == "Source")
    assert sources.options == ["Room 3", "Incoming: a.mp4"]
    assert not any("secret" in str(element) for element in app.main)


class Broken:
    """A live run whose preview fails."""

    class preview:  # noqa: N801 - stands for an attribute
        @staticmethod
        def picture(*, unmasked):
            raise ValueError("anything")


def test_an_exception_where_the_picture_is_made_gives_black():
    frame = build_picture_source(Broken())(0, None)
    assert frame.to_ndarray(format="rgb24").max() < 20


class Busy:
    """A live run on a machine that looks at small pictures."""

    phase = "running"
    controls = SimpleNamespace(state=LiveControlsState())
    progress = SimpleNamespace(counters=LiveCounters(smallest_face_px=180))

    def __init__(self):
        self.preview = LivePreview()
        self.preview.add_output_frame(frame_from_rgb(np.full((360, 640, 3), 200, np.uint8)))


def test_the_picture_says_which_faces_may_not_be_found_while_looks_are_small():
    live = Busy()
    assert note_small_looks(live) == "Faces under 180 pixels may not be found"
    noted = build_picture_source(live)(0, None).to_ndarray(format="gray")
    assert noted[:300].min() > 150
    assert noted[-20:].min() < 100
    live.progress = SimpleNamespace(counters=LiveCounters())
    assert build_picture_source(live)(0, None).to_ndarray(format="gray").min() > 150


def test_one_live_run_a_person(data_folder, tmp_path):
    desk, person = LiveRunTable(), access.get_single_user(data_folder)
    clip = clips.video(tmp_path / "clip.mp4", frames=500)
    live = desk.start_run(data_folder, str(clip), person, LiveControlsState())
    try:
        with pytest.raises(Exception, match="in progress"):
            desk.start_run(data_folder, str(clip), person, LiveControlsState())
        assert desk.find_run(person.account) is live
    finally:
        live.stop()
        live.join(TIMEOUT_S)
    desk.remove_ended(person.account)
    assert desk.find_run(person.account) is None


# a browser


@pytest.fixture(scope="module")
def camera(carphone, tmp_path_factory):
    """What a camera sees: a man talking in a car. Its pictures are small and few, as both ends encode by software."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    clips.ffmpeg("-i", carphone, "-vf", clips.SMALL_AND_FEW, "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    """A workbench with a single user."""
    with running_workbench(make_data_folder(tmp_path_factory.mktemp("live"), models)) as running:
        yield running


@pytest.fixture
def window(camera, launch_browser):
    """A browser with that camera."""
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    browser = launch_browser(*fake, f"--use-file-for-fake-video-capture={camera}")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(TIMEOUT_S * 1000)
    yield page
    browser.close()


PIXELS = """video => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth || 1, video.videoHeight || 1];
    canvas.getContext("2d").drawImage(video, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
}"""


def looked_at(page, patience, until):
    """Pictures of the video on the page, RGB, until one is as it should be."""
    video = page.frame_locator("iframe[title*=webrtc]").locator("video")
    end = time.monotonic() + patience
    while time.monotonic() < end:
        data = np.frombuffer(base64.b64decode(video.evaluate(PIXELS)), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        if until(picture):
            return picture
        page.wait_for_timeout(50)
    pytest.fail(f"the picture never came; the last one was {picture.shape}, brightness {picture.mean():.0f}")


def black(picture):
    return picture.shape[0] > 1 and picture.mean() < 8


def likeness(picture, other):
    """How much two pictures look alike from afar, 1 for the same."""
    small = [cv2.resize(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (40, 30)).ravel() for one in (picture, other)]
    return float(np.corrcoef(small)[0, 1]) if small[0].std() > 5 else 0.0


@pytest.fixture(scope="module")
def count_faces(models):
    """Counts the clear faces in a picture by a detector that has no part in a live run."""
    from tests.engine.detectors.worker_pools import look, pool

    with pool("centerface", models, threshold=0.5) as crew:
        yield lambda picture: len(look(crew, picture)[0])


def slide(page, label, keys):
    handle = page.get_by_role("slider", name=label)
    handle.focus()
    for key in keys:
        handle.press(key)


def begin_with_code_that_comes_late(page):
    """Press Start; what makes the connection loads only once the page stands still, as on a busy machine."""
    held, code = [], "**/adapter_core*"

    def hold(route):  # Playwright cannot look into a list's own method
        held.append(route)

    page.route(code, hold)
    with page.expect_request(code):
        page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Frames per second").wait_for()
    wait_until_settled(page)
    held[0].continue_()


def test_a_camera_that_shows_a_face_comes_back_masked(window, server, camera, count_faces):
    seen = np.ascontiguousarray(cv2.VideoCapture(str(camera)).read()[1][..., ::-1])
    assert count_faces(seen) == 1, "the camera shows a face"

    def shows_the_car(picture):
        return likeness(picture, seen) > 0.6

    window.goto(f"{server.url}/live")
    wait_until_settled(window)
    save_screenshot(window, "live-empty")
    assert not find_violations(window)
    begin_with_code_that_comes_late(window)
    first = looked_at(window, 120, shows_the_car)
    assert count_faces(first) == 0
    slide(window, "Blur", ["ArrowRight"] * 4)
    window.get_by_text("3.00").wait_for()
    coarser = looked_at(window, 60, shows_the_car)
    assert count_faces(coarser) == 0
    save_screenshot(window, "live-running")
    assert not find_violations(window)
    libraries = Path(f"/proc/{server.pid}/maps").read_text()
    assert "libav" in libraries, "this is the process that serves"
    assert not [name for name in ("tensorflow", "torch", "onnxruntime", "openvino") if name in libraries]
    assert find_children("decoder_process", server.pid), "the camera is decoded there"
    window.get_by_text("Raw view", exact=True).click()
    window.get_by_text("faces are visible here").wait_for()
    looked_at(window, 30, lambda picture: shows_the_car(picture) and count_faces(picture) == 1)
    window.get_by_text("Raw view", exact=True).click()
    window.get_by_text("faces are visible here").wait_for(state="detached")
    masked_again = looked_at(window, 60, lambda picture: shows_the_car(picture) and count_faces(picture) == 0)
    assert masked_again.shape == first.shape
    window.get_by_role("button", name="Mask everything").click()
    window.get_by_role("button", name="Show the picture again").wait_for()
    looked_at(window, 30, black)
    window.get_by_role("button", name="Stop and save").click()
    window.get_by_text("The live run has ended").wait_for()
    save_screenshot(window, "live-ended")
    run, *_ = runs.read_register(server.data).runs
    views = audit.read_entries(server.data.audit, run=run.id, kinds=["view"])
    assert [entry.details["unmasked"] for entry in views] == [True]
    assert (run.status, run.request.detection.mode) == ("done", "live")
    record = read_record(run.folder.record)
    assert any(face.evidence for frame in record.frames for face in frame.faces)
    looks = (run.folder.path / "detections.jsonl").read_text()
    assert '"strength":3.0' in looks and '"cover_all":true' in looks


def test_a_file_of_the_server_goes_on_through_a_reload(page, server, camera, count_faces, tmp_path):
    clip = tmp_path / "drive.mp4"
    clips.repeated(clip, camera, 30)
    page.goto(f"{server.url}/live")
    wait_until_settled(page)
    page.get_by_text("Camera, stream or file on the server").click()
    page.get_by_role("textbox", name="Address or path").fill(str(clip))
    page.get_by_role("textbox", name="Address or path").press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()
    looked_at(page, 120, lambda picture: picture.mean() > 20)
    page.reload()
    wait_until_settled(page)
    picture = looked_at(page, 60, lambda picture: picture.mean() > 20)
    assert count_faces(picture) == 0
    page.get_by_role("button", name="Stop and save").click()
    page.get_by_text("The live run has ended").wait_for()
    shown = page.get_by_label("Recording", exact=True)
    shown.wait_for(timeout=LONG_TIMEOUT_MS)
    shown.evaluate("async video => { while (!video.videoWidth) await new Promise(requestAnimationFrame); }")
    with page.expect_download() as download:
        page.get_by_role("link", name="live.mkv").click()
    assert download.value.suggested_filename == "live.mkv"
    assert not find_violations(page)
    run, *_ = runs.read_register(server.data).runs
    assert (run.status, run.source) == ("done", clip)
    [taken] = audit.read_entries(server.data.audit, run=run.id, kinds=["download"])
    assert taken.details["file"] == "live.mkv"


def test_a_video_of_the_library_is_offered(app, data_folder):
    data_folder.library.mkdir()
    clips.video(data_folder.library / "ward.mp4")
    app.run()
    app.radio[0].set_value("Video from the library").run()
    assert app.selectbox(key="live-video").options == ["ward.mp4"]
    button(app, "Start").click().run()
    assert "No source was given" in app.error[0].value


def test_a_camera_that_never_sends_ends_with_what_to_do(page, server):
    page.goto(f"{server.url}/live")
    wait_until_settled(page)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("allow this page to use the camera").wait_for()
    # The page is still being drawn, and a click on what moves under the pointer is none; a person presses again.
    stop, told = page.get_by_role("button", name="Stop and save"), page.get_by_text("check that a camera is connected")
    for _ in range(TIMEOUT_S):
        with suppress(PlaywrightTimeout):
            if stop.is_visible():
                stop.click(timeout=2000)
        if told.is_visible():
            break
        page.wait_for_timeout(1000)
    told.wait_for()
