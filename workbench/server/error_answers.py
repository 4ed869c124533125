"""How the routes of files and tasks answer when the engine refuses or fails."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.errors import AccessError, VeilError

NO_STORE_HEADERS = {"Cache-Control": "no-store"}
"""What a person may see now, another one at the same browser may not."""


def answer_errors(handler: Callable[[Request], Response], failure_status: int) -> Callable[[Request], Response]:
    """Return the handler with an answer in JSON for each error of the engine.

    The result is not async: Starlette runs it on a thread, so that waiting for a disk or a process does not stop the
    event loop.

    Args:
        handler: answers the request.
        failure_status: status of errors other than a refusal, which has 403.
    """

    def handle(request: Request) -> Response:
        try:
            return handler(request)
        except AccessError as error:
            return JSONResponse({"error": str(error)}, 403, NO_STORE_HEADERS)
        except VeilError as error:
            return JSONResponse({"error": str(error)}, failure_status, NO_STORE_HEADERS)

    return handle
