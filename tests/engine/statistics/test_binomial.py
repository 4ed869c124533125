import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.statistics.binomial import binomial_upper_bound, clopper_pearson_interval, wilson_interval


def test_exact_interval_matches_published_tables():
    assert clopper_pearson_interval(9, 10) == pytest.approx((0.5550, 0.9975), abs=1e-4)
    assert clopper_pearson_interval(0, 20)[0] == 0.0
    assert clopper_pearson_interval(0, 20)[1] == pytest.approx(0.1684, abs=1e-4)
    assert clopper_pearson_interval(20, 20)[1] == 1.0


def test_wilson_interval_matches_published_tables():
    assert wilson_interval(0.9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson_interval(1.0, 3)[0] == pytest.approx(0.4385, abs=1e-4)


def test_wilson_intervals_of_few_trials_match_the_literature():
    assert wilson_interval(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(1.0, 25) == pytest.approx((0.8668, 1.0), abs=1e-4)


@given(st.floats(0, 1), st.integers(1, 500))
def test_wilson_interval_contains_the_share_and_narrows_with_more_trials(share, trials):
    low, high = wilson_interval(share, trials)
    assert 0 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1
    assert high - low >= np.subtract(*wilson_interval(share, 4 * trials)[::-1]) - 1e-9


def test_upper_bound_of_no_event_in_n_trials_is_about_three_in_n():
    assert binomial_upper_bound(0, 100) == pytest.approx(3 / 100, rel=0.02)
    assert binomial_upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    assert binomial_upper_bound(2, 100) == pytest.approx(0.0616, abs=1e-4)
    assert binomial_upper_bound(5, 5) == 1.0


def test_no_trial_has_no_interval():
    assert clopper_pearson_interval(0, 0) is wilson_interval(0.0, 0) is binomial_upper_bound(0, 0) is None
