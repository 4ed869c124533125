"""The route of assisted masks: a task of the engine in a process of its own, its progress, its result, its end.

A task belongs to the person who started it. Nothing is masked by it: its result becomes an amendment when that person
saves it in the canvas. Its process ends with the server: then its standard input is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine import access, runs
from engine.access import Person
from engine.assist import describe_end
from engine.assist.messages import AssistAnswer, AssistRequest, Failure, Followed, Progress, Similar
from engine.assist.task import AssistTask
from engine.core.geometry import Box
from engine.core.json_decoder import decode_json
from engine.errors import InputError
from engine.record import Count
from engine.storage.data_folder import find_data_folder
from workbench.server.error_answers import NO_STORE_HEADERS, answer_errors
from workbench.server.frame_json import to_edges

_MAX_TASKS = 4
"""Most tasks of all people that work at once; each takes a core."""


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    """What the canvas asks: a frame, a box in display pixels, and what to do with it."""

    frame: Count
    box: Box
    wanted: Literal["follow", "similar"]


class _PersonalTask(NamedTuple):
    run: str
    serial: int
    task: AssistTask


class AssistRoutes:
    """The handlers of the routes of one server.

    Args:
        person_from_request: returns the user of a request; raises AccessError if there is none.
    """

    def __init__(self, person_from_request: Callable[[Request], Person]) -> None:
        self._person_from_request = person_from_request
        self._lock = threading.Lock()
        self._tasks: dict[str, _PersonalTask] = {}
        self._serial = 0

    def build_routes(self) -> tuple[BaseRoute, ...]:
        """Return the routes."""
        return (
            Route("/api/assist/{run}", self._start, methods=["POST"]),
            Route("/api/assist/{run}/{serial:int}", self._authorise(self._report), methods=["GET"]),
            Route("/api/assist/{run}/{serial:int}", self._authorise(self._end), methods=["DELETE"]),
        )

    async def _start(self, request: Request) -> Response:
        body = await request.body()
        # In a thread: starting and ending a process waits for the operating system.
        return await anyio.to_thread.run_sync(self._authorise(partial(self._begin, body=body)), request)

    def _authorise(self, handler: Callable[[Request, Person], Response]) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            person = self._person_from_request(request)
            access.require_permission(person, "look")
            access.require_permission(person, "amend")
            response = handler(request, person)
            response.headers.update(NO_STORE_HEADERS)
            return response

        return answer_errors(handle, 409)

    def _begin(self, request: Request, person: Person, *, body: bytes) -> Response:
        try:
            question = decode_json(body, type=_Question)
            data = find_data_folder()
            run = runs.load_run(data, str(request.path_params["run"]))
            asked = AssistRequest(
                source=str(run.source),
                record=str(run.folder.record),
                review=str(run.folder.review),
                frame=question.frame,
                box=question.box,
                wanted=question.wanted,
                models=str(data.models),
            )
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(f"The box is malformed: {error}.") from error
        # One task a person: a new one replaces the one before, which nobody waits for any more.
        self._remove(person.account)
        with self._lock:
            if sum(not one.task.ended for one in self._tasks.values()) >= _MAX_TASKS:
                raise InputError("Other reviewers are using this now. Try again in a moment.")
            self._serial += 1
            started = _PersonalTask(run.id, self._serial, AssistTask(asked))
            self._tasks[person.account] = started
        return JSONResponse({"serial": started.serial}, 202)

    def _report(self, request: Request, person: Person) -> Response:
        return JSONResponse(encode_answer(self._find(request, person).task.state))

    def _end(self, request: Request, person: Person) -> Response:
        self._find(request, person)
        self._remove(person.account)
        return Response(status_code=204)

    def _find(self, request: Request, person: Person) -> _PersonalTask:
        with self._lock:
            found = self._tasks.get(person.account)
        run, serial = str(request.path_params["run"]), int(request.path_params["serial"])
        if found is None or (found.run, found.serial) != (run, serial):
            raise InputError("This work was ended, here or in another window. Start it again.")
        return found

    def _remove(self, account: str) -> None:
        with self._lock:
            earlier = self._tasks.pop(account, None)
        if earlier is not None:
            earlier.task.end()


def encode_answer(answer: AssistAnswer) -> dict[str, Any]:
    """Encode the state of a task for the canvas."""
    match answer:
        case Progress(done, total):
            return {"state": "working", "done": done, "total": total}
        case Failure(sentence):
            return {"state": "failed", "sentence": sentence}
        case Followed(face):
            return {
                "state": "followed",
                "keyframes": [[one.index, to_edges(one.box)] for one in face.keyframes],
                "before": describe_end(face.before, backwards=True),
                "after": describe_end(face.after),
                "reason": face.reason,
            }
        case Similar(found):
            return {
                "state": "similar",
                "frame": found.frame,
                "box": to_edges(found.box),
                # As the amendment takes them, so that what is shown is what is saved.
                "places": msgspec.to_builtins(found.places),
                "left_off": found.left_off,
                "detector": found.detector,
            }
