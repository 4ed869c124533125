"""A visitor cannot fill the log, and the log says how much of it is missing."""

from datetime import UTC, datetime, timedelta

from engine.access.refusal_limit import MAX_PER_MINUTE, count_refusal
from engine.storage.data_folder import DataFolder

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_refusals_beyond_the_limit_are_counted_and_the_next_entry_has_the_number(tmp_path):
    data = DataFolder(tmp_path)
    first = [count_refusal(data, START) for _ in range(MAX_PER_MINUTE + 50)]
    assert first == [0] * MAX_PER_MINUTE + [None] * 50
    assert count_refusal(data, START + timedelta(minutes=1)) == 50
    assert count_refusal(data, START + timedelta(minutes=1)) == 0


def test_a_damaged_count_stops_nobody(tmp_path):
    data = DataFolder(tmp_path)
    data.access.mkdir()
    data.refused_sign_ins.write_bytes(b"\xff{")
    assert count_refusal(data, START) == 0
