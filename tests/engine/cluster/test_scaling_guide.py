"""The times in docs/guides/scaling.md follow from its measured costs and from how a video is divided."""

import pytest

from tests.engine.cluster.scaling_guide import add_calls, read_costs, read_times, simulate_pass

TOLERANCE = 0.15


@pytest.mark.parametrize("mode", read_times(), ids=lambda mode: mode.title)
@pytest.mark.parametrize("workers", [1, 8, 32])
def test_an_hour_of_4k_takes_as_long_as_the_division_says(mode, workers):
    cost_s = read_costs()[mode.step]
    pass_s = simulate_pass(cost_s, workers if mode.on_cluster else 1)
    assert mode.minutes[workers] * 60 == pytest.approx(add_calls(mode, pass_s), rel=TOLERANCE)


def test_the_guide_has_every_mode_with_all_numbers_of_workers():
    assert [set(mode.minutes) for mode in read_times()] == [{1, 8, 32}] * 5


@pytest.mark.parametrize("workers", [2, 8, 32])
def test_the_division_of_an_hour_costs_little(workers):
    assert simulate_pass(1.0, workers) * workers / 3600 < 1 / 0.9
