"""What the review canvas fetches beside Streamlit: stills, faces of frames, and where to tell what was seen.

Every request is checked for who asks and what they may do, like a page.
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
from engine.approval.reviewer_actions import Desk
from engine.errors import AccessError, InputError, RunError, SignOffError
from engine.masking.presets import DEFAULT
from engine.rendering.still import Look
from engine.runs import Run
from engine.storage.files import data_folder
from workbench.auth import middleware
from workbench.core import shown_style
from workbench.core.reviewed_run import Case, case_of
from workbench.server import frame_json
from workbench.server.still_cache import Shelf

_AT_ONCE = 3
"""Requests that decode at the same time; the others wait."""
_AHEAD = "ahead"
"""Query parameter of a request that nobody waits for; one is answered at a time, so that a decoder is always free."""
_GONE = 499
"""Status where the browser has given up a request while it waited for its turn; nobody reads it."""
_STRETCH = 1024
"""Most frames whose faces one answer tells."""
_SIZES = (640, 960, 1280, 1920, 2560)
"""Longer sides in which stills are made: the first that is enough, beyond the last one the whole picture."""


class _Seen(msgspec.Struct, forbid_unknown_fields=True):
    """Half-open ranges of frame indices."""

    ranges: Annotated[tuple[tuple[int, int], ...], msgspec.Meta(max_length=10_000)]


class Stills:
    """The answers. One object serves one server.

    Args:
        person_of: says who asks, and raises AccessError when it is nobody who may.
        shelf: where stills are made and kept.
    """

    def __init__(self, person_of: Callable[[Request], Person], shelf: Shelf | None = None) -> None:
        self._person_of = person_of
        self._shelf = shelf or Shelf()
        self._limits: tuple[anyio.CapacityLimiter, anyio.CapacityLimiter] | None = None

    def routes(self) -> tuple[BaseRoute, ...]:
        """Where the answers are."""
        return (
            Route("/api/stills/{run}/{index:int}", self._guarded(self._still), methods=["GET"]),
            Route("/api/seen/{run}", self._seen, methods=["POST"]),
            Route("/api/frames/{run}/{start:int}-{stop:int}", self._guarded(self._stretch), methods=["GET"]),
        )

    def _guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            # Limiters belong to the event loop that runs when they are made.
            self._limits = self._limits or (anyio.CapacityLimiter(_AT_ONCE), anyio.CapacityLimiter(1))
            async with self._limits[request.query_params.get(_AHEAD) == "1"]:
                if await request.is_disconnected():
                    return Response(status_code=_GONE)
                return await anyio.to_thread.run_sync(partial(self._checked, answer, request))

        return answered

    def _checked(self, answer: Callable[[Request], Response], request: Request) -> Response:
        try:
            access.require(self._person_of(request), "look")
            response = answer(request)
        except AccessError as error:
            response = _complaint(403, str(error))
        except (RunError, IndexError) as error:
            response = _complaint(404, str(error))
        except (InputError, SignOffError) as error:
            response = _complaint(409, str(error))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _seen(self, request: Request) -> Response:
        """Frames that the person saw, told by the canvas of this server's own page and by no other."""
        if request.headers.get("x-veil") != "review" or not middleware.same_origin(request):
            return _complaint(403, "Only the Review page tells what was seen.")
        body = await request.body()
        return await self._guarded(partial(self._note, body=body))(request)

    def _note(self, request: Request, *, body: bytes) -> Response:
        try:
            told = msgspec.json.decode(body, type=_Seen)
        except msgspec.MsgspecError as error:
            raise InputError(f"That does not say which frames were seen: {error}.") from error
        case = _case(request)
        desk = Desk(data_folder(), self._person_of(request), case.run, case.record_sha256)
        desk.saw(len(case.record.frames), told.ranges)
        return Response(status_code=204)

    def _still(self, request: Request) -> Response:
        case = _case(request)
        data = self._shelf.still(case, int(request.path_params["index"]), _look(request, case.run))
        return Response(data, media_type="image/jpeg")

    def _stretch(self, request: Request) -> Response:
        case = _case(request)
        start = int(request.path_params["start"])
        stop = min(int(request.path_params["stop"]), start + _STRETCH, len(case.record.frames))
        told = {
            "revision": case.review.sha256,
            "frames": [frame_json.told(case, index) for index in range(start, stop)],
        }
        return Response(msgspec.json.encode(told), media_type="application/json")


def _case(request: Request) -> Case:
    return case_of(runs.get(data_folder(), str(request.path_params["run"])))


def _look(request: Request, run: Run) -> Look:
    asked = request.query_params
    side = asked.get("side", "")
    longest = next((size for size in _SIZES if size >= int(side)), None) if _is_number(side) else None
    return Look(longest, shown_style.named(asked.get("style", DEFAULT), run) if asked.get("masked") == "1" else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6


def _complaint(status: int, sentence: str) -> Response:
    told: dict[str, Any] = {"error": sentence}
    return JSONResponse(told, status)
