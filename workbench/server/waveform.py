"""The route of the sound in the timeline: peaks, measured once for each source and kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine import access, runs
from engine.access import Person
from engine.storage.data_folder import find_data_folder
from workbench.core.reviewed_run import load_reviewed_run
from workbench.core.viewing import get_viewers
from workbench.server.error_answers import NO_STORE_HEADERS, answer_errors

_MAX_PEAKS = 1200
"""Most peaks: a screen has no room for more."""


def build_waveform_routes(person_from_request: Callable[[Request], Person]) -> tuple[BaseRoute, ...]:
    """Return the route.

    Args:
        person_from_request: returns the user of a request; raises AccessError if there is none.
    """

    def send(request: Request) -> Response:
        access.require_permission(person_from_request(request), "look")
        return JSONResponse({"peaks": _measure(str(request.path_params["run"]))}, headers=NO_STORE_HEADERS)

    return (Route("/api/waveform/{run}", answer_errors(send, 409), methods=["GET"]),)


def _measure(run_id: str) -> tuple[float, ...]:
    reviewed = load_reviewed_run(runs.load_run(find_data_folder(), run_id))
    count = len(reviewed.record.frames)
    # The last frame lasts as long as the others do; for a drawing, that is exact enough.
    duration_s = reviewed.get_frame_time_s(count - 1) + reviewed.record.frame_s
    return _measure_source(reviewed.run.source, reviewed.record_sha256, min(_MAX_PEAKS, count), duration_s)


@lru_cache(maxsize=16)
def _measure_source(source: Path, _record_sha256: str, count: int, duration_s: float) -> tuple[float, ...]:
    return get_viewers().measure_waveform(source, count, duration_s)
