import numpy as np
import pytest

from engine.statistics.bootstrap import bootstrap_intervals, compute_rates, compute_share

SETTINGS = {"confidence": 0.95, "resamples": 4000, "seed": 1}


def some_counts(units=60):
    generator = np.random.default_rng(7)
    totals = generator.integers(1, 9, units)
    return generator.binomial(totals, 0.8).astype(float)[:, None], totals.astype(float)[:, None]


@pytest.mark.slow
def test_the_interval_is_that_of_scipy():
    from scipy import stats  # takes a second, in each process that collects tests

    counts, totals = some_counts()
    ours = bootstrap_intervals(counts, totals, **SETTINGS)[0]
    theirs = stats.bootstrap(
        (counts[:, 0], totals[:, 0]),
        lambda count, total, axis: count.sum(axis) / total.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert ours == pytest.approx(theirs, abs=0.006)
    assert ours[0] < counts.sum() / totals.sum() < ours[1]


def test_the_same_seed_gives_the_same_interval_and_more_units_a_narrower_one():
    counts, totals = some_counts()
    (first,), (second,) = (
        bootstrap_intervals(counts, totals, **SETTINGS),
        bootstrap_intervals(counts, totals, **SETTINGS),
    )
    assert list(first) == list(second)
    (many,) = bootstrap_intervals(np.tile(counts, (16, 1)), np.tile(totals, (16, 1)), **SETTINGS)
    assert many[1] - many[0] == pytest.approx((first[1] - first[0]) / 4, rel=0.2)


def test_more_confidence_is_wider():
    counts, totals = some_counts()
    (usual,) = bootstrap_intervals(counts, totals, **SETTINGS)
    (narrow,) = bootstrap_intervals(counts, totals, **SETTINGS | {"confidence": 0.5})
    assert usual[0] < narrow[0] < narrow[1] < usual[1]


@pytest.mark.slow
def test_intervals_of_many_units_do_not_depend_on_how_they_fit_into_memory():
    counts, totals = np.ones((5000, 1)), np.full((5000, 1), 2.0)
    counts[::2] = 0.0
    (ends,) = bootstrap_intervals(counts, totals, confidence=0.95, resamples=2000, seed=0)
    deviation = np.sqrt(0.25 / 5000) / 2
    assert ends == pytest.approx([0.25 - 1.96 * deviation, 0.25 + 1.96 * deviation], abs=deviation / 5)


def test_one_unit_has_no_interval_and_nothing_has_no_rate():
    whole, half, nothing = compute_rates(
        np.array([[3.0, 1.0, 0.0], [2.0, 0.0, 0.0]]), np.array([[3.0, 2.0, 0.0], [2.0, 0.0, 0.0]]), **SETTINGS
    )
    assert (whole.count, whole.total, whole.value, whole.interval) == (5, 5, 1.0, (1.0, 1.0))
    assert (half.value, half.interval) == (0.5, None)
    assert (nothing.value, nothing.interval) == (None, None)
    assert compute_share(1, 4) == 0.25
