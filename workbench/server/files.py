"""Videos and documents as files that a browser streams or keeps: of a run its source, releases, drafts and copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine import access, audit, runs
from engine.access import Person
from engine.errors import AccessError, InputError, VeilError
from engine.runs import Run
from engine.runs.run import recording
from engine.storage import files
from engine.storage.files import data_folder

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
            Route("/api/drafts/{run}/{name}", self._answered(self._draft), methods=["GET"]),
            Route("/api/live/{run}/{name}", self._answered(self._live), methods=["GET"]),
            Route("/api/copies/{run}/{name}", self._answered(self._copy), methods=["GET"]),
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
        run = _run(request)
        path = file_of(run, str(request.path_params["number"]), str(request.path_params["name"]))
        return self._given(request, run, path)

    def _draft(self, request: Request) -> Response:
        """A draft likewise."""
        run = _run(request)
        return self._given(request, run, _file_in(run.folder.drafts, str(request.path_params["name"]), "draft"))

    def _live(self, request: Request) -> Response:
        """What a live run showed, or its record, likewise."""
        run, name = _run(request), str(request.path_params["name"])
        for path in (recording(run.folder), run.folder.record):
            if path.name == name and path.is_file() and run.request.detection.mode == "live":
                return self._given(request, run, path)
        raise InputError(f"The live run {run.id} left no {name!r}.")

    def _copy(self, request: Request) -> Response:
        """A copy that browsers play, which is not to be kept."""
        access.require(self._person_of(request), "look")
        return FileResponse(
            _file_in(_run(request).folder.copies, str(request.path_params["name"]), "copy"), headers=_HEADERS
        )

    def _given(self, request: Request, run: Run, path: Path) -> Response:
        person = self._person_of(request)
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
    if not number.isdecimal():
        raise InputError(f"The run {run.id} has no release {number!r}.")
    return _file_in(folder, name, f"file of release {number}")


def _file_in(folder: Path, name: str, what: str) -> Path:
    """A file that lies in a folder itself, by a name that comes from outside."""
    found = folder.iterdir() if folder.is_dir() else ()
    for path in found:
        if path.name == name and path.is_file() and not name.startswith("."):
            return path
    raise InputError(f"There is no {what} that is called {name!r}.")


def note_download(data: files.Data, person: Person, run: Run, path: Path) -> None:
    """Put on record that somebody takes a file of a release away.

    Raises:
        AccessError: they may not.
        AuditError: it cannot be put on record.
    """
    person = access.authorise(data, person, "download")
    subjects = {"output": files.file_digest(path)}
    event = audit.Event(actor=person.actor, kind="download", run=run.id, subjects=subjects, details={"file": path.name})
    audit.append(data.audit, event)


def _run(request: Request) -> Run:
    return runs.get(data_folder(), str(request.path_params["run"]))
