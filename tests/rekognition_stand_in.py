"""A stand-in for Amazon Rekognition's DetectFaces: for tests, and for trying cloud mode without an account.

    python -m tests.rekognition_stand_in --port 8099 --detector yolov8-face
    export AWS_ENDPOINT_URL_REKOGNITION=http://127.0.0.1:8099 AWS_DEFAULT_REGION=eu-west-1
    export AWS_ACCESS_KEY_ID=stand-in AWS_SECRET_ACCESS_KEY=stand-in
    veil detect clip.mp4 -o clip.json --mode cloud

It listens on loopback only, checks what a client sends as far as the service would (target, form of the signature,
clock, limits of the picture), and answers with faces that a local detector finds. Like the service's, its boxes may
leave the picture. What it does can be changed while it runs: `POST /control` with fields of `Conduct` as JSON; `GET
/control` tells what it was asked so far.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import random
import re
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.detectors import registry
from engine.detectors.pool import DetectorPool
from engine.record import Detection
from engine.storage.data_folder import find_data_folder

Eye = Callable[[Rgb], Sequence[Detection]]
"""What finds the faces in an upright RGB picture."""

MOST_BYTES = 5 * 1024 * 1024
LEAST_SIDE = 80
TARGET = "RekognitionService.DetectFaces"
_SKEW = 300
_GROWTH = 1.1
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[\w-]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/rekognition/aws4_request, "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=[0-9a-f]{64}"
)
_THROTTLED = ("ThrottlingException", "ProvisionedThroughputExceededException")


@dataclass(frozen=True)
class Conduct:
    """How it behaves.

    Attributes:
        latency: seconds from a request to its answer.
        quota: calls a second that are admitted; None admits all.
        burst: seconds' worth of quota that may be used at once after a pause.
        throttle: share of calls that is throttled whatever the quota.
        faults: what becomes of the next calls, one each: "500", "denied", "unknown key", "expired", "skew", "cut" (the
            connection ends in the midst of an answer), "half" (half an answer, as if it were whole), "odd" (an answer
            without faces' places), "drop" (no answer), "hang" (no answer, and the connection stays open), "throttle".
        always: the fault of every call, after those of `faults`.
    """

    latency: float = 0.0
    quota: float | None = None
    burst: float = 0.2
    throttle: float = 0.0
    faults: tuple[str, ...] = ()
    always: str | None = None


@dataclass
class Account:
    """What was asked of it."""

    calls: int = 0
    answered: int = 0
    throttled: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)
    """By SHA-256 of the picture, how often it was answered."""
    requests: dict[str, str] = field(default_factory=dict)
    """By request id, SHA-256 of the picture it answered."""
    times: list[float] = field(default_factory=list)
    """Monotonic times at which calls were admitted."""
    sizes: list[tuple[int, int, int]] = field(default_factory=list)
    """Width, height and bytes of the pictures, in the order of admission."""
    under_way: int = 0
    most_under_way: int = 0


class RefusalError(Exception):
    """An answer that is an error of the service."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status


class StandIn:
    """The server, in a thread of its own while the context is open.

    Args:
        eye: finds the faces.
        conduct: how it behaves.
        port: to listen on; 0 takes a free one.
        seed: of the calls that are throttled.
    """

    def __init__(self, eye: Eye, conduct: Conduct | None = None, port: int = 0, seed: int = 7) -> None:
        self.account = Account()
        self._eye, self._conduct = eye, conduct or Conduct()
        self._lock, self._eye_lock = threading.Lock(), threading.Lock()
        self._random = random.Random(seed)
        self._tokens, self._filled = 0.0, time.monotonic()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.stand_in = self

    @property
    def url(self) -> str:
        """For `AWS_ENDPOINT_URL_REKOGNITION`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """What makes boto3 talk to it."""
        return {
            "AWS_ENDPOINT_URL_REKOGNITION": self.url,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in-secret",
        }

    def behave(self, **changes: Any) -> None:
        """Change how it behaves from the next call on; and forget the burst that was saved up."""
        with self._lock:
            self._conduct = replace(self._conduct, **changes)
            self._tokens, self._filled = 0.0, time.monotonic()

    def tell(self) -> dict[str, Any]:
        """Everything in `account`, and the rate at which calls were admitted."""
        with self._lock:
            told = asdict(self.account)
        times = told.pop("times")
        span = times[-1] - times[0] if len(times) > 1 else 0.0
        return told | {"seconds": span, "rate": (len(times) - 1) / span if span else 0.0}

    def serve(self) -> None:
        """Answer until `close` is called from another thread."""
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        """Stop answering."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._thread.join()

    def answer(self, headers: Any, body: bytes) -> tuple[str, bytes, str | None]:
        """Request id, answer, and the fault with which to send it; takes as long as the service would.

        Raises:
            RefusalError: the service would refuse, or was told to.
        """
        started, request = time.monotonic(), str(uuid.uuid4())
        with self._lock:
            self.account.calls += 1
            self.account.under_way += 1
            self.account.most_under_way = max(self.account.most_under_way, self.account.under_way)
        try:
            return request, *self._judged(headers, body, request, started)
        except RefusalError as refusal:
            with self._lock:
                self.account.refused[refusal.kind] = self.account.refused.get(refusal.kind, 0) + 1
                self.account.throttled += refusal.kind in _THROTTLED
            raise
        finally:
            with self._lock:
                self.account.under_way -= 1

    def _judged(self, headers: Any, body: bytes, request: str, started: float) -> tuple[bytes, str | None]:
        _check_headers(headers)
        fault = self._fault()
        _refuse_for(fault)
        self._admit(fault)
        jpeg = _picture_bytes(body)
        picture = _decoded(jpeg)
        digest = hashlib.sha256(jpeg).hexdigest()
        with self._eye_lock:
            faces = [_detail(sighting, picture.shape) for sighting in self._eye(picture)]
        if fault == "hang":
            self._closing.wait(60)
        self._closing.wait(max(0.0, started + self._conduct.latency - time.monotonic()))
        with self._lock:
            self.account.answered += 1
            self.account.paid[digest] = self.account.paid.get(digest, 0) + 1
            self.account.requests[request] = digest
            self.account.sizes.append((picture.shape[1], picture.shape[0], len(jpeg)))
        return json.dumps({"FaceDetails": faces}).encode(), fault

    def _fault(self) -> str | None:
        with self._lock:
            conduct = self._conduct
            if conduct.faults:
                self._conduct = replace(conduct, faults=conduct.faults[1:])
                return conduct.faults[0]
            return conduct.always

    def _admit(self, fault: str | None) -> None:
        with self._lock:
            conduct, now = self._conduct, time.monotonic()
            kind = self._random.choice(_THROTTLED)
            if fault == "throttle" or self._random.random() < conduct.throttle:
                raise RefusalError(kind, "Rate exceeded")
            if conduct.quota is not None:
                room = max(1.0, conduct.quota * conduct.burst)
                self._tokens = min(room, self._tokens + (now - self._filled) * conduct.quota)
                self._filled = now
                if self._tokens < 1.0:
                    raise RefusalError(kind, "Provisioned rate exceeded")
                self._tokens -= 1.0
            self.account.times.append(now)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    stand_in: StandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._send(200, json.dumps(self.server.stand_in.tell()).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/control":
            self.server.stand_in.behave(
                **{name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(body).items()}
            )
            self._send(200, b"{}")
            return
        try:
            request, answer, fault = self.server.stand_in.answer(self.headers, body)
        except RefusalError as refusal:
            document = {"__type": refusal.kind, "Message": refusal.message}
            self._send(refusal.status, json.dumps(document).encode(), str(uuid.uuid4()))
        else:
            self._send_with(fault, answer, request)

    def _send_with(self, fault: str | None, answer: bytes, request: str) -> None:
        if fault in {"drop", "hang"}:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "cut":
            self.close_connection = True
            self._send(200, answer[: len(answer) // 2], request, length=len(answer))
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "half":
            self._send(200, answer[: len(answer) // 2], request)
        elif fault == "odd":
            self._send(200, json.dumps({"FaceDetails": [{"Confidence": 99.0}]}).encode(), request)
        else:
            self._send(200, answer, request)

    def _send(self, status: int, body: bytes, request: str = "", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("x-amzn-RequestId", request)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def _refuse_for(fault: str | None) -> None:
    refusals = {
        "500": ("InternalServerError", "Internal server error", 500),
        "denied": ("AccessDeniedException", "User: arn:aws:iam::1:user/veil is not authorized to perform: that", 400),
        "unknown key": ("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
        "expired": ("ExpiredTokenException", "The security token included in the request is expired", 400),
        "skew": ("InvalidSignatureException", "Signature expired: 20200101T000000Z is now earlier than that", 400),
    }
    if fault in refusals:
        raise RefusalError(*refusals[fault])


def _check_headers(headers: Any) -> None:
    if headers["X-Amz-Target"] != TARGET:
        raise RefusalError("UnknownOperationException", f"expected {TARGET}, got {headers['X-Amz-Target']}")
    if headers["Content-Type"] != "application/x-amz-json-1.1":
        raise RefusalError("SerializationException", f"cannot read {headers['Content-Type']}")
    form = _AUTHORIZATION.fullmatch(headers["Authorization"] or "")
    if form is None:
        raise RefusalError("IncompleteSignatureException", "the Authorization header is not of Signature Version 4")
    if not {"content-type", "host", "x-amz-date", "x-amz-target"} <= set(form["headers"].split(";")):
        raise RefusalError("InvalidSignatureException", f"only {form['headers']} are signed")
    when = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if form["day"] != f"{when:%Y%m%d}" or abs((datetime.now(UTC) - when).total_seconds()) > _SKEW:
        raise RefusalError("InvalidSignatureException", f"Signature expired: {headers['X-Amz-Date']} is too far off")


def _picture_bytes(body: bytes) -> bytes:
    try:
        document = json.loads(body)
        jpeg = base64.b64decode(document["Image"]["Bytes"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise RefusalError("SerializationException", f"no picture can be read: {error}") from error
    if set(document) - {"Image", "Attributes"}:
        raise RefusalError("InvalidParameterException", f"unknown members in {sorted(document)}")
    if len(jpeg) > MOST_BYTES:
        raise RefusalError("ImageTooLargeException", f"{len(jpeg)} bytes are more than {MOST_BYTES}")
    return jpeg


def _decoded(jpeg: bytes) -> Rgb:
    if not jpeg.startswith((b"\xff\xd8\xff", b"\x89PNG")):
        raise RefusalError("InvalidImageFormatException", "neither JPEG nor PNG")
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise RefusalError("InvalidImageFormatException", "the picture cannot be decoded")
    if min(picture.shape[:2]) < LEAST_SIDE:
        raise RefusalError("InvalidParameterException", f"{picture.shape[:2]} is less than {LEAST_SIDE} pixels")
    return np.asarray(picture, np.uint8)


def _detail(sighting: Detection, shape: Sequence[int]) -> dict[str, Any]:
    height, width = shape[:2]
    box = sighting.box.scale(_GROWTH)
    place = {
        "Left": box.left / width, "Top": box.top / height, "Width": box.width / width, "Height": box.height / height,
    }  # fmt: skip
    return {
        "BoundingBox": place,
        "Confidence": round(sighting.score * 100, 4),
        "Landmarks": [{"Type": "nose", "X": box.centre[0] / width, "Y": box.centre[1] / height}],
        "Pose": {"Roll": 0.0, "Yaw": 0.0, "Pitch": 0.0},
        "Quality": {"Brightness": 50.0, "Sharpness": 50.0},
    }


def middle(picture: Rgb) -> list[Detection]:
    """One face in the middle, a quarter as wide and high as the picture; for measuring how fast calls can be."""
    height, width = picture.shape[:2]
    return [Detection("middle", Box(width * 0.375, height * 0.375, width * 0.625, height * 0.625), 0.99)]


@contextmanager
def eye_of(detector: str, models: Path) -> Iterator[Eye]:
    """A local detector, in a process of its own; "middle" needs none."""
    if detector == "middle":
        yield middle
        return
    plan = registry.plan_detector(detector)
    with DetectorPool(registry.import_detector_class(detector), plan.settings, models) as pool:

        def look(picture: Rgb) -> Sequence[Detection]:
            pool.submit(0, [picture])
            return next(iter(pool.drain())).batch.detections[0]

        yield look


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A stand-in for Amazon Rekognition on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8099, help="0 takes a free one")
    parser.add_argument("--detector", default="yolov8-face", help="what finds the faces; 'middle' invents one")
    parser.add_argument("--data", type=Path, help="data folder with the models")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--quota", type=float, metavar="CALLS", help="a second")
    parser.add_argument("--throttle", type=float, default=0.0, metavar="SHARE", help="of calls, whatever the quota")
    options = parser.parse_args()
    conduct = Conduct(options.latency, options.quota, throttle=options.throttle)
    with eye_of(options.detector, find_data_folder(options.data).models) as eye:
        stand_in = StandIn(eye, conduct, options.port)
        lines = [f"export {name}={value}" for name, value in stand_in.environment().items()]
        sys.stdout.write("\n".join([*lines, ""]))
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            stand_in.serve()


if __name__ == "__main__":
    main()
