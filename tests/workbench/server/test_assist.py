"""The route of assisted masks: what it answers, to whom, and that a task belongs to the one who started it."""

import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import access
from engine.assist.messages import Failure
from engine.errors import AccessError
from tests.workbench.run_makers import make_run
from workbench.server.assist import AssistRoutes, encode_answer

BOX = [20, 20, 70, 60]


@pytest.fixture
def run(data):
    return make_run(data)


@pytest.fixture
def client(data):
    with TestClient(Starlette(routes=AssistRoutes(lambda _: access.get_single_user(data)).build_routes())) as client:
        yield client


def waited(client, address):
    while (answer := client.get(address).json())["state"] == "working":
        time.sleep(0.05)
    return answer


@pytest.mark.slow
def test_a_box_is_followed_until_a_mask_covers_it(client, run):
    started = client.post(f"/api/assist/{run.id}", json={"frame": 25, "box": BOX, "wanted": "follow"})
    assert started.status_code == 202
    address = f"/api/assist/{run.id}/{started.json()['serial']}"
    answer = waited(client, address)
    assert answer["state"] == "followed"
    assert answer["reason"] == "followed from frame 25"
    assert answer["keyframes"][0][0] >= 20
    assert "masked by track 0" in answer["before"] or "lost" in answer["before"]
    assert client.delete(address).status_code == 204
    assert "was ended" in client.get(address).json()["error"]


@pytest.mark.slow
def test_a_second_request_replaces_the_first(client, run):
    serials = [
        client.post(f"/api/assist/{run.id}", json={"frame": 25, "box": BOX, "wanted": "follow"}).json()["serial"]
        for _ in range(2)
    ]
    assert client.get(f"/api/assist/{run.id}/{serials[0]}").status_code == 409
    assert client.delete(f"/api/assist/{run.id}/{serials[1]}").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {"frame": 1},
        {"frame": 1, "box": [5, 5, 1, 1], "wanted": "follow"},
        {"frame": -1, "box": BOX, "wanted": "follow"},
        {"frame": 1, "box": BOX, "wanted": "mask"},
        [],
    ],
)
def test_a_malformed_request_is_refused(client, run, body):
    answer = client.post(f"/api/assist/{run.id}", json=body)
    assert answer.status_code == 409
    assert "malformed" in answer.json()["error"]


def test_one_who_may_not_look_is_refused(run):
    def refuse(_request):
        raise AccessError("Sign in first.")

    with TestClient(Starlette(routes=AssistRoutes(refuse).build_routes())) as client:
        assert (
            client.post(f"/api/assist/{run.id}", json={"frame": 25, "box": BOX, "wanted": "follow"}).status_code == 403
        )


def test_a_failure_is_a_sentence():
    assert encode_answer(Failure("It is gone.")) == {"state": "failed", "sentence": "It is gone."}


@pytest.mark.slow
def test_similar_places_are_answered_as_an_amendment_takes_them(client, run):
    from engine.approval.reviewer_actions import parse_action

    question = {"frame": 25, "box": BOX, "wanted": "similar"}
    started = client.post(f"/api/assist/{run.id}", json=question)
    answer = waited(client, f"/api/assist/{run.id}/{started.json()['serial']}")
    assert answer["state"] == "similar"
    assert answer["detector"] is None
    place = {"start": 1, "stop": 5, "frame": 2, "box": BOX, "similarity": 0.5}
    for places in (answer["places"], [place]):
        if places:
            assert parse_action({"kind": "flag", "frame": 25, "box": answer["box"], "places": places})
