"""The route of the previews: small pictures of frames in a row, which the canvas fetches while nothing else goes on."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine import access, runs
from engine.access import Person
from engine.errors import InputError
from engine.storage.data_folder import find_data_folder
from workbench.core.reviewed_run import load_reviewed_run
from workbench.core.viewing import get_viewers
from workbench.server.error_answers import NO_STORE_HEADERS, answer_errors

_MAX_FRAMES = 256
"""Most frames that are decoded for one answer, so that a request of another person does not wait for long."""
_HEADER = struct.Struct("<II")
"""In front of each picture: index of the frame, number of bytes."""


class PreviewRoutes:
    """The handler of the route of one server.

    Args:
        person_from_request: returns the user of a request; raises AccessError if there is none.
    """

    def __init__(self, person_from_request: Callable[[Request], Person]) -> None:
        self._person_from_request = person_from_request
        self._lock = threading.Lock()

    def build_routes(self) -> tuple[BaseRoute, ...]:
        """Return the route."""
        path = "/api/previews/{run}/{start:int}-{stop:int}"
        return (Route(path, answer_errors(self._send, 409), methods=["GET"]),)

    def _send(self, request: Request) -> Response:
        access.require_permission(self._person_from_request(request), "look")
        reviewed = load_reviewed_run(runs.load_run(find_data_folder(), str(request.path_params["run"])))
        start, stop = int(request.path_params["start"]), int(request.path_params["stop"])
        step, lead = _parse_number(request, "step", 1), _parse_number(request, "lead", 0)
        if not 0 <= start < min(stop, len(reviewed.record.frames)):
            raise InputError(f"{reviewed.run.id} has no frames {start} to {stop}.")
        # One at a time for all: they are made ahead, and whoever waits for a still needs the processor more.
        with self._lock:
            viewer = get_viewers().open_source(reviewed.run.source, reviewed.record, reviewed.record_sha256)
            previews = viewer.read_previews(start, min(stop, start + _MAX_FRAMES), step, lead)
        return Response(_pack(previews), media_type="application/octet-stream", headers=NO_STORE_HEADERS)


def _parse_number(request: Request, name: str, least: int) -> int:
    """Return a number of frames of the query, or the least that it may be if it is left out."""
    text = request.query_params.get(name, str(least))
    if not (text.isascii() and text.isdecimal() and least <= int(text[:6]) <= _MAX_FRAMES):
        raise InputError(f"{text!r} is no {name} in frames.")
    return int(text)


def _pack(previews: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(part for index, jpeg in previews for part in (_HEADER.pack(index, len(jpeg)), jpeg))
