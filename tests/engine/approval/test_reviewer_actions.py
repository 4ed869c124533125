"""What a reviewer does is checked, written and put on record."""

import pytest

from engine import access, audit
from engine.access.run_context import RunContext
from engine.approval.reviewer_actions import ReviewerActions, kind_from_action, parse_action, read_viewed_ranges
from engine.core.geometry import Box
from engine.errors import AccessError, RecordError
from engine.jobs.requests import log_run_event
from engine.record import encode_document, sha256_hex
from engine.review.amendments import Add, Delete, Keyframe
from engine.review.review_file import read_review
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run
from engine.storage.data_folder import DataFolder
from tests.record_makers import make_record


@pytest.fixture
def data(tmp_path):
    return DataFolder(tmp_path)


@pytest.fixture
def record():
    return make_record([[(10, 10, 60, 60)]] * 20)


@pytest.fixture
def run(data, record):
    folder = create_run(
        data,
        RunRequest(source="/a.mp4", account="a", name="A", at=format_utc_now()),
        RunState(stage="done", updated=format_utc_now()),
    )
    folder.record.write_bytes(encode_document(record))
    made = load_run(data, folder.id)
    log_run_event(data, made, "done", record=record)
    return made


@pytest.fixture
def desk(data, run):
    return ReviewerActions(
        RunContext(data, run, access.get_single_user(data)), sha256_hex(run.folder.record.read_bytes())
    )


def test_an_amendment_stands_in_the_review_and_in_the_log(desk, record, run, data):
    desk.amend(record, Add((Keyframe(3, Box(100, 100, 140, 150)),)), "missed")
    review = read_review(run.folder.review, desk.record_sha256)
    (entry,) = audit.read_entries(data.audit, run=run.id, kinds=["amendment"])
    assert [amendment.reason for amendment in review.amendments] == ["missed"]
    assert (entry.kind, entry.reason, entry.details["action"]) == ("amendment", "missed", "add")
    line = sha256_hex(run.folder.review.read_bytes().rstrip(b"\n"))
    assert entry.subjects == {"record": desk.record_sha256, "review": review.sha256, "amendment": line}
    assert not run.folder.pending_amendment.exists()


def test_what_does_not_fit_is_neither_written_nor_put_on_record(desk, record, run, data):
    with pytest.raises(RecordError, match="track 5"):
        desk.amend(record, Delete(5, 0, 3), "a poster")
    assert read_review(run.folder.review, desk.record_sha256, missing_ok=True).amendments == ()
    assert list(audit.read_entries(data.audit, run=run.id, kinds=["amendment"])) == []


def test_a_mask_is_not_removed_without_a_reason(desk, record, run):
    with pytest.raises(RecordError, match="needs a reason"):
        desk.amend(record, Delete(0, 0, 3), "  ")
    assert not run.folder.review.exists()


def test_whoever_is_no_reviewer_amends_nothing(data, run, record):
    access.add_account(
        data,
        access.get_single_user(data),
        account="ana",
        name="Ana",
        roles=("administrator", "operator"),
        password="horse battery 1",
    )
    ana = access.read_people(data).get_account("ana").to_person("account")
    desk = ReviewerActions(RunContext(data, run, ana), sha256_hex(run.folder.record.read_bytes()))
    with pytest.raises(AccessError, match="may not amend"):
        desk.amend(record, Delete(0, 0, 3))
    assert not run.folder.review.exists()


def test_frames_that_were_seen_add_up_by_person(desk, data, run):
    desk.record_viewed(20, [(0, 3), (8, 9)])
    desk.record_viewed(20, [(2, 5)])
    assert read_viewed_ranges(data, run.id, desk.record_sha256) == {desk.context.person.account: ((0, 5), (8, 9))}
    assert read_viewed_ranges(data, run.id, "0" * 64) == {}


@pytest.mark.parametrize("seen", [(3, 3), (-1, 2), (18, 21)])
def test_frames_that_do_not_exist_were_not_seen(desk, seen):
    with pytest.raises(RecordError, match="has 20 frames"):
        desk.record_viewed(20, [seen])


def test_a_line_that_a_crash_cut_short_is_taken_away(desk, record, run, data):
    desk.amend(record, Delete(0, 0, 3), "a poster")
    with run.folder.review.open("ab") as file:
        file.write(b'{"action":{"ki')
    desk.repair()
    assert len(read_review(run.folder.review, desk.record_sha256).amendments) == 1
    entries = audit.read_entries(data.audit, run=run.id, kinds=["amendment"])
    assert [entry.details["action"] for entry in entries] == ["delete", "repair"]


def test_actions_come_as_plain_values():
    action = parse_action({"kind": "add", "keyframes": [[3, [1, 2, 30, 40]], [5, [2, 2, 31, 40]]]})
    assert action == Add((Keyframe(3, Box(1, 2, 30, 40)), Keyframe(5, Box(2, 2, 31, 40))))
    assert kind_from_action(action) == "add"


@pytest.mark.parametrize("told", [None, {}, {"kind": "burn"}, {"kind": "delete", "track": 1, "start": 5, "stop": 5},
                                  {"kind": "add", "keyframes": [[1, [5, 5, 5, 9]]]}])  # fmt: skip
def test_what_is_no_action_is_refused(told):
    with pytest.raises(RecordError, match="cannot be amended"):
        parse_action(told)
