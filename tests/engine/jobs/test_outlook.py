import pytest

from engine import runs
from engine.errors import InputError
from engine.geometry import Size
from engine.jobs.outlook import outlook
from engine.media.probe import probe
from engine.pipeline import RunFacts
from engine.record import encode
from engine.runs import Asked, RunState
from engine.store import Data
from tests import clips


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    return probe(clips.video(tmp_path_factory.mktemp("clip") / "a.mp4", size=(192, 108), frames=100))


def ran(data, wanted, asked, seconds, frames=100):
    """A run that is done, at 192x108."""
    state = RunState(stage="done", display=Size(192, 108), updated=runs.now())
    folder = runs.create(data, wanted(detection=asked), state)
    facts = RunFacts("0" * 64, "host", runs.now(), seconds, frames, 0, 1)
    folder.facts.write_bytes(encode(facts))


def test_without_earlier_runs_a_table_says_how_long_it_takes(tmp_path, info):
    expected = outlook(Data(tmp_path), info, Asked())
    assert expected.seconds == pytest.approx(0.2 * 100 / 100)
    assert (expected.measured, expected.leaves) == (False, None)


def test_earlier_runs_with_the_same_options_say_it_better(tmp_path, info, wanted):
    data = Data(tmp_path)
    for seconds in (4.0, 5.0, 60.0):
        ran(data, wanted, Asked(), seconds)
    ran(data, wanted, Asked(mode="hybrid"), 1.0)
    expected = outlook(data, info, Asked())
    assert expected.seconds == pytest.approx(5.0)
    assert expected.measured


def test_cloud_says_what_leaves_and_what_it_costs(tmp_path, info):
    expected = outlook(Data(tmp_path), info, Asked(mode="cloud"))
    assert "100 frames leave this machine" in expected.leaves
    assert "USD 0.100" in expected.leaves
    assert expected.seconds is None
    with pytest.raises(InputError, match="max-cost"):
        outlook(Data(tmp_path), info, Asked(mode="cloud", max_cost=0.05))
