"""The small pictures of frames in a row: exact frames, for those who may look, and kept by nobody."""

import struct

import cv2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import access
from engine.media.source.seek import SeekingReader
from engine.rendering import previews as engine_previews
from tests import clips
from tests.workbench.run_makers import make_run
from workbench.core import caches
from workbench.server.previews import PreviewRoutes


@pytest.fixture
def run(data):
    return make_run(data)


def client_of(person):
    return TestClient(Starlette(routes=list(PreviewRoutes(lambda _: person).build_routes())))


@pytest.fixture
def client(data):
    return client_of(access.get_single_user(data))


def unpack(body):
    found, at = {}, 0
    while at < len(body):
        index, size = struct.unpack_from("<II", body, at)
        found[index] = cv2.imdecode(np.frombuffer(body[at + 8 : at + 8 + size], np.uint8), cv2.IMREAD_COLOR)
        at += 8 + size
    assert at == len(body)
    return found


def load(client, run, words):
    answer = client.get(f"/api/previews/{run.id}/{words}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return unpack(answer.content)


@pytest.mark.slow
def test_each_preview_is_that_frame_wherever_the_row_begins(client, run):
    with SeekingReader(run.source, caches.get_record(run)) as reader:
        frames = {index: reader.read_frame(index).rgb(engine_previews.SIDE_PX)[..., ::-1] for index in range(30)}
    rows = [load(client, run, words) for words in ("0-12", "12-30", "20-25", "3-5")]
    assert [list(row) for row in rows] == [[*range(12)], [*range(12, 30)], [*range(20, 25)], [3, 4]]
    for row in rows:
        for index, picture in row.items():
            differences = {other: np.abs(picture.astype(int) - frame).mean() for other, frame in frames.items()}
            assert min(differences, key=differences.get) == index


def test_frames_that_are_decoded_on_the_way_come_along(client, run):
    """There is a keyframe every ten frames."""
    assert list(load(client, run, "18-20?lead=4")) == [*range(14, 20)]
    assert list(load(client, run, "15-16?step=3&lead=256")) == [12, 15]


def test_a_row_with_steps_leaves_frames_out_and_ends_with_the_video(client, run):
    assert list(load(client, run, "0-400?step=7")) == [0, 7, 14, 21, 28]


@pytest.mark.slow
def test_a_preview_is_small(data, tmp_path):
    run = make_run(data, clips.video(tmp_path / "large.mp4", size=(1280, 720), frames=3), lambda _: [])
    row = load(client_of(access.get_single_user(data)), run, "0-3")
    assert {picture.shape for picture in row.values()} == {(225, 400, 3)}


@pytest.mark.parametrize(
    "words", ["30-40", "9-4", "0-4?step=0", "0-4?step=x", "0-4?step=999999999", "5-5", "0-4?lead=x", "0-4?lead=257"]
)
def test_what_is_no_row_is_refused(client, run, words):
    assert client.get(f"/api/previews/{run.id}/{words}").status_code == 409


def test_only_those_who_may_look_get_previews(run):
    analyst = access.Person("ann", "Ann", frozenset({"analyst"}), "account")
    assert client_of(analyst).get(f"/api/previews/{run.id}/0-4").status_code == 403


@pytest.mark.slow
def test_a_source_that_is_gone_is_told_and_read_again_once_it_is_back(client, run):
    kept = run.source.read_bytes()
    run.source.unlink()
    assert "Put the source back" in client.get(f"/api/previews/{run.id}/0-4").json()["error"]
    run.source.write_bytes(kept)
    assert list(load(client, run, "0-4")) == [0, 1, 2, 3]
