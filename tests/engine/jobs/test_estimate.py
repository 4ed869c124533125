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


def ran(data, wanted, asked, seconds, size=Size(192, 108)):
    """A run of 100 frames that is done."""
    state = RunState(stage="done", display=size, updated=runs.format_utc_now())
    folder = runs.create_run(data, wanted(detection=asked), state)
    facts = RunFacts("0" * 64, "host", runs.format_utc_now(), seconds, 100, 0, 1)
    folder.facts.write_bytes(encode_document(facts))


def test_without_earlier_runs_a_table_says_how_long_it_takes(info):
    expected = estimate_run((), info, DetectOptions())
    assert expected.seconds == pytest.approx(5.0 + 0.2 * 100 / 100)
    assert (expected.measured, expected.remote_notice) == (False, None)


def test_earlier_runs_with_the_same_options_say_it_better(tmp_path, info, wanted):
    data = DataFolder(tmp_path)
    for seconds in (9.0, 10.0, 65.0):
        ran(data, wanted, DetectOptions(), seconds)
    ran(data, wanted, DetectOptions(mode="hybrid"), 1.0)
    expected = estimate_run(load_past_runs(data), info, DetectOptions())
    assert expected.seconds == pytest.approx(10.0)
    assert expected.measured


def test_runs_of_much_smaller_frames_say_nothing(tmp_path, info, wanted):
    ran(DataFolder(tmp_path), wanted, DetectOptions(), 65.0, Size(80, 45))
    assert not estimate_run(load_past_runs(DataFolder(tmp_path)), info, DetectOptions()).measured


def test_cloud_says_what_leaves_and_what_it_costs(info):
    expected = estimate_run((), info, DetectOptions(mode="cloud"))
    assert "100 frames leave this machine" in expected.remote_notice
    assert "USD 0.100" in expected.remote_notice
    assert "no sound" in expected.remote_notice
    assert (
        expected.remote_cost.frames,
        round(expected.remote_cost.dollars, 6),
        expected.remote_cost.is_upper_bound,
    ) == (100, 0.1, False)
    assert expected.seconds is None
    with pytest.raises(InputError, match="max-cost"):
        estimate_run((), info, DetectOptions(mode="cloud", max_cost=0.05))


def test_which_frames_are_contested_is_known_later(info):
    expected = estimate_run((), info, DetectOptions(mode="cloud", asking={"policy": "contested"}))
    assert (expected.remote_cost.frames, expected.remote_cost.is_upper_bound) == (100, True)
    assert expected.seconds > 5


def test_models_that_are_not_there_are_named(tmp_path):
    data = DataFolder(tmp_path)
    assert find_missing_models(data, DetectOptions(mode="cloud")) == ()
    missing = find_missing_models(data, DetectOptions())
    assert missing
    data.models.mkdir()
    (data.models / missing[0]).parent.mkdir(parents=True, exist_ok=True)
    (data.models / missing[0]).write_bytes(b"")
    assert find_missing_models(data, DetectOptions()) == missing[1:]
