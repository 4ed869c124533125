import shutil
from xml.etree import ElementTree as ET

import cv2
import msgspec
import pytest
import skimage.data

import engine
from engine.batch.batch import Batch
from engine.batch.job import BatchJob
from engine.batch.journal import JOURNAL_NAME, JournalEntry, hold_output_folder
from engine.batch.protocol import StartMessage
from engine.batch.summary import build_junit_xml, format_summary
from engine.errors import InputError, ModelError
from engine.masking.presets import parse_style
from engine.record import DetectOptions, read_record
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder
from tests import clips

QUICK = DetectOptions(detectors=("yolov8-face",))


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """Two short clips and a broken one between them."""
    folder = tmp_path_factory.mktemp("footage")
    clips.video(folder / "a.mp4", frames=6, audio=[clips.Audio()])
    (folder / "b.mp4").write_bytes((folder / "a.mp4").read_bytes()[:900])
    clips.video(folder / "c.wmv", frames=5, codec="mpeg4")
    return folder


def list_jobs(footage, **options):
    return [BatchJob(path, path.name, detection=QUICK, **options) for path in sorted(footage.iterdir())]


def work(jobs, folder, data, processes=1):
    """Work through the jobs and return what became of each file."""
    start = StartMessage(folder, data.root, processes=processes)
    with hold_output_folder(folder), Batch(start) as batch:
        batch.work(jobs)
    return batch.report


def read_statuses(report):
    return [file.status for file in report.files]


@pytest.fixture(scope="module")
def first(footage, own_data, tmp_path_factory):
    """The output folder and the report of a first pass."""
    folder = tmp_path_factory.mktemp("out")
    return folder, work(list_jobs(footage), folder, DataFolder(own_data))


@pytest.fixture
def finished(first, tmp_path):
    """A copy of the output folder after the first pass."""
    return shutil.copytree(first[0], tmp_path / "copy")


def test_a_broken_file_does_not_stop_the_rest(first):
    folder, report = first
    assert read_statuses(report) == ["done", "failed", "done"]
    assert "b.mp4" in report.files[1].error
    assert report.exit_code == 1
    assert (folder / "c.wmv").is_file()


def test_outputs_have_the_bytes_of_single_runs(first, footage, own_data, tmp_path):
    engine.anonymise(footage / "a.mp4", tmp_path / "a.mp4", QUICK, data=own_data)
    for name in ("a.mp4", "a.mp4.detections.json", "a.mp4.render.json", "a.mp4.checks.json"):
        assert (first[0] / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_photograph_is_detected_as_in_a_single_run(own_data, tmp_path):
    picture = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    options = DetectOptions(detectors=("centerface",))
    alone = engine.detect(tmp_path / "a.png", options=options, data=own_data)
    (tmp_path / "out").mkdir()
    report = work([BatchJob(tmp_path / "a.png", "a.png", detection=options)], tmp_path / "out", DataFolder(own_data))
    assert read_statuses(report) == ["done"]
    record = read_record(tmp_path / "out" / "a.png.detections.json")
    assert record.detection == alone.detection
    assert record.detection.detectors[0].parameters["size"] == 3840


def test_a_second_pass_skips_what_is_done(finished, footage, own_data):
    before = (finished / JOURNAL_NAME).read_bytes()
    report = work(list_jobs(footage), finished, DataFolder(own_data))
    assert read_statuses(report) == ["unchanged", "failed", "unchanged"]
    assert (finished / JOURNAL_NAME).read_bytes() == before


@pytest.mark.parametrize("name", ["a.mp4", "a.mp4.detections.json"])
def test_a_file_that_was_changed_since_is_made_again(finished, first, footage, own_data, name):
    (finished / name).write_bytes(b"something else")
    assert read_statuses(work(list_jobs(footage), finished, DataFolder(own_data)))[0] == "done"
    assert (finished / name).read_bytes() == (first[0] / name).read_bytes()


def test_another_style_keeps_the_record_and_renders_again(finished, footage, own_data):
    facts = finished / "a.mp4.detections.json.run.json"
    before = facts.read_bytes()
    style = RenderOptions(style=parse_style("training-data"))
    report = work(list_jobs(footage, rendering=style)[:1], finished, DataFolder(own_data))
    assert read_statuses(report) == ["done"]
    # The facts of a detection have its time, so the same bytes say that there was no other detection.
    assert facts.read_bytes() == before


def test_another_source_under_the_same_name_is_done_again(finished, own_data, tmp_path):
    other = clips.video(tmp_path / "a.mp4", frames=4)
    report = work([BatchJob(other, "a.mp4", detection=QUICK)], finished, DataFolder(own_data))
    assert [(file.status, file.frames) for file in report.files] == [("done", 4)]


def test_a_torn_line_of_the_journal_costs_only_its_own_file(finished, footage, own_data):
    journal = finished / JOURNAL_NAME
    lines = journal.read_bytes().splitlines(keepends=True)
    entries = [msgspec.json.decode(line, type=JournalEntry) for line in lines]
    assert [entry.step for entry in entries] == ["detected", "done"] * 2
    journal.write_bytes(b"".join(lines)[:-30])
    report = work(list_jobs(footage), finished, DataFolder(own_data))
    assert read_statuses(report) == ["unchanged", "failed", "done"]
    assert journal.read_bytes() == b"".join(lines)


def test_two_files_with_the_same_output_do_not_overwrite_each_other(footage, own_data, tmp_path):
    jobs = [BatchJob(footage / name, "x.mkv", is_name_chosen=True, detection=QUICK) for name in ("a.mp4", "c.wmv")]
    report = work(jobs, tmp_path / "out", DataFolder(own_data))
    assert read_statuses(report) == ["done", "failed"]
    assert "as " in report.files[1].error
    assert str(footage / "a.mp4") in report.files[1].error


@pytest.mark.slow
def test_missing_models_end_the_batch(footage, tmp_path):
    with pytest.raises(ModelError, match="veil models fetch"):
        work(list_jobs(footage)[:1], tmp_path / "out", DataFolder(tmp_path / "empty"))


def test_only_one_batch_works_into_a_folder(tmp_path):
    with (
        hold_output_folder(tmp_path),
        pytest.raises(InputError, match="Another batch works into"),
        hold_output_folder(tmp_path),
    ):
        pass


def test_a_journal_that_was_edited_is_refused_with_its_line(tmp_path):
    (tmp_path / JOURNAL_NAME).write_bytes(b'{"step": "guessed"}\n')
    with pytest.raises(InputError, match="Line 1 of"), hold_output_folder(tmp_path):
        pass


def test_the_summary_names_every_file(first, footage):
    text = format_summary(first[1])
    assert all(str(path) in text for path in footage.iterdir())
    assert text.splitlines()[-1].startswith("3 files: 2 done, 1 failed. ")


def test_junit_xml_has_a_case_for_each_file(first, footage):
    suites = ET.fromstring(build_junit_xml(first[1]))  # noqa: S314 - written by the line itself
    suite = suites.find("testsuite")
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("3", "1", "0")
    assert [case.get("name") for case in suite] == [str(path) for path in sorted(footage.iterdir())]
    assert [bool(case.findall("error")) for case in suite] == [False, True, False]


def test_junit_xml_holds_any_file_name(first):
    odd = msgspec.structs.replace(first[1].files[1], source="a\x07<&>.mp4", error="bad \x1b name")
    suites = ET.fromstring(build_junit_xml(msgspec.structs.replace(first[1], files=(odd,))))  # noqa: S314 - as above
    assert suites.find("testsuite/testcase").get("name") == "a\N{REPLACEMENT CHARACTER}<&>.mp4"
