"""Error messages for failed calls to Rekognition: the one place where errors of boto3 become errors of Veil."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import DetectorError, InputError, VeilError

THROTTLING_CODES = frozenset({
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException",
    "TooManyRequestsException",
})  # fmt: skip
"""Codes with which the service refuses a call because there are too many."""

_RESUME_HINT = "then run the same command again to resume"
_UNREACHABLE_HINT = "check the network and the region, " + _RESUME_HINT
_MESSAGES_BY_CODE: Mapping[str, tuple[type[VeilError], str]] = {
    "AccessDeniedException": (InputError, "refused access: allow rekognition:DetectFaces to these credentials"),
    "UnrecognizedClientException": (InputError, "does not know these AWS credentials: check the access key"),
    "InvalidClientTokenId": (InputError, "does not know these AWS credentials: check the access key"),
    "IncompleteSignature": (InputError, "cannot read the signature: check the AWS credentials"),
    "ExpiredTokenException": (InputError, "says that these AWS credentials have expired: get new ones"),
    "ExpiredToken": (InputError, "says that these AWS credentials have expired: get new ones"),
    "RequestExpired": (InputError, "says that this machine's clock is wrong: set it"),
    "RequestTimeTooSkewed": (InputError, "says that this machine's clock is wrong: set it"),
    "ImageTooLargeException": (InputError, "says that a picture is too large: lower rekognition.size"),
    "InvalidImageFormatException": (DetectorError, "cannot read a picture as JPEG: check that no proxy changes it"),
    "InternalServerError": (DetectorError, "failed inside (InternalServerError): wait a while"),
    "ServiceUnavailable": (DetectorError, "is not available at the moment: wait a while"),
}
_MESSAGES_BY_EXCEPTION: Mapping[str, tuple[type[VeilError], str]] = {
    "NoCredentialsError": (InputError, "No AWS credentials were found: set them, or AWS_PROFILE"),
    "PartialCredentialsError": (InputError, "The AWS credentials are not complete: set key and secret"),
    "CredentialRetrievalError": (InputError, "The AWS credentials cannot be fetched: check the profile"),
    "TokenRetrievalError": (InputError, "The AWS sign-on has expired: sign in again"),
    "UnauthorizedSSOTokenError": (InputError, "The AWS sign-on has expired: sign in again"),
    "ProfileNotFound": (InputError, "The AWS profile does not exist: check AWS_PROFILE"),
    "NoRegionError": (InputError, "No AWS region was given: set AWS_DEFAULT_REGION, as eu-west-1"),
    "InvalidRegionError": (InputError, "The AWS region is not spelled like one: set AWS_DEFAULT_REGION, as eu-west-1"),
    "ConnectTimeoutError": (DetectorError, "Rekognition{place} does not take connections: " + _UNREACHABLE_HINT),
    "ReadTimeoutError": (DetectorError, "Rekognition{place} gave no answer in time: check the network"),
    "EndpointConnectionError": (DetectorError, "Rekognition{place} cannot be reached: " + _UNREACHABLE_HINT),
    "ConnectionClosedError": (
        DetectorError,
        "Rekognition{place} closed the connection before its answer was complete: check the network",
    ),
    "ProxyConnectionError": (DetectorError, "The proxy on the way to Rekognition cannot be reached: check its address"),
    "SSLError": (DetectorError, "The connection to Rekognition{place} is not the secure one it should be: check TLS"),
    "_NonsenseError": (
        DetectorError,
        "Rekognition{place} gave an answer that is cut short or not one of DetectFaces: check the proxies in between",
    ),
}


def to_veil_error(error: Exception, region: str | None) -> VeilError:
    """Convert an error of boto3; the message names the region and never the credentials."""
    place = f" in {region}" if region else ""
    response = getattr(error, "response", None)
    if response is not None:
        return _error_from_response(response, place)
    kind, sentence = next(
        (
            _MESSAGES_BY_EXCEPTION[base.__name__]
            for base in type(error).__mro__
            if base.__name__ in _MESSAGES_BY_EXCEPTION
        ),
        (DetectorError, f"Rekognition{{place}} cannot be asked ({type(error).__name__}): check the network"),
    )
    return _build_error(kind, sentence.format(place=place))


def _error_from_response(response: Mapping[str, Any], place: str) -> VeilError:
    """Convert an error that the service returned."""
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    # The same code stands for a wrong key and for a wrong clock; only the message tells them apart.
    if code == "InvalidSignatureException":
        skewed = "expired" in message or "not yet current" in message
        code = "RequestExpired" if skewed else "UnrecognizedClientException"
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind, sentence = _MESSAGES_BY_CODE.get(code) or _unknown_code_message(code, status)
    return _build_error(kind, f"Rekognition{place} {sentence}")


def _unknown_code_message(code: str, status: int) -> tuple[type[VeilError], str]:
    if status >= 500:
        return DetectorError, f"failed inside (status {status}): wait a while"
    return InputError, f"refused a call ({code or status}): check the account"


def _build_error(kind: Callable[[str], VeilError], sentence: str) -> VeilError:
    return kind(f"{sentence}." if sentence.endswith(_RESUME_HINT) else f"{sentence}, {_RESUME_HINT}.")
