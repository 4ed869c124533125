"""Sign off in a browser: audio, drafts, and videos that play whatever they are made of."""

import pytest

from engine import release
from engine.audio.spans import AudioSpan
from engine.masking.presets import PRESETS
from engine.release import SignRequest
from engine.rendering.terms import RenderOptions
from tests import clips
from tests.browser import (
    TIMEOUT_S,
    find_violations,
    make_data_folder,
    open_address,
    running_workbench,
    save_screenshot,
    wait_until_settled,
)
from tests.people_makers import ask_for_no_checks
from tests.workbench.page_actions import LONG_TIMEOUT_MS, find_form, go_to_step
from tests.workbench.run_makers import make_run
from workbench.auth.current_user import require_session
from workbench.core.links import Page, build_address


@pytest.fixture(scope="module")
def shared_server(models, tmp_path_factory):
    """A workbench whose policy asks for no checks; each test has a run of its own."""
    data = make_data_folder(tmp_path_factory.mktemp("signoff"), models)
    data.library.mkdir(parents=True)
    ask_for_no_checks(data)
    with running_workbench(data) as running:
        yield running


@pytest.fixture
def server(shared_server, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(shared_server.data.root))
    return shared_server


@pytest.fixture
def spoken(server, tmp_path):
    return make_run(server.data, clips.b_frames(tmp_path / "talk.mp4", audio=[clips.Audio()]))


def opened(page, server, run, step):
    open_address(page, server.url + build_address(Page.SIGN_OFF, run.id))
    go_to_step(page, step)


def add_span(page, kind, start, end, *, reason):
    """Ask for a span of audio to be replaced."""
    wait_until_settled(page)
    form = find_form(page, "Add span")
    if not form.is_visible():
        page.get_by_text("Mute or bleep a span").click()
    form.get_by_text(kind, exact=True).click()
    form.get_by_label("From (s)").fill(str(start))
    form.get_by_label("To (s)").fill(str(end))
    form.get_by_label("Reason (required)").fill(reason)
    form.get_by_role("button", name="Add span").click()


def sign(page, button):
    find_form(page, button).get_by_role("button", name=button, exact=True).click()
    page.get_by_text("Signed: ").wait_for()
    wait_until_settled(page)


LOUD = """async (audio, [start, stop]) => {
    const data = await (await fetch(audio.src)).arrayBuffer();
    const heard = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(data);
    const rate = heard.sampleRate, part = heard.getChannelData(0).slice(start * rate, stop * rate);
    return Math.sqrt(part.reduce((sum, one) => sum + one * one, 0) / part.length);
}"""
"""Root mean square of what an audio player plays from one second to another."""


def test_spans_of_audio_are_muted_and_bleeped_listened_to_taken_back_and_signed(page, server, spoken):
    opened(page, server, spoken, "3. Style")
    add_span(page, "Tone (bleep)", 0.5, 0.75, reason="a place")
    page.get_by_text("Bleep 0.5 to 0.75 s in all streams: a place").wait_for()
    add_span(page, "Silence (mute)", 0.8, 1.0, reason="a name")
    page.get_by_text("Mute 0.8 to 1 s in all streams: a name").wait_for()
    page.get_by_text("bleep of 0.5-0.75 s and mute of 0.8-1 s; stored without loss").wait_for()
    wait_until_settled(page)
    page.get_by_text("Listen to the audio").click()
    heard = page.locator("audio")
    heard.wait_for()
    assert heard.evaluate(LOUD, [0.85, 0.95]) < 0.001 < heard.evaluate(LOUD, [0.55, 0.7]) * 0.5
    assert abs(heard.evaluate(LOUD, [0.55, 0.7]) - heard.evaluate(LOUD, [0.1, 0.4])) > 0.01, "a bleep is no speech"
    save_screenshot(page, "signoff-audio")
    assert not find_violations(page)
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_text("Bleep 0.5 to 0.75 s in all streams").wait_for(state="detached")
    wait_until_settled(page)
    add_span(page, "Silence (mute)", 0.1, 0.2, reason="")
    page.get_by_text("gives no reason").wait_for()
    go_to_step(page, "4. Sign")
    save_screenshot(page, "signoff-sign")
    assert not find_violations(page)
    sign(page, "Sign as reviewed")
    sign(page, "Approve")
    assert release.read_signed_options(server.data, spoken.id).audio == (AudioSpan("mute", 0.8, 1.0, "a name"),)
    opened(page, server, spoken, "3. Style")
    page.get_by_text("Mute 0.8 to 1 s in all streams: a name").wait_for()


PLAYED = """async (video, seconds) => {
    const until = (event) => new Promise(ready => video.addEventListener(event, ready, { once: true }));
    if (video.readyState < 2) await until("loadeddata");
    const { videoWidth: width, videoHeight: height } = video;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const drawn = canvas.getContext("2d", { willReadFrequently: true }), end = performance.now() + 1000 * seconds;
    let light = 0;
    // A busy browser has the data before it can draw a picture of it; until then it draws nothing.
    while (!light && performance.now() < end) {
        drawn.drawImage(video, 0, 0);
        const { data } = drawn.getImageData(0, 0, width, height);
        light = data.some(Boolean) ? data.reduce((sum, one) => sum + one, 0) / data.length : 0;
        await new Promise(requestAnimationFrame);
    }
    return { width, light };
}"""


REACHED = """(video, seconds) => new Promise(done => {
    const look = () => video.currentTime >= seconds ? done(true) : requestAnimationFrame(look);
    look();
})"""


def pictures_of(page, *labels):
    """What each video of the page shows, as soon as it has a picture."""
    for label in labels:
        page.get_by_label(label, exact=True).wait_for(timeout=LONG_TIMEOUT_MS)
    return [page.get_by_label(label, exact=True).evaluate(PLAYED, TIMEOUT_S) for label in labels]


def test_a_draft_is_made_played_taken_away_as_a_draft_and_removed(page, server, spoken, tmp_path):
    opened(page, server, spoken, "2. Draft")
    page.get_by_role("button", name="Render a draft").click()
    before, after = pictures_of(page, "Source", "Draft")
    assert before["width"] == after["width"] > 0
    (draft,) = release.list_drafts(spoken)
    wait_until_settled(page)
    page.get_by_role("button", name="Play", exact=True).click()
    assert page.get_by_label("Draft", exact=True).evaluate(REACHED, 0.4) is True
    page.get_by_role("button", name="Pause", exact=True).click()
    at = [page.get_by_label(label, exact=True).evaluate("one => one.currentTime") for label in ("Source", "Draft")]
    assert abs(at[0] - at[1]) < 0.1, "both are at the same place"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download draft").click()
    assert download.value.suggested_filename == draft.video.name and ".draft." in draft.video.name
    save_screenshot(page, "signoff-draft")
    assert not find_violations(page)
    page.get_by_role("button", name="Remove draft").click()
    page.get_by_label("Draft", exact=True).wait_for(state="detached")
    assert release.list_drafts(spoken) == ()


SOURCES = {
    "talk.mp4": (["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"], None, "Matroska files"),
    "phone.mov": (
        ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "-c:a", "aac"],
        *2 * ["HEVC pictures"],
    ),
    "old.avi": (["-c:v", "mpeg4", "-c:a", "mp3"], *2 * ["AVI files"]),
    "tape.mts": (["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "ac3"], *2 * ["MPEG-TS files"]),
}
"""By name, how a source is made, and what of it and of its release some browser does not play."""


def released(data, run, **options):
    """A release of a run without a search for faces, which takes models."""
    for meaning in ("reviewed", "approved"):
        release.sign(data, run.id, require_session(), None, SignRequest(meaning, options=RenderOptions(**options)))
    release.release(data, run.id, require_session(), None, release_checks=())


@pytest.mark.parametrize("name", SOURCES)
def test_a_release_plays_beside_its_source_whatever_they_are_made_of(page, server, tmp_path, name):
    words, source, output = SOURCES[name]
    clip = clips.video(tmp_path / "clip.mkv", frames=30, size=(160, 120), audio=[clips.Audio()])
    clips.ffmpeg("-i", clip, *words, tmp_path / name)
    run = make_run(server.data, tmp_path / name)
    span = AudioSpan("mute", 0.2, 0.4, "a name")
    released(server.data, run, audio=(span,) if name == "talk.mp4" else ())
    opened(page, server, run, "5. Release")
    before, after = pictures_of(page, "Source", "Released")
    assert before["width"] == after["width"] == 160
    assert before["light"] > 20 < after["light"], "neither is black"
    notes = page.get_by_text("small copy, because some browsers cannot play")
    told = [one.inner_text() for one in notes.all()]
    assert [one.rpartition(" cannot play ")[2] for one in told] == [why for why in (source, output) if why]
    page.get_by_role("list", name="Downloads").get_by_role(
        "link", name=f"{run.id}{run.source.suffix}", exact=True
    ).wait_for()


def test_a_style_is_chosen_and_signed_with_the_keyboard_alone(page, server, spoken):
    opened(page, server, spoken, "3. Style")
    tab_to(page, page.get_by_role("radio", name="Strong"))
    page.keyboard.press("ArrowDown")
    page.get_by_text("Broadcast (chosen)").wait_for()
    wait_until_settled(page)
    tab_to(page, page.get_by_role("button", name="Continue: Sign"))
    page.keyboard.press("Enter")
    find_form(page, "Sign as reviewed").wait_for()
    wait_until_settled(page)
    for button in ("Sign as reviewed", "Approve"):
        tab_to(page, find_form(page, button).get_by_role("button", name=button, exact=True))
        page.keyboard.press("Enter")
        page.get_by_text(f"Signed: {'reviewed' if button != 'Approve' else 'approved'}").wait_for()
        wait_until_settled(page)
    assert release.read_signed_options(server.data, spoken.id).style == PRESETS["broadcast"].style


def tab_to(page, wanted):
    """Press Tab until an element has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === element.ownerDocument.activeElement"):
            return
    pytest.fail(f"Tab does not lead to {wanted}")
