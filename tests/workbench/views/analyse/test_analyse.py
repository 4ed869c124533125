"""The page Analyse: its states by AppTest, and what a person does in a browser."""

import msgspec
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from engine import access, index, runs
from engine.record import encode_document
from engine.review.amendments import Author
from engine.review.editor import ReviewEditor
from engine.storage.data_folder import REVIEW_NAME, DataFolder
from tests import clips
from tests.browser import find_violations, open_address, running_workbench, save_screenshot, wait_until_settled
from tests.engine.index.long_records import make_long_record, write_long_runs
from tests.repository import PAGES
from tests.workbench.page_actions import sign_in

pytestmark = pytest.mark.slow

PAGE = PAGES / "analyse.py"
FRAMES = 900


@pytest.fixture
def data(tmp_path):
    return DataFolder(tmp_path)


@pytest.fixture
def app(data, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(data.root))
    return AppTest.from_file(PAGE, default_timeout=60)


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A data folder with two indexed runs."""
    folder = DataFolder(tmp_path_factory.mktemp("analysed"))
    write_long_runs(folder.root, 2, FRAMES)
    index.open_index(folder)
    return folder


@pytest.fixture
def filled(analysed, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(analysed.root))
    return AppTest.from_file(PAGE, default_timeout=60)


def view(app, name):
    app.segmented_control(key="analyse_view").set_value(name)
    return app.run()


def pressed(app, label):
    next(button for button in app.button if button.label == label).click().run()


def read_texts(app):
    return " ".join(box.value for box in (*app.info, *app.warning, *app.error, *app.markdown, *app.caption))


def run_folder(data, stage, sentence=None, name="20260101-100000-clip-0001"):
    folder = data.runs / name
    folder.mkdir(parents=True)
    request = runs.RunRequest(source="/footage/clip.mp4", account="jd", name="Jane", at="2026-01-01T10:00:00+00:00")
    (folder / "request.json").write_bytes(encode_document(request))
    state = runs.RunState(stage=stage, sentence=sentence, updated="2026-01-01T10:00:00+00:00")
    (folder / "state.json").write_bytes(encode_document(state))
    return folder


class TestStates:
    def test_empty(self, app):
        app.run()
        assert not app.exception
        assert "Detect a video first" in read_texts(app)

    def test_busy(self, app, data):
        run_folder(data, "queued")
        app.run()
        assert not app.exception
        assert "No run is finished yet" in read_texts(app)

    def test_a_run_that_failed(self, app, data):
        folder = run_folder(data, "failed", "The worker of mtcnn died.")
        app.query_params["run"] = folder.name
        app.run()
        assert not app.exception
        assert "The worker of mtcnn died." in read_texts(app)

    def test_a_run_that_is_not_there(self, app):
        app.query_params["run"] = "20260101-100000-nothing-0001"
        app.run()
        assert not app.exception
        assert "20260101-100000-nothing-0001" in read_texts(app)

    def test_a_record_of_an_unknown_version_beside_a_good_one(self, app, data):
        write_long_runs(data.root, 1, 120)
        (run_folder(data, "done") / "detections.json").write_bytes(b'{"schema": "veil/detections/9"}')
        app.run()
        assert not app.exception
        assert "veil/detections/9" in read_texts(app)
        assert "One run cannot be analysed" in app.expander[0].label
        assert len(app.multiselect(key="analyse_runs").options) == 1

    def test_an_index_that_cannot_be_written(self, app, data):
        write_long_runs(data.root, 1, 60)
        data.index.write_bytes(b"a file is in the way")
        app.run()
        assert not app.exception
        assert "cannot be made: a file is in the way" in read_texts(app)
        assert app.button[0].label == "Try again"


class TestViews:
    def test_over_time_is_first(self, filled):
        filled.run()
        assert not filled.exception
        assert [chart.proto.id for chart in filled.get("plotly_chart")]
        assert len(filled.get("plotly_chart")) == 3

    @pytest.mark.parametrize("name", ["Agreement", "Differences", "Distributions", "Ground truth", "Tables", "SQL"])
    def test_every_view_shows_itself(self, filled, name):
        filled.run()
        view(filled, name)
        assert not filled.exception
        assert not filled.error

    @pytest.mark.parametrize("name", ["faces", "evidence", "disagreements", "doubtful", "frames", "tracks", "runs"])
    def test_every_table_shows_itself(self, filled, name):
        filled.run()
        view(filled, "Tables")
        filled.segmented_control(key="analyse_table").set_value(name).run()
        assert not filled.exception
        assert not filled.error

    def test_filters_that_leave_nothing_say_so(self, filled):
        filled.run()
        filled.slider(key="analyse_score").set_value(1.0).run()
        assert not filled.exception
        assert "Nothing matches the filters." in read_texts(filled)

    def test_no_run_is_a_sentence(self, filled):
        filled.run()
        filled.multiselect(key="analyse_runs").set_value([]).run()
        assert not filled.exception
        assert "Choose a run" in read_texts(filled)

    def test_the_missed_faces_are_called_a_lower_bound(self, filled):
        filled.run()
        view(filled, "Agreement")
        assert "likely lower bound" in read_texts(filled)

    def test_a_single_detector_cannot_disagree(self, app, data):
        folder = data.runs / "20260101-100000-clip-0001"
        folder.mkdir(parents=True)
        (folder / "detections.json").write_bytes(encode_document(make_long_record(300, detectors=("mtcnn",))))
        app.run()
        assert "This needs two detectors" in read_texts(app)
        view(app, "Agreement")
        assert "needs two independent detectors" in read_texts(app)

    def test_a_run_without_a_face_is_not_blamed_on_filters(self, app, data):
        folder = data.runs / "20260101-100000-corridor-0001"
        folder.mkdir(parents=True)
        (folder / "detections.json").write_bytes(encode_document(make_long_record(300, people=0)))
        app.run()
        assert "The chosen runs have no face." in read_texts(app)
        assert "Nothing matches the filters." not in read_texts(app)

    def test_what_is_estimated_is_said_of_each_run(self, filled, analysed):
        filled.run()
        filled.multiselect(key="analyse_runs").set_value(list(index.open_index(analysed).indexed_runs)).run()
        view(filled, "Agreement")
        assert sum(text.value.startswith("**Estimated missed detections: ") for text in filled.markdown) == 2
        named = sorted(text.value for text in filled.caption if text.value.startswith("**"))
        assert all(f"interview-000{number}" in text for number, text in zip((0, 1), named, strict=True))

    def test_the_schema_stays_when_the_question_is_wrong(self, filled):
        filled.run()
        view(filled, "SQL")
        filled.text_area(key="analyse_statement").set_value("SELECT nothing FROM frames")
        pressed(filled, "Run")
        assert '"nothing" not found' in filled.error[0].value
        assert "meaning" in filled.dataframe[0].value.columns

    def test_sql_answers_and_refuses(self, filled):
        filled.run()
        view(filled, "SQL")
        filled.text_area(key="analyse_statement").set_value("SELECT count(*) AS n FROM frames")
        pressed(filled, "Run")
        assert filled.dataframe[1].value["n"].tolist() == [2 * FRAMES]
        filled.text_area(key="analyse_statement").set_value("DROP TABLE frames")
        pressed(filled, "Run")
        assert not filled.exception
        assert "Only a single SELECT" in filled.error[0].value

    def test_answers_and_tables_name_the_runs_beside_their_identifiers(self, filled):
        filled.run()
        view(filled, "SQL")
        filled.text_area(key="analyse_statement").set_value("SELECT run, max(frame) AS last FROM frames GROUP BY run")
        pressed(filled, "Run")
        rows = filled.dataframe[1].value
        assert list(rows.columns) == ["run", "name", "last"]
        assert all("interview-000" in name for name in rows["name"])
        filled.text_area(key="analyse_statement").set_value("SELECT name, faces FROM runs ORDER BY name")
        pressed(filled, "Run")
        assert all("interview-000" in name for name in filled.dataframe[1].value["name"])

    def test_the_table_of_runs_follows_the_selection(self, filled, analysed):
        filled.run()
        view(filled, "Tables")
        filled.segmented_control(key="analyse_table").set_value("runs").run()
        assert len(filled.dataframe[0].value) == 1
        filled.multiselect(key="analyse_runs").set_value(list(index.open_index(analysed).indexed_runs)).run()
        assert len(filled.dataframe[0].value) == 2
        assert list(filled.dataframe[0].value.columns[:2]) == ["run", "name"]

    def test_a_question_is_saved_chosen_again_and_removed(self, filled, analysed):
        filled.run()
        view(filled, "SQL")
        filled.text_area(key="analyse_statement").set_value("SELECT count(*) AS n FROM frames")
        pressed(filled, "Run")
        filled.text_input(key="analyse_question_name").set_value("How many").run()
        pressed(filled, "Save")
        saved = filled.selectbox(key="analyse_saved")
        assert (saved.value, saved.options) == ("How many", ["Example", "How many"])
        saved.set_value("Example").run()
        assert "avg(score)" in filled.text_area(key="analyse_statement").value
        filled.selectbox(key="analyse_saved").set_value("How many").run()
        assert filled.text_area(key="analyse_statement").value == "SELECT count(*) AS n FROM frames"
        pressed(filled, "Remove")
        assert not filled.exception
        assert index.read_questions(analysed, access.get_single_user(analysed)) == {}


@pytest.fixture(scope="module")
def served(analysed):
    with running_workbench(analysed) as server:
        yield server


def choose(page, name):
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    wait_until_settled(page)


def test_who_may_not_analyse_is_told(page, workbench_with_accounts):
    data, server = workbench_with_accounts.data, workbench_with_accounts
    ana = access.read_people(data).get_account("ana").to_person("account")
    access.add_account(data, ana, account="dan", name="Dan Ek", roles=("administrator",), password="horse battery 4")
    page.goto(f"{server.url}/analyse")
    sign_in(page, "dan", "horse battery 4")
    page.get_by_test_id("stAlert").get_by_text("see the analysis").wait_for()
    assert not page.get_by_test_id("stSidebarNav").get_by_role("link", name="Analyse").is_visible()
    assert page.get_by_text("Runs", exact=True).count() == 0


def test_nothing_but_the_server_is_asked_for(served, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_address(page, f"{served.url}/analyse")
    page.wait_for_selector(".js-plotly-plot")
    strangers = [url for url in asked if not url.startswith((served.url, "data:", "blob:", "ws://localhost"))]
    assert strangers == []


def test_a_click_on_a_point_opens_its_frame(served, page):
    open_address(page, f"{served.url}/analyse")
    bars = page.locator(".js-plotly-plot").nth(2)
    bars.scroll_into_view_if_needed()
    point = bars.locator(".barlayer .point path").first
    point.wait_for()
    point.click(force=True)
    page.wait_for_url("**/review?run=*frame=*")
    save_screenshot(page, "analyse-to-review")


def test_a_table_is_taken_away(served, page, tmp_path):
    open_address(page, f"{served.url}/analyse")
    choose(page, "Tables")
    with page.expect_download() as download:
        page.get_by_role("button", name="Parquet").click()
    taken = tmp_path / "faces.parquet"
    download.value.save_as(taken)
    run = max(index.open_index(served.data).indexed_runs)
    assert pq.read_table(taken).num_rows == index.open_index(served.data).indexed_runs[run].faces


def test_a_chart_is_taken_away_and_needs_no_network(served, page, tmp_path):
    open_address(page, f"{served.url}/analyse")
    page.get_by_role("button", name="Export").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Chart as HTML").click()
    taken = tmp_path / "confidence.html"
    download.value.save_as(taken)
    assert "Plotly.newPlot" in taken.read_text()
    assert 'src="http' not in taken.read_text()


def test_a_chart_is_taken_away_as_a_picture_with_the_keyboard_alone(served, page, tmp_path):
    open_address(page, f"{served.url}/analyse")
    page.locator(".js-plotly-plot").first.wait_for()
    page.get_by_role("button", name="Export").first.focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if "PNG" in (page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
            break
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "confidence.png"
    download.value.save_as(tmp_path / "confidence.png")
    assert (tmp_path / "confidence.png").read_bytes().startswith(b"\x89PNG")


def test_every_view_keeps_nobody_out(served, page):
    open_address(page, f"{served.url}/analyse")
    for name in ("Over time", "Agreement", "Differences", "Distributions", "Ground truth", "Tables", "SQL"):
        choose(page, name)
        assert find_violations(page) == [], name


class TestComparison:
    """Runs told apart, chosen together, and compared in pictures and figures."""

    def alike(self, data, thresholds):
        """Runs of one source that were started in the same second and differ in a threshold only."""
        for number, threshold in enumerate(thresholds):
            record = make_long_record(300, seed=number, detectors=("mtcnn",))
            (facts,) = record.detection.detectors
            facts = msgspec.structs.replace(facts, parameters={"threshold": threshold})
            detection = msgspec.structs.replace(record.detection, detectors=(facts,))
            folder = data.runs / f"20260101-100000-clip-000{number}"
            folder.mkdir(parents=True)
            changed = msgspec.structs.replace(record, detection=detection)
            (folder / "detections.json").write_bytes(encode_document(changed))

    def test_runs_with_other_settings_have_other_titles(self, app, data):
        self.alike(data, (0.3, 0.5, 0.5))
        app.run()
        titles = app.multiselect(key="analyse_runs").options
        assert len(set(titles)) == 3
        assert sum("mtcnn.threshold=0.3" in title for title in titles) == 1
        assert sum("mtcnn.threshold=0.5" in title for title in titles) == 2

    def test_one_click_adds_every_run_of_the_video(self, app, data):
        self.alike(data, (0.3, 0.5, 0.5))
        app.run()
        pressed(app, "Add the other 2 runs of this video")
        assert len(app.multiselect(key="analyse_runs").value) == 3
        assert not app.exception

    def test_differences_of_two_runs_are_counted_and_shown(self, app, data):
        self.alike(data, (0.3, 0.5))
        app.run()
        view(app, "Differences")
        assert not app.exception
        assert "frames differ" in read_texts(app)
        counts = app.dataframe[0].value
        assert (counts["both"] + counts["only A"]).iloc[0] > 0
        assert set(app.dataframe[1].value["difference"]) <= {"Only A", "Only B", "Moved or resized"}
        assert "/api/stills/" in app.get("html")[0].proto.body
        app.pills(key="analyse_kinds").set_value([]).run()
        assert "A and B agree in everything that is selected." in read_texts(app)

    def test_a_record_is_compared_with_itself_after_review(self, app, data):
        self.alike(data, (0.3,))
        folder = data.runs / "20260101-100000-clip-0000"
        review = ReviewEditor(folder / "detections.json", folder / REVIEW_NAME, Author("jd", "Jane"))
        frame = next(index for index, frame in enumerate(review.record.frames) if frame.faces)
        track = review.record.frames[frame].faces[0].track
        review.delete_face(track, frame, frame + 1, "a clock")
        app.run()
        view(app, "Differences")
        assert not app.exception
        assert "**1 of 300 frames differ**" in read_texts(app)
        assert app.selectbox[1].value.startswith("Masks after review")

    def test_detectors_without_a_run_are_queued_in_one_click(self, app, data, clip):
        self.alike(data, (0.3,))
        request = runs.RunRequest(source=str(clip), account="jd", name="Jane", at="2026-01-01T10:00:00+00:00")
        folder = data.runs / "20260101-100000-clip-0000"
        (folder / "request.json").write_bytes(encode_document(request))
        state = runs.RunState(stage="done", updated="2026-01-01T10:00:00+00:00")
        (folder / "state.json").write_bytes(encode_document(state))
        app.run()
        view(app, "Differences")
        (button,) = [button for button in app.button if button.label.startswith("Run with all detectors")]
        assert "mtcnn" not in button.help
        button.click().run()
        # No model is installed in this folder, so nothing was queued, and the page says what to do.
        assert "veil models fetch" in read_texts(app)
        assert len(runs.read_register(data).runs) == 1


@pytest.fixture
def clip(tmp_path):
    return clips.video(tmp_path / "clip.mp4", frames=5)


TRUTH = "file,frame,x,y,w,h\nclip.mp4,0,10,10,60,60\nclip.mp4,400,1400,400,200,200\n"


def test_a_truth_table_gives_recall_and_precision(served, page):
    open_address(page, f"{served.url}/analyse")
    choose(page, "Ground truth")
    page.locator("input[type=file]").set_input_files(
        {"name": "truth.csv", "mimeType": "text/csv", "buffer": TRUTH.encode()}
    )
    page.get_by_test_id("stMetric").filter(has_text="Precision").wait_for()
    page.get_by_test_id("stMetric").filter(has_text="Recall").get_by_text("of 2 faces").wait_for()
    page.get_by_text("Detectors compared").wait_for()
    page.get_by_text("Precision and recall over the score").wait_for()
    page.get_by_text("Missed faces").wait_for()
