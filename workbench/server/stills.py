"""Routes for the review canvas: stills, faces of frames, and reports of viewed frames.

Every request is checked for its user and their permissions, like a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine import access, runs
from engine.access import Person
from engine.access.run_context import RunContext
from engine.approval.reviewer_actions import ReviewerActions
from engine.core.geometry import Box, Size
from engine.core.json_decoder import decode_json
from engine.errors import AccessError, InputError, RunError, SignOffError
from engine.masking.presets import DEFAULT_PRESET
from engine.rendering.still import StillOptions
from engine.runs import Run
from engine.storage.data_folder import find_data_folder
from workbench.auth import request_origin
from workbench.core import shown_style
from workbench.core.reviewed_run import ReviewedRun, load_reviewed_run
from workbench.core.viewing import get_viewers
from workbench.server import frame_json, people
from workbench.server.still_cache import StillCache

_MAX_CONCURRENT_REQUESTS = 3
"""Most requests that decode at the same time; others wait."""
_PREFETCH_PARAMETER = "ahead"
"""Query parameter of a prefetch request. One is answered at a time, so that a decoder stays free for other requests."""
_CLIENT_CLOSED_STATUS = 499
"""Status of a request that the browser cancelled while it waited."""
_MAX_FRAMES = 1024
"""Most frames in one answer."""
_LONGER_SIDES_PX = (640, 960, 1280, 1920, 2560)
"""Sizes of the longer side of stills. The first one that is large enough is used, else the full size. There are few,
because each size of a frame takes its own place in the cache."""


_MAX_PORTRAIT_BYTES = 16 << 20
"""Most bytes of small pictures of faces."""


class _ViewedReport(msgspec.Struct, forbid_unknown_fields=True):
    """Half-open ranges of frame indices."""

    ranges: Annotated[tuple[tuple[int, int], ...], msgspec.Meta(max_length=10_000)]


class StillRoutes:
    """The handlers of the routes of one server.

    Args:
        person_from_request: returns the user of a request; raises AccessError if there is none.
        still_cache: makes and caches stills; None: a new one.
    """

    def __init__(self, person_from_request: Callable[[Request], Person], still_cache: StillCache | None = None) -> None:
        self._person_from_request = person_from_request
        self._still_cache = still_cache or StillCache(get_viewers())
        # A cache of its own: there are many small pictures, and they must not push out the stills.
        self._portrait_cache = StillCache(get_viewers(), _MAX_PORTRAIT_BYTES)
        self._limits: tuple[anyio.CapacityLimiter, anyio.CapacityLimiter] | None = None

    def build_routes(self) -> tuple[BaseRoute, ...]:
        """Return the routes."""
        return (
            Route("/api/stills/{run}/{index:int}", self._limit_requests(self._send_still), methods=["GET"]),
            Route("/api/portraits/{run}/{index:int}", self._limit_requests(self._send_portrait), methods=["GET"]),
            Route("/api/people/{run}", self._limit_requests(self._send_people), methods=["GET"]),
            Route("/api/seen/{run}", self._receive_viewed, methods=["POST"]),
            Route("/api/frames/{run}/{start:int}-{stop:int}", self._limit_requests(self._send_frames), methods=["GET"]),
        )

    def _limit_requests(self, handler: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            # Limiters belong to the event loop that runs when they are made.
            self._limits = self._limits or (anyio.CapacityLimiter(_MAX_CONCURRENT_REQUESTS), anyio.CapacityLimiter(1))
            async with self._limits[request.query_params.get(_PREFETCH_PARAMETER) == "1"]:
                # The reviewer may have stepped on meanwhile; a still that no page waits for would delay the next one.
                if await request.is_disconnected():
                    return Response(status_code=_CLIENT_CLOSED_STATUS)
                return await anyio.to_thread.run_sync(partial(self._call_handler, handler, request))

        return handle

    def _call_handler(self, handler: Callable[[Request], Response], request: Request) -> Response:
        try:
            access.require_permission(self._person_from_request(request), "look")
            response = handler(request)
        except AccessError as error:
            response = _build_error(403, str(error))
        except (RunError, IndexError) as error:
            response = _build_error(404, str(error))
        except (InputError, SignOffError) as error:
            response = _build_error(409, str(error))
        # Stills show people, so no browser may keep them on disk.
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _receive_viewed(self, request: Request) -> Response:
        """Receive a report of viewed frames; only the Review page of this server may send it."""
        # Viewed frames are evidence. A form of another site cannot set a header, and no script can fake its origin.
        if request.headers.get("x-veil") != "review" or not request_origin.is_same_origin(request):
            return _build_error(403, "Only the Review page may report viewed frames.")
        body = await request.body()
        return await self._limit_requests(partial(self._record_viewed, body=body))(request)

    def _record_viewed(self, request: Request, *, body: bytes) -> Response:
        try:
            report = decode_json(body, type=_ViewedReport)
        except msgspec.MsgspecError as error:
            raise InputError(f"The report of viewed frames is malformed: {error}.") from error
        reviewed = _load_reviewed_run(request)
        actions = ReviewerActions(
            RunContext(find_data_folder(), reviewed.run, self._person_from_request(request)), reviewed.record_sha256
        )
        actions.record_viewed(len(reviewed.record.frames), report.ranges)
        return Response(status_code=204)

    def _send_still(self, request: Request) -> Response:
        reviewed = _load_reviewed_run(request)
        data = self._still_cache.get_still(
            reviewed, int(request.path_params["index"]), _parse_still_options(request, reviewed.run)
        )
        return Response(data, media_type="image/jpeg")

    def _send_portrait(self, request: Request) -> Response:
        reviewed = _load_reviewed_run(request)
        box = _parse_box(request.query_params.get("box", ""), reviewed.record.display)
        data = self._portrait_cache.get_portrait(reviewed, int(request.path_params["index"]), box)
        return Response(data, media_type="image/jpeg")

    def _send_people(self, request: Request) -> Response:
        body = people.encode_people(_load_reviewed_run(request))
        return Response(msgspec.json.encode(body), media_type="application/json")

    def _send_frames(self, request: Request) -> Response:
        reviewed = _load_reviewed_run(request)
        start = int(request.path_params["start"])
        stop = min(int(request.path_params["stop"]), start + _MAX_FRAMES, len(reviewed.record.frames))
        body = {
            "revision": reviewed.review.sha256,
            "frames": [frame_json.encode_frame(reviewed, index) for index in range(start, stop)],
        }
        return Response(msgspec.json.encode(body), media_type="application/json")


def _load_reviewed_run(request: Request) -> ReviewedRun:
    return load_reviewed_run(runs.load_run(find_data_folder(), str(request.path_params["run"])))


def _parse_still_options(request: Request, run: Run) -> StillOptions:
    parameters = request.query_params
    side = parameters.get("side", "")
    longest = next((size for size in _LONGER_SIDES_PX if size >= int(side)), None) if _is_number(side) else None
    return StillOptions(
        longest,
        shown_style.resolve_shown_style(parameters.get("style", DEFAULT_PRESET), run)
        if parameters.get("masked") == "1"
        else None,
    )


def _parse_box(text: str, size: Size) -> Box | None:
    """Parse `left,top,right,bottom`; None: the whole frame.

    Raises:
        InputError: it is no box inside the frame.
    """
    if not text:
        return None
    try:
        box = Box(*map(float, text.split(","))).clip(size)
    except (TypeError, ValueError) as error:
        raise InputError(f"{text!r} is not a box: {error}.") from error
    if box is None:
        raise InputError(f"The box {text} is outside of the frame.")
    return box


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6


def _build_error(status: int, message: str) -> Response:
    body: dict[str, Any] = {"error": message}
    return JSONResponse(body, status)
