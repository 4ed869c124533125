"""The page Detect in its states, and its story in a browser."""

import io
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import audit, runs
from engine.access import Person, get_single_user
from engine.detectors.registry import local_detector_names
from engine.errors import AccessError, InputError
from engine.jobs.cases import read_case
from engine.jobs.library import import_video, list_library
from engine.runs import RunState
from tests import clips
from tests.browser import TIMEOUT_S, open_address, save_screenshot, wait_until_settled
from tests.queue_holder import hold_queue
from tests.repository import PAGES
from tests.workbench.page_actions import choose_footage
from tests.workbench.run_states import make_run_in_state, make_runs_in_every_state
from workbench.views.detect.footage_picker import find_folders

PAGE = PAGES / "detect.py"


@pytest.fixture
def app(data_folder, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(data_folder.root))
    return AppTest.from_file(PAGE, default_timeout=60)


@pytest.fixture
def clip(data_folder):
    data_folder.library.mkdir()
    audio = [clips.Audio(), clips.Audio()]
    return clips.video(data_folder.library / "ward_1.mp4", frames=30, audio=audio, options=["-metadata", "title=Name"])


def button(app, label):
    return next(button for button in app.button if button.label == label)


def plain(text):
    """Text without the signs that keep Markdown from taking it for its own."""
    return text.replace("\\", "")


def read_texts(app):
    return " ".join(element.value for kind in (app.markdown, app.caption, app.error, app.warning) for element in kind)


def test_an_empty_library_says_where_to_put_videos(app, data_folder):
    app.run()
    assert not app.exception
    assert str(data_folder.library) in plain(read_texts(app))
    assert button(app, "Try the sample clip")
    assert button(app, "Start").disabled
    assert "No runs yet." in read_texts(app)


def test_a_chosen_video_is_explained_and_started(app, data_folder, clip):
    app.run()
    app.multiselect[0].set_value(["ward_1.mp4"]).run()
    assert not app.exception
    assert "2 audio streams kept unchanged" in read_texts(app)
    assert "about " in read_texts(app)
    assert app.expander[1].label.startswith("Dropped: title")
    assert "technical tags" in app.expander[1].label and "major_brand" not in app.expander[1].label
    table = app.table[0].value
    assert set(table["result"]) == {"rendered", "copied", "dropped"}
    # Nobody is to work on it while the test looks at it.
    with hold_queue(data_folder):
        button(app, "Start 1 run").click().run()
    assert not app.exception
    (run,) = runs.read_register(data_folder).runs
    assert (run.status, run.source, run.request.detection.mode) == ("queued", clip, "on-prem")
    assert run.request.source_sha256
    assert [entry.kind for entry in audit.read_entries(data_folder.audit)] == ["run"]


def test_cloud_says_what_leaves_and_refuses_what_costs_too_much(app, clip, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    app.run()
    app.radio[0].set_value("cloud").run()
    app.multiselect[0].set_value(["ward_1.mp4"]).run()
    assert "30 frames leave this machine" in read_texts(app)
    assert "No AWS credentials were found" in read_texts(app)
    most = next(field for field in app.number_input if field.label.startswith("Cost limit"))
    most.set_value(0.01).run()
    assert "cost more than" in plain(app.error[0].value)
    assert button(app, "Start").disabled


def test_a_file_that_is_no_video_is_a_sentence(app, data_folder):
    data_folder.library.mkdir()
    (data_folder.library / "broken.mp4").write_bytes(b"nothing")
    app.run()
    app.multiselect[0].set_value(["broken.mp4"]).run()
    assert not app.exception
    assert "broken.mp4" in plain(app.error[0].value)
    assert button(app, "Start").disabled
    button(app, "Remove broken.mp4 from the library").click().run()
    assert not app.exception and not (data_folder.library / "broken.mp4").exists()


def test_runs_in_every_state_are_shown_with_a_way_out(app, data_folder):
    make_runs_in_every_state(data_folder)
    with hold_queue(data_folder):
        app.run()
    assert not app.exception
    assert (
        "12,340 of 27,000 frames · 18.4 frames/s · 13 min left · 11,902 detections so far"
        in app.get("progress")[0].proto.text
    )
    assert "gone.mp4 is missing. Put it back" in plain(read_texts(app))
    assert "veil/run-state/9" in plain(app.warning[0].value)
    labels = [button.label for button in app.button]
    assert labels.count("Resume") == 3
    assert labels.count("Cancel") == 2


def test_cancel_and_resume(app, data_folder, clip):
    run = make_run_in_state(data_folder, "queued", clip)
    with hold_queue(data_folder):
        app.run()
        button(app, "Cancel").click().run()
        assert runs.load_run(data_folder, run.id).status == "cancelled"
        button(app, "Resume").click().run()
        assert runs.load_run(data_folder, run.id).status == "queued"
    assert not app.exception


def test_all_that_wait_are_cancelled_after_a_confirmation(app, data_folder, clip):
    waiting = [make_run_in_state(data_folder, "queued", clip) for _ in range(3)]
    with hold_queue(data_folder):
        app.run()
        assert "3 runs of all people will not start" in read_texts(app)
        button(app, "Cancel 3 waiting runs").click().run()
        assert {runs.load_run(data_folder, run.id).status for run in waiting} == {"cancelled"}
        assert not [one for one in app.button if "waiting" in one.label]
    assert not app.exception


def test_many_runs_are_shown_page_by_page(app, data_folder):
    for number in range(12):
        make_run_in_state(data_folder, "done", f"/footage/{number}.mp4", done=1, total=1)
    app.run()
    assert not app.exception
    assert button(app, "Show 4 more of 12").click().run()
    assert not [one for one in app.button if one.label.startswith("Show ")]


def test_what_cannot_be_taken_in_takes_nothing_else_with_it(app, data_folder, clip):
    app.run()
    app.multiselect[0].set_value(["ward_1.mp4"]).run()
    app.file_uploader[0].set_value([("gait.mp4", b"film", "video/mp4"), ("notes.txt", b"notes", "text/plain")]).run()
    assert not app.exception
    assert "notes.txt" in plain(app.error[0].value)
    assert set(app.multiselect[0].value) == {"ward_1.mp4", "gait.mp4"}
    app.radio[0].set_value("hybrid").run()
    assert {footage.name for footage in list_library(data_folder)} == {"ward_1.mp4", "gait.mp4"}


def test_a_chosen_video_that_is_taken_away_is_not_chosen_any_more(app, clip):
    app.run()
    app.multiselect[0].set_value(["ward_1.mp4"]).run()
    clip.unlink()
    app.run()
    assert not app.exception
    assert button(app, "Start").disabled


def test_several_videos_are_added_up(app, data_folder, clip):
    (data_folder.library / "ward_2.mp4").write_bytes(clip.read_bytes())
    app.run()
    app.radio[0].set_value("cloud").run()
    app.multiselect[0].set_value(["ward_1.mp4", "ward_2.mp4"]).run()
    assert "**Total for 2 videos** · 60 frames leave this machine, USD 0.060" in read_texts(app)
    with hold_queue(data_folder):
        button(app, "Start 2 runs in the cloud").click().run()
        assert runs.read_register(data_folder).runs == (), "it asks first"
        button(app, "Send and start").click().run()
    assert [run.status for run in runs.read_register(data_folder).runs] == ["queued", "queued"]


def test_a_folder_is_chosen_and_started_in_one_action_with_a_summary(app, data_folder, clip):
    ward = data_folder.library / "ward"
    ward.mkdir()
    for number in range(6):
        (ward / f"{number}.mp4").write_bytes(clip.read_bytes())
    app.run()
    folders = next(one for one in app.selectbox if one.label == "Add a folder")
    assert folders.options == ["Whole library (7 videos)", "ward (6 videos)"]
    folders.set_value("ward").run()
    assert app.multiselect[0].value == [f"ward/{number}.mp4" for number in range(6)]
    assert list(app.dataframe[0].value["frames"]) == [30] * 6
    next(one for one in app.selectbox if one.label == "Priority").set_value("low").run()
    with hold_queue(data_folder):
        button(app, "Start 6 runs").click().run()
        assert not app.exception
        made = sorted(runs.read_register(data_folder).runs, key=lambda run: run.source, reverse=True)
        assert len({run.request.group for run in made}) == 1
        assert {read_case(run).priority for run in made} == {"low"}
        runs.write_state(made[0].folder, RunState(stage="failed", sentence="It is broken.", updated=made[0].request.at))
        app.run()
        assert "6 runs started together" in read_texts(app)
        assert "1 of 6 ended: 5 queued, 1 failed" in app.get("progress")[0].proto.text
        assert "5.mp4: It is broken." in plain(read_texts(app))
        button(app, "Cancel 5 runs").click().run()
    assert not app.exception
    assert {run.status for run in runs.read_register(data_folder).runs} == {"failed", "cancelled"}


def test_folders_hold_those_below_them():
    assert find_folders(["a/b/1.mp4", "a/2.mp4", "c/3.mp4"]) == {
        "": ["a/2.mp4", "a/b/1.mp4", "c/3.mp4"],
        "a": ["a/2.mp4", "a/b/1.mp4"],
    }


def test_without_models_nothing_is_started(app, data_folder, clip):
    (data_folder.root / "models").unlink()
    app.run()
    app.multiselect[0].set_value(["ward_1.mp4"]).run()
    assert "veil models fetch" in app.error[0].value
    assert button(app, "Start 1 run").disabled


def test_every_detector_is_started_by_itself_in_one_click(app, data_folder, clip):
    app.run()
    app.multiselect[0].set_value([clip.name]).run()
    with hold_queue(data_folder):
        button(app, "Run with all detectors").click().run()
    assert not app.exception
    started = {run.request.detection.detectors for run in runs.read_register(data_folder).runs}
    assert started == {(name,) for name in local_detector_names()}


def test_a_mode_without_its_usual_detectors(app, clip):
    app.run()
    app.radio[0].set_value("cloud").run()
    app.multiselect[0].set_value(["ward_1.mp4"]).run()
    detectors = next(field for field in app.multiselect if field.label == "Detectors")
    detectors.set_value(["centerface"]).run()
    assert not app.exception
    assert "leave this machine" not in read_texts(app)
    assert not button(app, "Start 1 run").disabled


def test_what_is_uploaded_gets_a_safe_name_of_its_own(data_folder):
    ana = get_single_user(data_folder)
    names = ["../../etc/passwd.mp4", "C:\\clips\\Täglich*?.MOV", "passwd.mp4", ".mp4"]
    taken = [import_video(data_folder, ana, name, io.BytesIO(f"film {n}".encode())) for n, name in enumerate(names)]
    assert [path.name for path in taken] == ["passwd.mp4", "Täglich_.mov", "passwd (2).mp4", "video.mp4"]
    assert {path.parent for path in taken} == {data_folder.library}
    assert len(list_library(data_folder)) == 4
    assert all("source" in entry.subjects for entry in audit.read_entries(data_folder.audit, kinds=["ingest"]))
    with pytest.raises(InputError, match="not called like a video"):
        import_video(data_folder, ana, "notes.txt", io.BytesIO())
    with pytest.raises(AccessError):
        import_video(data_folder, Person("ben", "Ben", (), "account"), "a.mp4", io.BytesIO())


def test_what_is_in_the_library_is_not_taken_in_twice(data_folder):
    ana = get_single_user(data_folder)
    first = import_video(data_folder, ana, "a.mp4", io.BytesIO(b"film"))
    assert import_video(data_folder, ana, "b.mp4", io.BytesIO(b"film")) == first
    assert import_video(data_folder, ana, "c.mp4", io.BytesIO(b"foil")) != first
    (data_folder.library / ".veil-1").mkdir()
    (data_folder.library / ".veil-1" / "half.mp4").write_bytes(b"fi")
    assert [footage.name for footage in list_library(data_folder)] == ["c.mp4", "a.mp4"]
    assert len(list(audit.read_entries(data_folder.audit, kinds=["ingest"]))) == 3


def test_open_detect_watch_reload_done(workbench, talk_in, page):
    open_address(page, f"{workbench.url}/detect")
    choose_footage(page, "talk.mp4")
    page.get_by_role("button", name="Start 1 run").click()
    page.get_by_text("running", exact=False).first.wait_for()
    page.get_by_text("Detecting faces").wait_for(timeout=4 * TIMEOUT_S * 1000)
    page.get_by_alt_text("Masked frame of talk.mp4").wait_for()
    save_screenshot(page, "detect-running")
    page.reload()
    wait_until_settled(page)
    page.get_by_text(re.compile(r"240 frames · \d+ detections")).wait_for(timeout=4 * TIMEOUT_S * 1000)
    (run,) = (run for run in runs.read_register(workbench.data).runs if run.title == "talk.mp4")
    assert run.status == "done"
    picture = page.get_by_role("img", name="Masked frame of talk.mp4")
    assert picture.count() == 1, "a run that is done is known by its picture"
    loaded = Path(f"/proc/{workbench.pid}/maps").read_text()
    assert "streamlit" in loaded or "pyarrow" in loaded
    assert [name for name in ("torch", "tensorflow", "mediapipe", "onnxruntime", "openvino") if name in loaded] == []


@pytest.fixture
def talk_in(workbench, carphone):
    """The clip `talk.mp4` in the library of the server, long enough to be watched while its faces are found."""
    workbench.data.library.mkdir(exist_ok=True)
    return clips.repeated(workbench.data.library / "talk.mp4", carphone, 2, filters="scale=704:576:flags=lanczos")


def test_no_state_of_one_run_is_taken_for_another(data_folder):
    first, second = (make_run_in_state(data_folder, "queued", f"/{name}.mp4") for name in "ab")
    runs.write_state(first.folder, RunState(stage="done", updated=runs.format_utc_now()))
    assert [runs.load_run(data_folder, run.id).status for run in (first, second)] == ["done", "queued"]
