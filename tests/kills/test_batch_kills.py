"""A batch that is killed; `python -m tests.kills.batch_kills` does it with hundreds of clips and three kills."""

import random

import pytest

from tests.kills.batch_kills import BatchUnderFire, kill_and_check

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("models")
def test_a_killed_batch_does_every_file_once_and_names_the_broken_ones(tmp_path):
    batch = BatchUnderFire(tmp_path, good=5, broken=2)
    assert len(kill_and_check(batch, 5, 1, random.Random(3))) == 1
    assert batch.compare_with_single_runs() == 5
