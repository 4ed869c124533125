"""What the canvas fetches: exact, for those who may, and kept by nobody."""

import signal

import cv2
import msgspec
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from engine import access, audit
from engine.access.run_context import RunContext
from engine.approval.reviewer_actions import ReviewerActions, read_viewed_ranges
from engine.core.geometry import Box
from engine.errors import AccessError
from engine.jobs.requests import log_run_event
from engine.record import Frame, encode_document
from engine.review.amendments import Add, Cover, Keyframe
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run
from engine.viewing.viewers import Viewers
from tests import clips
from tests.crashing_reader import make_file_deadly
from tests.record_makers import make_face, record_of
from workbench.core import caches
from workbench.core.viewing import get_viewers
from workbench.server.still_cache import StillCache
from workbench.server.stills import StillRoutes

BOX = (20.0, 20.0, 70.0, 60.0)


@pytest.fixture
def run(data, tmp_path):
    path = clips.b_frames(tmp_path / "clip.mp4")
    request = RunRequest(source=str(path), account="a", name="A", at=format_utc_now())
    folder = create_run(data, request, RunState(stage="done", updated=format_utc_now()))
    record = record_of(path, lambda index: [BOX] if index < 20 else [])
    folder.record.write_bytes(encode_document(record))
    log_run_event(data, load_run(data, folder.id), "done", record=record)
    return load_run(data, folder.id)


@pytest.fixture
def client(data):
    stills = StillRoutes(lambda _: access.get_single_user(data))
    with TestClient(Starlette(routes=list(stills.build_routes()))) as client:
        yield client


def desk_of(data, run):
    return ReviewerActions(RunContext(data, run, access.get_single_user(data)), caches.get_record_digest(run))


def still(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR).astype(int)


def test_a_still_is_that_frame_and_its_mask_is_where_the_face_was(client, run):
    before, after = (still(client, f"/api/stills/{run.id}/7{query}") for query in ("", "?masked=1&style=training-data"))
    changed = np.abs(before - after).max(axis=2) > 40
    rows, columns = np.nonzero(changed)
    assert before.shape == (96, 128, 3)
    assert 14 <= columns.min() <= 22 and 68 <= columns.max() <= 76
    assert 14 <= rows.min() <= 22 and 58 <= rows.max() <= 66


def test_a_masked_still_follows_the_amendments(client, run, data):
    before = still(client, f"/api/stills/{run.id}/25?masked=1")
    desk_of(data, run).amend(caches.get_record(run), Add((Keyframe(25, Box(80, 30, 120, 80)),)))
    added = still(client, f"/api/stills/{run.id}/25?masked=1")
    assert np.abs(before - added)[40:70, 90:110].mean() > 10
    desk_of(data, run).amend(caches.get_record(run), Cover(24, 27))
    assert still(client, f"/api/stills/{run.id}/25?masked=1").max() < 10


def test_faces_come_as_the_reviewers_left_them(client, run, data):
    desk_of(data, run).amend(caches.get_record(run), Add((Keyframe(25, Box(80, 30, 120, 80)),)))
    told = client.get(f"/api/frames/{run.id}/18-400").json()
    assert [frame["i"] for frame in told["frames"]] == list(range(18, 30))
    assert told["frames"][0]["faces"] == [
        {"track": 0, "box": [20.0, 20.0, 70.0, 60.0], "origin": "detected", "seen": [["mtcnn", 0.9]]}
    ]
    assert told["frames"][7]["faces"] == [{"track": 1, "box": [80.0, 30.0, 120.0, 80.0], "origin": "reviewer"}]


def test_seen_frames_go_on_record_for_the_page_of_this_server_alone(client, run, data):
    page = {"x-veil": "review", "origin": "http://testserver"}
    body = {"ranges": [[3, 5], [9, 10]]}
    assert client.post(f"/api/seen/{run.id}", json=body, headers=page).status_code == 204
    assert read_viewed_ranges(data, run.id, caches.get_record_digest(run)) == {
        access.get_single_user(data).account: ((3, 5), (9, 10))
    }
    for headers in ({}, {"x-veil": "review"}, page | {"origin": "http://elsewhere.example"}):
        assert client.post(f"/api/seen/{run.id}", json=body, headers=headers).status_code == 403
    for wrong in ({"ranges": [[3, 99]]}, {"ranges": "all"}, {"frames": []}):
        assert client.post(f"/api/seen/{run.id}", json=wrong, headers=page).status_code == 409
    assert len(list(audit.read_entries(data.audit, run=run.id, kinds=["view"]))) == 1


@pytest.mark.parametrize("address", ["stills/{}/30", "stills/20260101-000000-none-0000/0", "stills/..%2F..%2Fx/0"])
def test_what_is_not_there_is_told(client, run, address):
    answer = client.get("/api/" + address.format(run.id))
    assert answer.status_code == 404


@pytest.mark.slow
def test_a_source_that_is_gone_or_another_is_told(client, run, tmp_path):
    clips.b_frames(tmp_path / "clip.mp4", frames=12)
    assert "its size differs" in client.get(f"/api/stills/{run.id}/0").json()["error"]
    (tmp_path / "clip.mp4").unlink()
    answer = client.get(f"/api/stills/{run.id}/0")
    assert (answer.status_code, "Put the source back" in answer.json()["error"]) == (409, True)


@pytest.mark.slow
def test_a_source_that_ends_its_reader_costs_a_sentence_and_not_the_server(client, run, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        make_file_deadly(patch, tmp_path / "hook", "clip.mp4", signal.SIGSEGV)
        for address in (f"stills/{run.id}/0?masked=1", f"portraits/{run.id}/0?box=20,20,70,60", f"people/{run.id}"):
            answer = client.get(f"/api/{address}")
            assert answer.status_code == 409, address
            assert "cannot be read: it ends the program that reads it (signal SIGSEGV)" in answer.json()["error"]
        # What needs no picture still answers, and so does the still once the file is whole again.
        assert client.get(f"/api/frames/{run.id}/0-5").status_code == 200
    assert client.get(f"/api/stills/{run.id}/0").status_code == 200


def test_nobody_sees_a_frame_without_the_right_to(run, data):
    def nobody(_):
        raise AccessError("Sign in first.")

    def analyst(_):
        return access.Person("ann", "Ann", frozenset({"analyst"}), "account")

    for who in (nobody, analyst):
        with TestClient(Starlette(routes=list(StillRoutes(who).build_routes()))) as client:
            for address in (f"/api/stills/{run.id}/0", f"/api/frames/{run.id}/0-5"):
                answer = client.get(address)
                assert answer.status_code == 403
                assert answer.json()["error"]


def test_what_is_kept_stays_within_its_bound(run):
    from engine.rendering.still import StillOptions
    from workbench.core.reviewed_run import load_reviewed_run

    shelf, case = StillCache(get_viewers(), max_bytes=40_000), load_reviewed_run(run)
    for index in range(30):
        shelf.get_still(case, index, StillOptions())
    assert shelf.size_bytes <= 40_000
    first = shelf.get_still(case, 29, StillOptions())
    assert shelf.get_still(case, 29, StillOptions()) is first
    shelf.clear()
    assert shelf.size_bytes == 0


@pytest.mark.slow
def test_sources_beyond_the_most_are_given_back(data, run, tmp_path):
    """A second case over the same source, for the shelf another reel."""
    from engine.rendering.still import StillOptions
    from workbench.core.reviewed_run import load_reviewed_run

    record = caches.get_record(run)
    changed = msgspec.structs.replace(
        record, frames=(Frame(0, record.frames[0].pts, (make_face(3, BOX),)), *record.frames[1:])
    )
    other = create_run(data, run.request, run.state)
    other.record.write_bytes(encode_document(changed))
    with Viewers(max_sources=1) as viewers:
        shelf = StillCache(viewers)
        for case in (load_reviewed_run(run), load_reviewed_run(load_run(data, other.id)), load_reviewed_run(run)):
            assert shelf.get_still(case, 4, StillOptions(max_side_px=64))


@pytest.mark.parametrize(("waits", "status"), [(True, 200), (False, 499)])
def test_a_request_that_was_given_up_is_not_decoded_for(run, data, waits, status):
    async def receive():
        return {"type": "http.request" if waits else "http.disconnect"}

    (route, *_) = StillRoutes(lambda _: access.get_single_user(data)).build_routes()
    scope = {"type": "http", "path_params": {"run": run.id, "index": 7}, "query_string": b"", "headers": []}
    with start_blocking_portal() as portal:
        assert portal.call(route.endpoint, Request(scope, receive)).status_code == status
