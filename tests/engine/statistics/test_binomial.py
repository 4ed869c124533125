import pytest

from engine.statistics.binomial import binomial_upper_bound, clopper_pearson_interval, wilson_interval


def test_the_exact_interval_is_that_of_the_tables():
    assert clopper_pearson_interval(9, 10) == pytest.approx((0.5550, 0.9975), abs=1e-4)
    assert clopper_pearson_interval(0, 20)[0] == 0.0
    assert clopper_pearson_interval(0, 20)[1] == pytest.approx(0.1684, abs=1e-4)
    assert clopper_pearson_interval(20, 20)[1] == 1.0


def test_wilson_s_is_that_of_the_tables():
    assert wilson_interval(0.9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson_interval(1.0, 3)[0] == pytest.approx(0.4385, abs=1e-4)


def test_none_in_n_is_at_most_about_three_in_n():
    assert binomial_upper_bound(0, 100) == pytest.approx(3 / 100, rel=0.02)
    assert binomial_upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    assert binomial_upper_bound(2, 100) == pytest.approx(0.0616, abs=1e-4)
    assert binomial_upper_bound(5, 5) == 1.0


def test_nothing_is_said_of_no_trial():
    assert clopper_pearson_interval(0, 0) is wilson_interval(0.0, 0) is binomial_upper_bound(0, 0) is None
