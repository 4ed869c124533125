"""The route of the sound that the canvas plays: excerpts of the first audio stream, as it is in the source."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine import access, runs
from engine.access import Person
from engine.errors import InputError
from engine.storage.data_folder import find_data_folder
from workbench.core import audio_choice, caches
from workbench.server.error_answers import NO_STORE_HEADERS, answer_errors


def build_sound_routes(person_from_request: Callable[[Request], Person]) -> tuple[BaseRoute, ...]:
    """Return the route.

    Args:
        person_from_request: returns the user of a request; raises AccessError if there is none.
    """

    def send(request: Request) -> Response:
        access.require_permission(person_from_request(request), "look")
        start_s, stop_s = (_parse_seconds(request.query_params.get(name, "")) for name in ("start", "stop"))
        excerpt = _make_excerpt(str(request.path_params["run"]), start_s, stop_s)
        return Response(excerpt, media_type="audio/wav", headers=NO_STORE_HEADERS)

    return (Route("/api/sound/{run}", answer_errors(send, 409), methods=["GET"]),)


def _make_excerpt(run_id: str, start_s: float, stop_s: float) -> bytes:
    run = runs.load_run(find_data_folder(), run_id)
    streams = audio_choice.list_kept_streams(run)
    if not streams:
        raise InputError(f"{run.title} has no audio.")
    return caches.get_audio_excerpt(run, streams[0].index, 1, (), (start_s, stop_s))


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e7:
        raise InputError(f"{text!r} is no time in seconds.")
    return seconds
