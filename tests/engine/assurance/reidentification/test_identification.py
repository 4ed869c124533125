import numpy as np
import pytest

from engine.assurance.reidentification.base import Placement, compute_median_placement
from engine.assurance.reidentification.identification import (
    centre_embeddings,
    compute_identified_shares,
    compute_templates,
    find_nearest,
    group_similar_galleries,
)


def rows(*values):
    return np.array(values, dtype=np.float64)


def test_a_template_is_the_mean_of_a_gallery():
    assert compute_templates([rows([0, 0], [2, 4]), rows([5, 5])]).tolist() == [[1, 2], [5, 5]]


def test_a_probe_is_whoever_is_nearest():
    known = rows([0, 0], [10, 0], [0, 10])
    assert find_nearest(rows([9, 2], [1, 1], [2, 7]), known).tolist() == [1, 0, 2]


def test_the_share_is_counted_person_by_person():
    known = rows([0, 0], [10, 0])
    assert compute_identified_shares([rows([1, 0], [9, 0]), rows([9, 0])], known).tolist() == [0.5, 1.0]


def test_probes_that_tell_nothing_are_identified_at_chance():
    known = np.random.default_rng(1).normal(size=(25, 128))
    same = [np.full((10, 128), 0.3) for _ in known]
    assert compute_identified_shares(same, known).mean() == pytest.approx(1 / 25)


def test_taking_off_what_all_masked_faces_share_brings_out_what_is_left():
    known = np.random.default_rng(2).normal(size=(25, 128))
    hub = np.full(128, 40.0)
    probes = [(hub + 0.05 * row)[None, :] for row in known]
    assert compute_identified_shares(probes, known).mean() == pytest.approx(1 / 25)
    directions = np.concatenate(centre_embeddings([row[None, :] for row in known]))
    assert compute_identified_shares(centre_embeddings(probes), directions).mean() == 1.0
    assert np.linalg.norm(directions, axis=1) == pytest.approx(1.0)


def test_what_tells_nothing_has_no_direction():
    assert compute_identified_shares(centre_embeddings([np.ones((3, 8))] * 5), np.eye(5, 8)).mean() == pytest.approx(
        1 / 5
    )


def test_galleries_near_each_other_are_one_person_also_over_a_third():
    line = [rows([0.0, 0]), rows([5.0, 0]), rows([0.8, 0]), rows([0.4, 0])]
    assert group_similar_galleries(line, 0.4) == [[0, 2, 3], [1]]
    assert group_similar_galleries(line, 0.3) == [[0], [1], [2], [3]]


def test_the_typical_placement_is_upright():
    placements = [Placement(0.0, 0.1, 0.7, 0.3), Placement(0.2, 0.3, 0.9, 0.2), Placement(0.1, 0.2, 0.8, 0.1)]
    assert compute_median_placement(placements) == pytest.approx((0.1, 0.2, 0.8, 0.0))
