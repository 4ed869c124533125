"""Runs of one second are listed in the order of their requests."""

import itertools

from engine import runs
from engine.runs import RunRequest
from engine.storage.data_folder import DataFolder


def test_runs_of_one_second_are_listed_newest_first(tmp_path):
    data = DataFolder(tmp_path)
    made = [
        runs.create_run(data, RunRequest(source="/v.mp4", account="ana", name="Ana", at=f"2026-03-02T09:30:00.{n:03}"))
        for n in range(9)
    ]
    listed = [run.id for run in runs.read_register(data).runs]
    by_second = sorted(made, key=lambda folder: folder.id[:15], reverse=True)
    assert [name[:15] for name in listed] == [folder.id[:15] for folder in by_second]
    places = {name: place for place, name in enumerate(listed)}
    for older, newer in itertools.pairwise(made):
        if older.id[:15] == newer.id[:15]:
            assert places[newer.id] < places[older.id]
