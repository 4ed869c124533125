"""Options of the command line become settings of the engine."""

import argparse

import pytest

from engine.cli.arguments import add_detection
from engine.cli.options import build_detect_options
from engine.detectors.modes import MODES
from engine.errors import InputError
from engine.record import ScheduleSettings


def parse(*words):
    parser = argparse.ArgumentParser()
    add_detection(parser)
    return build_detect_options(parser.parse_args(words))


def test_a_changed_setting_of_the_schedule_leaves_the_others_of_the_mode():
    usual = MODES["on-prem"].schedule
    changed = parse("--set", "schedule.change=20.0").schedule
    assert (changed.interval_s, changed.part, changed.change) == (usual.interval_s, usual.part, 20.0)
    assert parse().schedule is None


def test_detectors_that_are_named_have_no_schedule_but_the_one_that_is_set():
    words = ("--detectors", "centerface", "--set", "schedule.interval_s=0.5")
    assert parse(*words).schedule == ScheduleSettings(interval_s=0.5)


def test_a_wrong_setting_of_the_schedule_is_named():
    with pytest.raises(InputError, match="part"):
        parse("--set", "schedule.part=2.0")
