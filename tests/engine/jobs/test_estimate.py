import pytest

from engine import runs
from engine.core.geometry import Size
from engine.detection.detect import RunFacts
from engine.errors import InputError
from engine.jobs.estimate import missing_models, outlook, past
from engine.media.source.probe import probe
from engine.record import encode
from engine.runs import Asked, RunState
from engine.storage.files import Data
from tests import clips


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    return probe(clips.video(tmp_path_factory.mktemp("clip") / "a.mp4", size=(192, 108), frames=100))


def ran(data, wanted, asked, seconds, size=Size(192, 108)):
    """A run of 100 frames that is done."""
    state = RunState(stage="done", display=size, updated=runs.now())
    folder = runs.create(data, wanted(detection=asked), state)
    facts = RunFacts("0" * 64, "host", runs.now(), seconds, 100, 0, 1)
    folder.facts.write_bytes(encode(facts))


def test_without_earlier_runs_a_table_says_how_long_it_takes(info):
    expected = outlook((), info, Asked())
    assert expected.seconds == pytest.approx(5.0 + 0.2 * 100 / 100)
    assert (expected.measured, expected.leaves) == (False, None)


def test_earlier_runs_with_the_same_options_say_it_better(tmp_path, info, wanted):
    data = Data(tmp_path)
    for seconds in (9.0, 10.0, 65.0):
        ran(data, wanted, Asked(), seconds)
    ran(data, wanted, Asked(mode="hybrid"), 1.0)
    expected = outlook(past(data), info, Asked())
    assert expected.seconds == pytest.approx(10.0)
    assert expected.measured


def test_runs_of_much_smaller_frames_say_nothing(tmp_path, info, wanted):
    ran(Data(tmp_path), wanted, Asked(), 65.0, Size(80, 45))
    assert not outlook(past(Data(tmp_path)), info, Asked()).measured


def test_cloud_says_what_leaves_and_what_it_costs(info):
    expected = outlook((), info, Asked(mode="cloud"))
    assert "100 frames leave this machine" in expected.leaves
    assert "USD 0.100" in expected.leaves
    assert "no sound" in expected.leaves
    assert (expected.spent.frames, round(expected.spent.dollars, 6), expected.spent.at_most) == (100, 0.1, False)
    assert expected.seconds is None
    with pytest.raises(InputError, match="max-cost"):
        outlook((), info, Asked(mode="cloud", max_cost=0.05))


def test_which_frames_are_contested_is_known_later(info):
    expected = outlook((), info, Asked(mode="cloud", asking={"policy": "contested"}))
    assert (expected.spent.frames, expected.spent.at_most) == (100, True)
    assert expected.seconds > 5


def test_models_that_are_not_there_are_named(tmp_path):
    data = Data(tmp_path)
    assert missing_models(data, Asked(mode="cloud")) == ()
    missing = missing_models(data, Asked())
    assert missing
    data.models.mkdir()
    (data.models / missing[0]).parent.mkdir(parents=True, exist_ok=True)
    (data.models / missing[0]).write_bytes(b"")
    assert missing_models(data, Asked()) == missing[1:]
