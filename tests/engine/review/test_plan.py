import msgspec

from engine.core.geometry import Box
from engine.review.plan import plan_frames
from tests.record_makers import make_record


def test_every_box_of_the_record_is_masked_and_damaged_frames_are_covered():
    record = msgspec.structs.replace(make_record([[(1, 2, 3, 4), (5, 6, 7, 8)], [], [(1, 1, 2, 2)]]), damaged=(2,))
    plans = list(plan_frames(record))
    assert [plan.boxes for plan in plans] == [(Box(1, 2, 3, 4), Box(5, 6, 7, 8)), (), (Box(1, 1, 2, 2),)]
    assert [plan.covered for plan in plans] == [False, False, True]
    assert [(plan.index, plan.pts) for plan in plans] == [(0, 0), (1, 512), (2, 1024)]


def test_frames_that_a_live_run_covered_are_covered():
    record = msgspec.structs.replace(make_record([[(1, 2, 3, 4)], [], []]), damaged=(1,), covered=(0,))
    assert [plan.covered for plan in plan_frames(record)] == [True, True, False]
