import pytest

from engine import runs
from engine.core.geometry import Size
from engine.detection.results import RunFacts
from engine.errors import InputError
from engine.jobs.estimate import estimate_run, find_missing_models, load_past_runs
from engine.media.source.probe import probe
from engine.record import DetectOptions, encode_document
from engine.runs import RunState
from engine.storage.data_folder import DataFolder
from tests import clips


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    return probe(clips.video(tmp_path_factory.mktemp("clip") / "a.mp4", size=(192, 108), frames=100))


def make_finished_run(data, wanted, asked, seconds, size=Size(192, 108)):
    """Make a finished run of 100 frames."""
    state = RunState(stage="done", display=size, updated=runs.format_utc_now())
    folder = runs.create_run(data, wanted(detection=asked), state)
    facts = RunFacts("0" * 64, "host", runs.format_utc_now(), seconds, 100, 0, 1)
    folder.facts.write_bytes(encode_document(facts))


def test_without_earlier_runs_the_time_comes_from_the_table(info):
    """100 frames of a hundredth of the pixels; a detector that is named looks at each of them."""
    expected = estimate_run((), info, DetectOptions(detectors=("mtcnn",)))
    assert expected.seconds == pytest.approx(5.0 + (0.2 + 0.02) * 100 / 100)
    assert estimate_run((), info, DetectOptions()).seconds < 5.0 + 0.2 * 100 / 100
    assert (expected.measured, expected.transfer) == (False, None)


def test_the_time_comes_from_earlier_runs_with_the_same_options(tmp_path, info, wanted):
    data = DataFolder(tmp_path)
    for seconds in (9.0, 10.0, 65.0):
        make_finished_run(data, wanted, DetectOptions(), seconds)
    make_finished_run(data, wanted, DetectOptions(mode="hybrid"), 1.0)
    expected = estimate_run(load_past_runs(runs.read_register(data)), info, DetectOptions())
    assert expected.seconds == pytest.approx(10.0)
    assert expected.measured


def test_runs_of_much_smaller_frames_are_ignored(tmp_path, info, wanted):
    make_finished_run(DataFolder(tmp_path), wanted, DetectOptions(), 65.0, Size(80, 45))
    assert not estimate_run(load_past_runs(runs.read_register(DataFolder(tmp_path))), info, DetectOptions()).measured


def test_a_cloud_run_states_what_is_sent_and_what_it_costs(info):
    expected = estimate_run((), info, DetectOptions(mode="cloud"))
    assert "100 frames leave this machine" in expected.transfer.describe()
    assert "USD 0.100" in expected.transfer.describe()
    assert "no sound" in expected.transfer.describe()
    assert (
        expected.transfer.cost.frames,
        round(expected.transfer.cost.dollars, 6),
        expected.transfer.cost.is_upper_bound,
    ) == (100, 0.1, False)
    assert expected.seconds is None
    with pytest.raises(InputError, match="max-cost"):
        estimate_run((), info, DetectOptions(mode="cloud", max_cost=0.05))


def test_the_cost_of_uncertain_frames_is_an_upper_bound(info):
    expected = estimate_run((), info, DetectOptions(mode="cloud", asking={"policy": "contested"}))
    assert (expected.transfer.cost.frames, expected.transfer.cost.is_upper_bound) == (100, True)
    assert expected.seconds > 5


def test_missing_models_are_named(tmp_path):
    data = DataFolder(tmp_path)
    assert find_missing_models(data, DetectOptions(mode="cloud")) == ()
    missing = find_missing_models(data, DetectOptions())
    assert missing
    data.models.mkdir()
    (data.models / missing[0]).parent.mkdir(parents=True, exist_ok=True)
    (data.models / missing[0]).write_bytes(b"")
    assert find_missing_models(data, DetectOptions()) == missing[1:]
