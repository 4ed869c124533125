"""The sound that the canvas plays: the first stream as it is in the source, for those who may look."""

import io
import wave

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine import access
from tests import clips
from tests.workbench.run_makers import make_run
from workbench.server.sound import build_sound_routes


def client_of(person):
    return TestClient(Starlette(routes=list(build_sound_routes(lambda _: person))))


@pytest.fixture
def spoken(data):
    data.library.mkdir(parents=True)
    return make_run(data, clips.b_frames(data.library / "talk.mp4", audio=[clips.Audio()]))


def test_a_part_of_the_sound_is_sent(data, spoken):
    answer = client_of(access.get_single_user(data)).get(f"/api/sound/{spoken.id}?start=0.5&stop=0.75")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    with wave.open(io.BytesIO(answer.content)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert file.getnframes() == pytest.approx(0.25 * file.getframerate(), abs=1)
    assert np.abs(samples).max() > 1000


@pytest.mark.parametrize(
    "words", ["start=0", "start=x&stop=2", "start=-1&stop=2", "start=nan&stop=2", "start=0&stop=200"]
)
def test_what_is_no_part_is_refused(data, spoken, words):
    assert client_of(access.get_single_user(data)).get(f"/api/sound/{spoken.id}?{words}").status_code == 409


def test_a_video_without_sound_and_a_person_who_may_not_look_get_none(data, spoken):
    silent = make_run(data)
    answer = client_of(access.get_single_user(data)).get(f"/api/sound/{silent.id}?start=0&stop=1")
    assert (answer.status_code, "no audio" in answer.json()["error"]) == (409, True)
    analyst = access.Person("ann", "Ann", frozenset({"analyst"}), "account")
    assert client_of(analyst).get(f"/api/sound/{spoken.id}?start=0&stop=1").status_code == 403
