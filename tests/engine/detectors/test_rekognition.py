"""Rekognition over the stand-in: real boto3, a real socket, a worker process as in the product."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.core.geometry import Box, Size
from engine.detectors import registry
from engine.detectors.cloud.jpeg import MAX_BYTES, MIN_SIDE_PX, encode_jpeg
from engine.detectors.cloud.rate_limit import RateFinder
from engine.errors import DetectorError, InputError
from engine.record import Detection
from tests.engine.detectors import face_scenes
from tests.engine.detectors.rekognition_calls import ask, calling, chunked, pictures
from tests.rekognition_stand_in import StandIn, eye_of, middle

pytestmark = pytest.mark.slow

SMALL = Size(160, 120)


@pytest.fixture
def service(monkeypatch):
    """A stand-in that sees a face in the middle of every picture."""
    with StandIn(middle) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        yield stand_in


def test_an_answer_is_a_box_in_pixels_of_the_picture_with_a_receipt(service, tmp_path):
    with calling(tmp_path, workers=1) as crew:
        (looks,) = ask(crew, [pictures(1, Size(320, 240))])
    ((sighting,),) = looks.detections
    grown = Box(320 * 0.375, 240 * 0.375, 320 * 0.625, 240 * 0.625).scale(1.1)
    assert sighting.box.iou(grown) > 0.9999
    assert sighting.score == pytest.approx(0.99)
    (receipt,) = looks.receipts
    assert service.account.requests == {receipt.request: receipt.sha256}
    assert receipt.paid


def test_the_same_picture_is_paid_for_once(service, tmp_path):
    (same, other) = pictures(2, SMALL)
    with calling(tmp_path) as crew:
        looks = ask(crew, [[same, same, same, other], [same]])
    with calling(tmp_path) as crew:
        again = ask(crew, [[other, same]])
    assert service.account.answered == 2
    assert set(service.account.paid.values()) == {1}
    assert sum(receipt.paid for some in looks for receipt in some.receipts) == 2
    assert [receipt.paid for receipt in again[0].receipts] == [False, False]
    assert again[0].detections[0] == looks[0].detections[3]


def test_another_service_is_asked_anew(service, tmp_path, monkeypatch):
    with calling(tmp_path) as crew:
        ask(crew, [pictures(1, SMALL)])
    with StandIn(middle) as other:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", other.url)
        with calling(tmp_path) as crew:
            ask(crew, [pictures(1, SMALL)])
        assert other.account.answered == 1


def test_boxes_that_leave_the_picture_are_clipped(tmp_path, monkeypatch):
    def beyond(_):
        return [
            Detection("rekognition", Box(0.0, 0.0, 60.0, 60.0), 0.9),
            Detection("rekognition", Box(140.0, 100.0, 160.0, 120.0), 0.8),
        ]

    with StandIn(beyond) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        with calling(tmp_path) as crew:
            (answer,) = ask(crew, [pictures(1, SMALL)])
        ((first, second),) = answer.detections
    assert (first.box.left, first.box.top) == (0, 0)
    assert first.box.right == pytest.approx(63)
    assert (second.box.right, second.box.bottom) == (160, 120)


@pytest.mark.parametrize("size", [Size(1, 1), Size(79, 300), Size(500, 3)])
def test_small_pictures_are_sent_with_black_around_and_boxes_stay_where_they_are(tmp_path, monkeypatch, size):
    def corner(_):
        return [Detection("rekognition", Box(0.0, 0.0, float(size.width), float(size.height)).scale(1 / 1.1), 0.9)]

    with StandIn(corner) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        with calling(tmp_path) as crew:
            (looks,) = ask(crew, [[np.full((size.height, size.width, 3), 90, np.uint8)]])
            ((sighting,),) = looks.detections
        ((width, height, _),) = stand_in.account.sizes
    assert (width, height) == (max(size.width, MIN_SIDE_PX), max(size.height, MIN_SIDE_PX))
    assert sighting.box.iou(Box(0, 0, size.width, size.height)) > 0.999


def test_a_picture_of_noise_is_brought_under_the_limit_and_kept_large():
    noise = np.random.default_rng(1).integers(0, 256, (2160, 3840, 3), dtype=np.uint8)
    data, size = encode_jpeg(noise, 95)
    assert len(data) <= MAX_BYTES
    assert size.width > 1920
    assert encode_jpeg(noise, 95)[0] == data
    small, same = encode_jpeg(noise[:500, :500], 92)
    assert (same, len(small) > 50_000) == (Size(500, 500), True)
    turned = cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.corrcoef(turned[..., 0].ravel(), noise[:500, :500, 0].ravel())[0, 1] > 0.4


def test_no_frame_is_lost_when_many_calls_are_throttled(service, tmp_path):
    service.behave(latency=0.02, throttle=0.3, quota=150)
    some = pictures(240, SMALL)
    with calling(tmp_path, workers=16) as crew:
        answers = ask(crew, chunked(some))
    assert [len(looks.detections) for looks in answers] == [4] * 60
    assert all(len(sightings) == 1 for looks in answers for sightings in looks.detections)
    assert service.account.throttled > 30
    assert (service.account.answered, set(service.account.paid.values())) == (240, {1})


def test_many_calls_are_under_way_at_once_and_no_more_than_allowed(service, tmp_path):
    service.behave(latency=0.15)
    with calling(tmp_path, workers=12) as crew:
        ask(crew, chunked(pictures(60, SMALL)))
    assert service.account.most_under_way in {11, 12}


def test_a_rate_that_was_set_is_not_exceeded(service, tmp_path):
    with calling(tmp_path, workers=8, rate=40) as crew:
        ask(crew, chunked(pictures(60, SMALL)))
    assert 25 < service.tell()["rate"] < 43


@pytest.mark.parametrize("fault", ["500", "cut", "half", "odd", "drop", "throttle"])
def test_a_passing_fault_costs_nothing_but_time(service, tmp_path, fault):
    service.behave(faults=(fault,))
    with calling(tmp_path, workers=2) as crew:
        (looks,) = ask(crew, [pictures(2, SMALL)])
    assert [len(sightings) for sightings in looks.detections] == [1, 1]


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        ("500", DetectorError, "failed inside"),
        ("denied", InputError, r"allow rekognition:DetectFaces"),
        ("unknown key", InputError, "does not know these AWS credentials"),
        ("expired", InputError, "have expired"),
        ("skew", InputError, "clock is wrong"),
        ("cut", DetectorError, "cut short"),
        ("half", DetectorError, "cut short or not one of DetectFaces"),
        ("odd", DetectorError, "cut short or not one of DetectFaces"),
        ("drop", DetectorError, "closed the connection"),
        ("hang", DetectorError, "no answer in time"),
    ],
)
def test_a_lasting_fault_is_one_clear_sentence(service, tmp_path, fault, kind, sentence):
    service.behave(always=fault)
    with pytest.raises(kind, match=sentence) as caught, calling(tmp_path, workers=1, read_timeout=0.4) as crew:
        ask(crew, [pictures(1, SMALL)])
    said = str(caught.value)
    assert said.startswith("Rekognition in eu-west-1 ")
    assert said.endswith("run the same command again to resume.")
    assert said.count(".") == 1
    assert "stand-in" not in said


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, InputError, "No AWS credentials were found"),
        ({"AWS_SECRET_ACCESS_KEY": None}, InputError, "not complete"),
        ({"AWS_DEFAULT_REGION": None}, InputError, "No AWS region"),
        ({"AWS_DEFAULT_REGION": "the moon"}, InputError, "not spelled like one"),
        ({"AWS_PROFILE": "nobody"}, InputError, "profile does not exist"),
        ({"AWS_ENDPOINT_URL_REKOGNITION": "http://127.0.0.1:9"}, DetectorError, "cannot be reached"),
        ({"AWS_ENDPOINT_URL_REKOGNITION": "http://192.0.2.1"}, InputError, "travel unencrypted"),
    ],
)
def test_what_is_wrong_around_the_service_is_one_clear_sentence(  # noqa: PLR0917
    service, tmp_path, monkeypatch, changes, kind, sentence
):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in changes.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(kind, match=sentence) as caught, calling(tmp_path, workers=1, connect_timeout=1.0) as crew:
        ask(crew, [pictures(1, SMALL)])
    assert "stand-in-secret" not in str(caught.value)


def test_answers_of_calls_under_way_are_kept_when_the_run_ends(service, tmp_path):
    service.behave(latency=0.5)
    some = pictures(8, SMALL)
    with calling(tmp_path, workers=8) as crew:
        for ticket, chunk in enumerate(chunked(some)):
            crew.submit(ticket, {1920: chunk}, "")
        while service.account.under_way == 0:
            time.sleep(0.005)
    begun = service.account.answered
    assert begun >= 1
    with calling(tmp_path, workers=8) as crew:
        answers = ask(crew, chunked(some))
    assert sum(not receipt.paid for looks in answers for receipt in looks.receipts) == begun
    assert (service.account.calls, set(service.account.paid.values())) == (8, {1})


def test_a_run_makes_no_more_calls_than_it_may(service, tmp_path):
    with (
        pytest.raises(DetectorError, match="the 5 calls that --max-cost allows"),
        calling(tmp_path, max_calls=5) as crew,
    ):
        ask(crew, chunked(pictures(40, SMALL)))
    # The refusal may come before the last call that was allowed has left.
    assert 4 <= service.account.calls <= 5


def test_a_real_face_is_found_through_a_real_detector_behind_the_stand_in(models, tmp_path, monkeypatch):
    scene = face_scenes.astronaut()
    with eye_of("yolov8-face", models) as eye, StandIn(eye) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        with calling(tmp_path) as crew:
            (answer,) = ask(crew, [[scene.picture]])
    ((sighting,),) = answer.detections
    assert sighting.box.iou(scene.face) > 0.6


def test_neither_credentials_nor_region_are_in_the_facts(service):
    facts = registry.plan_detector("rekognition").facts
    assert facts.parameters["service"] == "127.0.0.1"
    assert not {"region", "rate", "price", "workers", "max_calls"} & set(facts.parameters)
    assert "stand-in" not in str(facts)


def simulated(quota, share, seconds, latency=0.12, workers=32):
    """Share of a quota that is used in the second half, and of calls throttled then, by a simulated service."""
    finder, chance = RateFinder(), np.random.default_rng(3)
    events = [(0.0, number, None) for number in range(workers)]
    tokens = filled = answered = throttled = 0.0
    while events:
        events.sort(key=lambda event: event[:2], reverse=True)
        now, number, heard = events.pop()
        if now > seconds:
            break
        if heard is None:
            trial, refused = finder.begin_call(now), chance.random() < share
            if not refused:
                tokens, filled = min(quota / 2, tokens + (now - filled) * quota), now
                refused = tokens < 1
                tokens -= not refused
            events.append((now + (0.02 if refused else latency), number, (trial, refused)))
        else:
            finder.record_outcome(now, heard[0], throttled=heard[1])
            if now > seconds / 2:
                answered, throttled = answered + (not heard[1]), throttled + heard[1]
            events.append((finder.reserve_slot(now), number, None))
    return answered / (seconds / 2) / quota, throttled / (answered + throttled)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.3])
def test_the_pace_finds_a_quota_and_holds_it_whatever_else_is_throttled(share):
    used, throttled = simulated(50, share, 60)
    assert used > 0.95
    assert throttled < share + 0.2


def test_without_throttling_nothing_is_held_back():
    finder = RateFinder()
    for number in range(1000):
        assert finder.reserve_slot(number / 1000) == number / 1000
        finder.record_outcome(number / 1000, finder.begin_call(number / 1000), throttled=False)


def test_the_stand_in_refuses_what_the_service_would(service):
    def call(body, **changes):
        headers = {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "RekognitionService.DetectFaces",
            "X-Amz-Date": "20200101T000000Z", "Authorization": "AWS4-HMAC-SHA256 Credential=a/20200101/eu-west-1/"
            "rekognition/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "0" * 64,
        } | changes  # fmt: skip
        request = urllib.request.Request(service.url, body, headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as answer:
            return json.loads(answer.read())["__type"]

    assert call(b"{}", **{"X-Amz-Target": "RekognitionService.Guess"}) == "UnknownOperationException"
    assert call(b"{}", Authorization="Basic abc") == "IncompleteSignatureException"
    assert call(b"{}") == "InvalidSignatureException"


def test_the_stand_in_starts_from_a_shell_and_can_be_controlled():
    command = [sys.executable, "-m", "tests.rekognition_stand_in", "--port", "0", "--detector", "middle"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        url = process.stdout.readline().partition("=")[2].strip()
        with urllib.request.urlopen(f"{url}/control", b'{"latency": 0.5}') as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{url}/control") as answer:
            assert json.loads(answer.read())["calls"] == 0
        process.terminate()


def test_two_threads_that_claim_the_same_take_turns(tmp_path):
    from engine.detectors.cloud.answer_cache import AnswerCache, ServiceAnswer

    answers, key = AnswerCache(tmp_path), hashlib.sha256(b"").hexdigest()

    def ask_once(_):
        with answers.lock_key(key) as kept:
            if kept is None:
                answers.store_answer(key, ServiceAnswer("once", ()))
            return kept is None

    with ThreadPoolExecutor(8) as executor:
        assert sum(executor.map(ask_once, range(64))) == 1
    assert [path.name for path in Path(tmp_path).rglob("*") if path.is_file()] == [f"{key}.json"]
