"""Estimates grow with what else the machine does, but not with a run that will have ended."""

import os

import pytest

from engine.jobs import estimate


@pytest.mark.parametrize(
    ("load", "is_detecting", "expected"), [(0.0, False, 1.0), (4.0, False, 3.0), (4.0, True, 2.0), (1.0, True, 1.0)]
)
def test_the_slowdown_follows_the_load_of_others(monkeypatch, load, is_detecting, expected):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert estimate.measure_slowdown(is_detecting=is_detecting) == expected
