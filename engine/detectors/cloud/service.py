"""Amazon Rekognition's DetectFaces through boto3: one client for each thread, calls at the rate of the account.

boto3 finds credentials and region in its usual places; no other code reads them. Botocore retries calls that may
succeed later. All clients share one rate limiter, which delays every attempt, botocore's retries included. Botocore's
"adaptive" mode adds a limit of its own, which falls with every throttled call, even with those that a lower rate would
not avoid; `engine.detectors.cloud.rate_limit` uses the whole quota.
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
from engine.detectors.cloud.answer_cache import ServiceAnswer
from engine.detectors.cloud.error_messages import THROTTLING_CODES, to_veil_error
from engine.detectors.cloud.rate_limit import RateLimiter, RateTrial
from engine.errors import DetectorError, InputError

_BOTO_OPERATION = "rekognition.DetectFaces"
_BOTO_ATTEMPTS = 2
"""Attempts of botocore for one call; few, because its pauses grow, and a frame waits all the time."""
_MAX_ROUNDS = 3
"""Rounds of such attempts if the error is not throttling."""
_FIRST_PAUSE_S = 0.5
"""Pause before the second round; each further pause is twice as long."""
_MAX_THROTTLED_S = 150.0
"""Time without any answer, with all calls throttled, after which the run ends."""


@dataclass(frozen=True)
class CallSettings:
    """Settings of the calls.

    Attributes:
        clients: greatest number of calls at once.
        max_calls_per_s: greatest number of calls a second. None: unlimited.
        connect_timeout_s: seconds to wait for a connection.
        read_timeout_s: seconds to wait for an answer.
        retry_mode: botocore's retry mode, "standard" or "adaptive".
        attributes: face attributes that DetectFaces returns.
    """

    clients: int
    max_calls_per_s: float | None
    connect_timeout_s: float
    read_timeout_s: float
    retry_mode: str = "standard"
    attributes: Sequence[str] = ("DEFAULT",)


class RekognitionClient:
    """A client of the service; many threads may call `detect_faces` at once.

    Raises:
        InputError: boto3, the credentials or the region are missing, or pictures would be sent without encryption.
    """

    def __init__(self, conditions: CallSettings) -> None:
        # Without this, boto3 contacts the metadata service of EC2 too. A user on EC2 can set the variable to "false".
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
        self._conditions = conditions
        self._rate_limiter = RateLimiter(conditions.max_calls_per_s)
        self._attempt = threading.local()
        self._errors = optional_imports.import_library("botocore.exceptions", "boto3")
        self._last_answer_at = time.monotonic()
        self._clients: queue.Queue[Any] = queue.Queue()
        try:
            for client in self._create_clients(conditions):
                self._clients.put(client)
        except self._errors.BotoCoreError as error:
            raise to_veil_error(error, None) from error

    @property
    def endpoint(self) -> str:
        """Address of the service."""
        return self._endpoint

    def detect_faces(self, jpeg: bytes) -> ServiceAnswer:
        """Send one picture; wait while calls are throttled.

        Raises:
            InputError: credentials, region or permission are wrong.
            DetectorError: the service cannot be reached, fails, or gives an invalid answer; or `close` was called.
        """
        client = self._clients.get()
        try:
            return self._call_with_retries(client, jpeg)
        finally:
            self._clients.put(client)

    def close(self) -> None:
        """Start no more calls; those under way continue."""
        self._rate_limiter.close()

    def _create_clients(self, conditions: CallSettings) -> Sequence[Any]:
        session = optional_imports.import_library("boto3", "boto3").session.Session()
        if session.get_credentials() is None:
            raise InputError(
                "No AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and "
                "run the same command again."
            )
        config = optional_imports.import_library("botocore.config", "boto3").Config(
            retries={"mode": conditions.retry_mode, "total_max_attempts": _BOTO_ATTEMPTS},
            connect_timeout=conditions.connect_timeout_s,
            read_timeout=conditions.read_timeout_s,
            max_pool_connections=1,
        )
        clients = [session.client("rekognition", config=config) for _ in range(conditions.clients)]
        self._region: str = clients[0].meta.region_name
        self._endpoint: str = clients[0].meta.endpoint_url
        _check_encrypted(self._endpoint)
        for client in clients:
            client.meta.events.register(f"before-send.{_BOTO_OPERATION}", self._before_attempt)
            client.meta.events.register(f"needs-retry.{_BOTO_OPERATION}", self._after_attempt)
        return clients

    def _before_attempt(self, **_: object) -> None:
        # Reset first: if the wait is interrupted, the outcome must not be counted for the attempt before.
        self._attempt.trial = None
        self._attempt.trial = self._rate_limiter.wait_for_slot()

    def _after_attempt(self, response: tuple[Any, Mapping[str, Any]] | None = None, **_: object) -> None:
        """Record the outcome of an attempt; return None, so that botocore alone decides about another one."""
        trial: RateTrial | None = self._attempt.trial
        if trial is not None:
            code = response[1].get("Error", {}).get("Code") if response else None
            self._rate_limiter.record_outcome(trial, throttled=code in THROTTLING_CODES)

    def _call_with_retries(self, client: Any, jpeg: bytes) -> ServiceAnswer:
        failures = 0
        while True:
            try:
                answer = _parse_response(
                    client.detect_faces(Image={"Bytes": jpeg}, Attributes=[*self._conditions.attributes])
                )
            except (self._errors.BotoCoreError, self._errors.ClientError, _NonsenseError) as error:
                if self._is_throttled(error):
                    continue
                failures += 1
                veil_error = to_veil_error(error, self._region)
                # An input error, such as wrong credentials, would only repeat itself.
                if isinstance(veil_error, InputError) or failures >= _MAX_ROUNDS:
                    raise veil_error from error
                time.sleep(_FIRST_PAUSE_S * 2 ** (failures - 1))
            else:
                self._last_answer_at = time.monotonic()
                return answer

    def _is_throttled(self, error: Exception) -> bool:
        """Return True if the call was throttled and may be repeated without limit.

        Raises:
            DetectorError: no call at all has been answered for too long.
        """
        if (
            not isinstance(error, self._errors.ClientError)
            or error.response["Error"].get("Code") not in THROTTLING_CODES
        ):
            return False
        if time.monotonic() - self._last_answer_at > _MAX_THROTTLED_S:
            raise DetectorError(
                f"Rekognition has throttled every call for {_MAX_THROTTLED_S:g} s: make sure that nothing else uses up "
                "the account's quota, and run the same command again to resume."
            ) from error
        return True


class _NonsenseError(Exception):
    """An answer that is not one of DetectFaces."""


def _parse_response(response: Mapping[str, Any]) -> ServiceAnswer:
    try:
        faces = tuple(_parse_face(detail) for detail in response["FaceDetails"])
        request = response["ResponseMetadata"]["RequestId"]
    except (KeyError, TypeError, ValueError) as error:
        raise _NonsenseError(f"{type(error).__name__} {error}") from error
    return ServiceAnswer(str(request), faces)


def _parse_face(detail: Mapping[str, Any]) -> tuple[float, float, float, float, float]:
    # Checked here, because the answer is cached: an invalid one would fail again in every later run.
    box = detail["BoundingBox"]
    left, top, width, height = (float(box[side]) for side in ("Left", "Top", "Width", "Height"))
    confidence = float(detail["Confidence"])
    if not all(map(math.isfinite, (left, top, width, height, confidence))) or not 0 <= confidence <= 100:
        raise ValueError(f"{box} with confidence {confidence}")
    return left, top, width, height, confidence


def _check_encrypted(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or parts.hostname == "localhost" or _is_loopback(parts.hostname or ""):
        return
    raise InputError(f"Frames would travel unencrypted to {address}: give an https address of Rekognition.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
