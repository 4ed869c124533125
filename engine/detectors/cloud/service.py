"""Amazon Rekognition's DetectFaces through boto3: one client a thread, calls at the pace that the account admits.

Credentials and region come by boto3's own chain and are looked at by nobody else. Botocore retries what may succeed
later; the pace that all clients share is held before each attempt, botocore's retries among them. Botocore's "adaptive"
mode holds a pace of its own on top, which it lowers with every throttled call, also with those that a lower rate would
not spare; it is there for who wants it, and `engine.detectors.cloud.rate_limit` for who wants the whole quota.
"""

from __future__ import annotations

import ipaddress
import math
import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from engine.detectors import optional_imports
from engine.detectors.cloud.answer_cache import Answer
from engine.detectors.cloud.error_messages import THROTTLED, complaint
from engine.detectors.cloud.rate_limit import Pace, Trial
from engine.errors import DetectorError, InputError

_OPERATION = "rekognition.DetectFaces"
_ATTEMPTS = 2
"""That botocore makes, the first among them; it pauses longer and longer before each, and a frame waits with it."""
_ROUNDS = 3
"""Of such attempts, for what is no throttling."""
_PAUSE = 0.5
"""Seconds before the second round; each time twice as long."""
_PATIENCE = 150.0
"""Seconds without any answer, all calls throttled, after which the run ends."""


@dataclass(frozen=True)
class Conditions:
    """How calls are made.

    Attributes:
        clients: calls under way at once.
        rate: ceiling in calls a second, None for none.
        connect, read: seconds of patience for a connection, and for an answer.
        retries: botocore's retry mode, "standard" or "adaptive".
        attributes: what DetectFaces is asked for.
    """

    clients: int
    rate: float | None
    connect: float
    read: float
    retries: str = "standard"
    attributes: Sequence[str] = ("DEFAULT",)


class Service:
    """The service; `ask` may be called from many threads.

    Raises:
        InputError: boto3 is missing, or there are no credentials or no region, or pictures would travel in the clear.
    """

    def __init__(self, conditions: Conditions) -> None:
        # Only the service is contacted. Who wants the credentials of an EC2 instance says so with "false".
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
        self._conditions = conditions
        self._pace = Pace(conditions.rate)
        self._attempt = threading.local()
        self._errors = optional_imports.load("botocore.exceptions", "boto3")
        self._answered = time.monotonic()
        self._clients: queue.Queue[Any] = queue.Queue()
        try:
            for client in self._made(conditions):
                self._clients.put(client)
        except self._errors.BotoCoreError as error:
            raise complaint(error, None) from error

    @property
    def address(self) -> str:
        """Where calls go."""
        return self._address

    def ask(self, jpeg: bytes) -> Answer:
        """Send one picture; waits as long as calls are throttled.

        Raises:
            InputError: credentials, region or permission are wrong.
            DetectorError: the service cannot be reached, fails, or answers nonsense; or `close` was called.
        """
        client = self._clients.get()
        try:
            return self._asked(client, jpeg)
        finally:
            self._clients.put(client)

    def close(self) -> None:
        """Begin no more calls; those under way go on."""
        self._pace.close()

    def _made(self, conditions: Conditions) -> Sequence[Any]:
        session = optional_imports.load("boto3", "boto3").session.Session()
        if session.get_credentials() is None:
            raise InputError(
                "No AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and "
                "run the same command again."
            )
        config = optional_imports.load("botocore.config", "boto3").Config(
            retries={"mode": conditions.retries, "total_max_attempts": _ATTEMPTS},
            connect_timeout=conditions.connect,
            read_timeout=conditions.read,
            max_pool_connections=1,
        )
        clients = [session.client("rekognition", config=config) for _ in range(conditions.clients)]
        self._region: str = clients[0].meta.region_name
        self._address: str = clients[0].meta.endpoint_url
        _check_secrecy(self._address)
        for client in clients:
            client.meta.events.register(f"before-send.{_OPERATION}", self._before)
            client.meta.events.register(f"needs-retry.{_OPERATION}", self._after)
        return clients

    def _before(self, **_: object) -> None:
        self._attempt.trial = None
        self._attempt.trial = self._pace.wait()

    def _after(self, response: tuple[Any, Mapping[str, Any]] | None = None, **_: object) -> None:
        """An attempt has ended; whether botocore will make another is not ours to say."""
        trial: Trial | None = self._attempt.trial
        if trial is not None:
            code = response[1].get("Error", {}).get("Code") if response else None
            self._pace.heard(trial, throttled=code in THROTTLED)

    def _asked(self, client: Any, jpeg: bytes) -> Answer:
        failures = 0
        while True:
            try:
                answer = _read(client.detect_faces(Image={"Bytes": jpeg}, Attributes=[*self._conditions.attributes]))
            except (self._errors.BotoCoreError, self._errors.ClientError, _NonsenseError) as error:
                if self._throttled(error):
                    continue
                failures += 1
                said = complaint(error, self._region)
                if isinstance(said, InputError) or failures >= _ROUNDS:
                    raise said from error
                time.sleep(_PAUSE * 2 ** (failures - 1))
            else:
                self._answered = time.monotonic()
                return answer

    def _throttled(self, error: Exception) -> bool:
        """Whether the call may be made again for ever; not when no call at all is answered any more."""
        if not isinstance(error, self._errors.ClientError) or error.response["Error"].get("Code") not in THROTTLED:
            return False
        if time.monotonic() - self._answered > _PATIENCE:
            raise DetectorError(
                f"Rekognition has throttled every call for {_PATIENCE:g} s: make sure that nothing else uses up the "
                "account's quota, and run the same command again to resume."
            ) from error
        return True


class _NonsenseError(Exception):
    """An answer that is not one of DetectFaces."""


def _read(response: Mapping[str, Any]) -> Answer:
    try:
        faces = tuple(_face(detail) for detail in response["FaceDetails"])
        request = response["ResponseMetadata"]["RequestId"]
    except (KeyError, TypeError, ValueError) as error:
        raise _NonsenseError(f"{type(error).__name__} {error}") from error
    return Answer(str(request), faces)


def _face(detail: Mapping[str, Any]) -> tuple[float, float, float, float, float]:
    box = detail["BoundingBox"]
    left, top, width, height = (float(box[side]) for side in ("Left", "Top", "Width", "Height"))
    confidence = float(detail["Confidence"])
    if not all(map(math.isfinite, (left, top, width, height, confidence))) or not 0 <= confidence <= 100:
        raise ValueError(f"{box} with confidence {confidence}")
    return left, top, width, height, confidence


def _check_secrecy(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or parts.hostname == "localhost" or _is_loopback(parts.hostname or ""):
        return
    raise InputError(f"Frames would travel unencrypted to {address}: give an https address of Rekognition.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
