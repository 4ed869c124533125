"""A few kills of what writes most; `python -m tests.kills.kill` kills everything that writes, as often as you like."""

import random

import pytest

from tests.kills.kill import Killer, Tally
from tests.kills.scenarios import SCENARIOS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["render", "amend", "upload"])
def test_a_kill_loses_nothing_raises_no_alarm_and_leaves_nothing(tmp_path, name):
    (scenario,) = [scenario for scenario in SCENARIOS if scenario.name == name]
    killer, tally = Killer(scenario, tmp_path, random.Random(7)), Tally()
    for _ in range(2):
        killer.kill_once(tally)
    assert tally.problems == []
