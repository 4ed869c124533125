"""Videos and documents as files that a browser streams or keeps: the source of a run, and what its releases hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine import access, audit, runs, store
from engine.access import Person
from engine.errors import AccessError, InputError, VeilError
from engine.runs import Run
from engine.store import data_folder

PersonOf = Callable[[Request], Person]
_HEADERS = {"Cache-Control": "no-store"}


class Outputs:
    """The answers.

    Args:
        person_of: says who asks, and raises AccessError when it is nobody who may.
    """

    def __init__(self, person_of: PersonOf) -> None:
        self._person_of = person_of

    def routes(self) -> tuple[BaseRoute, ...]:
        """Where the answers are."""
        return (
            Route("/api/sources/{run}", self._answered(self._source), methods=["GET"]),
            Route("/api/outputs/{run}/{number}/{name}", self._answered(self._output), methods=["GET"]),
        )

    def _answered(self, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def checked(request: Request) -> Response:
            try:
                return answer(request)
            except AccessError as error:
                return JSONResponse({"error": str(error)}, 403, _HEADERS)
            except VeilError as error:
                return JSONResponse({"error": str(error)}, 404, _HEADERS)

        return checked

    def _source(self, request: Request) -> Response:
        access.require(self._person_of(request), "look")
        run = _run(request)
        if not run.source.is_file():
            raise InputError(f"The source {run.source} is gone.")
        return FileResponse(run.source, headers=_HEADERS)

    def _output(self, request: Request) -> Response:
        """A file of a release to be played; with `keep=1` to be kept, which goes on record."""
        person, run = self._person_of(request), _run(request)
        path = file_of(run, str(request.path_params["number"]), str(request.path_params["name"]))
        if request.query_params.get("keep") != "1":
            access.require(person, "look")
            return FileResponse(path, headers=_HEADERS)
        note_download(data_folder(), person, run, path)
        return FileResponse(path, headers=_HEADERS, filename=path.name)


def file_of(run: Run, number: str, name: str) -> Path:
    """A file of a release of a run, by names that come from outside.

    Raises:
        InputError: there is no such file.
    """
    folder = run.folder.releases / number
    if number.isdecimal() and folder.is_dir():
        for path in folder.iterdir():
            if path.name == name and path.is_file():
                return path
    raise InputError(f"The release {number} of {run.id} holds no file {name!r}.")


def note_download(data: store.Data, person: Person, run: Run, path: Path) -> None:
    """Put on record that somebody takes a file of a release away.

    Raises:
        AccessError: they may not.
        AuditError: it cannot be put on record.
    """
    person = access.authorise(data, person, "download")
    subjects = {"output": store.file_digest(path)}
    event = audit.Event(actor=person.actor, kind="download", run=run.id, subjects=subjects, details={"file": path.name})
    audit.append(data.audit, event)


def _run(request: Request) -> Run:
    return runs.get(data_folder(), str(request.path_params["run"]))
