import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine import audit
from engine.errors import AuditError

ACTOR = audit.Actor("rita", "Rita Rees", "account")
LATE = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))


def event(number, **more):
    return audit.Event(actor=ACTOR, kind="view", details={"number": number}, **more)


def numbers(folder, **chosen):
    return [entry.details["number"] for entry in audit.read_entries(folder, **chosen)]


def test_an_entry_names_the_one_before_and_comes_back_as_it_was_written(tmp_path):
    written = [audit.append(tmp_path / "audit", event(number, reason="Grüße")) for number in range(3)]
    assert [entry.number for entry in written] == [1, 2, 3]
    assert written[0].previous == audit.FIRST_PREVIOUS_SHA256
    assert [entry.previous for entry in written[1:]] == [entry.sha256 for entry in written[:2]]
    assert list(audit.read_entries(tmp_path / "audit")) == written
    assert audit.read_head(tmp_path / "audit") == written[-1].anchor


def test_an_empty_log_has_a_head_too(tmp_path):
    assert audit.read_head(tmp_path) == audit.Anchor(0, audit.FIRST_PREVIOUS_SHA256)
    assert list(audit.read_entries(tmp_path)) == []


def test_the_time_keeps_its_zone(tmp_path):
    audit.append(tmp_path, event(1), at=LATE)
    assert b'"at":"2026-03-01T12:00:00+02:00"' in (tmp_path / "log.jsonl").read_bytes()
    now = audit.append(tmp_path, event(2)).at
    assert now.utcoffset() is not None
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)


def test_entries_are_chosen_by_run_kind_and_period(tmp_path):
    for number in range(4):
        audit.append(tmp_path, event(number, run="ab"[number % 2]), at=LATE + timedelta(hours=number))
    audit.append(tmp_path, audit.Event(actor=ACTOR, kind="purge", run="a", details={"number": 9}), at=LATE)
    assert numbers(tmp_path, run="a") == [0, 2, 9]
    assert numbers(tmp_path, run="a", kinds=["view"]) == [0, 2]
    assert numbers(tmp_path, since=LATE + timedelta(hours=1), until=LATE + timedelta(hours=3)) == [1, 2]


def test_long_entries_are_found_again_as_the_last_one(tmp_path):
    for size in (3, 5_000, 70_000, 0):
        audit.append(tmp_path, event(size, reason="x" * size))
    assert audit.verify(tmp_path).passed
    assert numbers(tmp_path) == [3, 5_000, 70_000, 0]


@pytest.mark.parametrize("kept", [1, 40, -2])
def test_a_last_line_that_a_crash_cut_short_is_removed_and_that_is_on_record(tmp_path, kept):
    log = tmp_path / "log.jsonl"
    for number in range(3):
        audit.append(tmp_path, event(number))
    *whole, last = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(whole) + last[:kept])
    (finding,) = audit.verify(tmp_path).findings
    assert finding.line == 3
    assert "not complete" in finding.sentence
    assert numbers(tmp_path) == [0, 1]
    audit.append(tmp_path, event(7))
    assert audit.verify(tmp_path).passed
    assert [entry.kind for entry in audit.read_entries(tmp_path)] == ["view", "view", "repair", "view"]


def test_a_last_line_that_lacks_only_its_newline_is_kept(tmp_path):
    log = tmp_path / "log.jsonl"
    for number in range(3):
        audit.append(tmp_path, event(number))
    log.write_bytes(log.read_bytes()[:-1])
    audit.append(tmp_path, event(3))
    assert numbers(tmp_path) == [0, 1, 2, 3]
    assert audit.verify(tmp_path).passed


def test_nothing_is_added_to_a_file_that_does_not_end_in_an_entry(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b"Dear diary\n")
    with pytest.raises(AuditError, match=r"The last line of .*log\.jsonl"):
        audit.append(tmp_path, event(1))


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(AuditError, match=r"log\.jsonl cannot be written"):
        audit.append(tmp_path, event(1))


def start(folder, name, first, last, acknowledged):
    arguments = [sys.executable, "-m", "tests.engine.audit.append_events", folder, name, str(first), str(last)]
    return subprocess.Popen(list(map(str, arguments)), stdout=acknowledged, text=True)


def kill_again_and_again(folder, kills):
    """Append by a process that is killed after some events and started again: the numbers that it acknowledged."""
    chance, done = random.Random(5), []
    for _ in range(kills):
        process = start(folder, "victim", len(done), 10**9, subprocess.PIPE)
        done += [int(process.stdout.readline()) for _ in range(chance.randint(1, 25))]
        process.kill()
        rest = process.stdout.read()
        done += map(int, rest[: rest.rfind("\n") + 1].split())
        process.stdout.close()
        assert process.wait() == -9
    return done


def hammer(folder, count, kills):
    """`count` events by each of seven processes while an eighth is killed; everything that was acknowledged."""
    logs = [folder / f"{name}.txt" for name in range(7)]
    others = []
    for path in logs:
        with path.open("w") as file:
            others.append(start(folder, path.stem, 0, count, file))
    acknowledged = {("victim", number) for number in kill_again_and_again(folder, kills)}
    assert [process.wait() for process in others] == [0] * 7
    return acknowledged | {(path.stem, int(line)) for path in logs for line in path.read_text().split()}


@pytest.mark.slow
def test_eight_processes_append_while_one_is_killed_again_and_again(tmp_path):
    acknowledged = hammer(tmp_path, count=150, kills=12)
    audit.append(tmp_path, audit.Event(actor=ACTOR, kind="settings"))  # repairs what the last kill may have left
    report = audit.verify(tmp_path)
    assert report.findings == ()
    found = {(entry.actor.account, entry.details.get("number")) for entry in audit.read_entries(tmp_path)}
    assert len(acknowledged) >= 7 * 150 + 12
    assert acknowledged <= found
