"""Routes for the files of a run: source, releases, drafts, live recordings and playback copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from engine import access, release, runs
from engine.access import Person
from engine.access.run_context import RunContext
from engine.errors import AccessError, InputError
from engine.runs import Run
from engine.storage.data_folder import find_data_folder
from workbench.auth import request_origin
from workbench.server.error_answers import NO_STORE_HEADERS, answer_errors

PersonFromRequest = Callable[[Request], Person]


class FileRoutes:
    """The handlers of the routes.

    Args:
        person_from_request: returns the user of a request; raises AccessError if there is none.
    """

    def __init__(self, person_from_request: PersonFromRequest) -> None:
        self._person_from_request = person_from_request

    def build_routes(self) -> tuple[BaseRoute, ...]:
        """Return the routes."""
        return (
            Route("/api/sources/{run}", answer_errors(self._send_source, 404), methods=["GET"]),
            Route("/api/outputs/{run}/{number}/{name}", answer_errors(self._send_release_file, 404), methods=["GET"]),
            Route("/api/archives/{run}/{number}", answer_errors(self._send_archive, 404), methods=["GET"]),
            Route("/api/drafts/{run}/{name}", answer_errors(self._send_draft, 404), methods=["GET"]),
            Route("/api/live/{run}/{name}", answer_errors(self._send_live_file, 404), methods=["GET"]),
            Route("/api/copies/{run}/{name}", answer_errors(self._send_copy, 404), methods=["GET"]),
        )

    def _send_source(self, request: Request) -> Response:
        access.require_permission(self._person_from_request(request), "look")
        run = _find_run(request)
        if not run.source.is_file():
            raise InputError(run.explain_missing_source())
        return FileResponse(run.source, headers=NO_STORE_HEADERS)

    def _send_release_file(self, request: Request) -> Response:
        """Send a file of a release; with `keep=1` as a download, which is recorded."""
        run = _find_run(request)
        path = find_release_file(run, str(request.path_params["number"]), str(request.path_params["name"]))
        return self._send_file(request, run, path)

    def _send_archive(self, request: Request) -> Response:
        """Send a release as one ZIP; the download of its video and of its documents is recorded."""
        run, number = _find_run(request), str(request.path_params["number"])
        person = self._person_from_request(request)
        _require_own_page(request)
        folder = find_release_folder(run, number)
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            release.record_download(RunContext(find_data_folder(), run, person), path)
        name = f"{run.id}-release-{folder.name}"
        headers = {**NO_STORE_HEADERS, "Content-Disposition": f'attachment; filename="{name}.zip"'}
        return StreamingResponse(
            release.stream_release_archive(folder, name), media_type="application/zip", headers=headers
        )

    def _send_draft(self, request: Request) -> Response:
        """Send a draft; with `keep=1` as a download, which is recorded."""
        run = _find_run(request)
        return self._send_file(request, run, _find_file(run.folder.drafts, str(request.path_params["name"]), "draft"))

    def _send_live_file(self, request: Request) -> Response:
        """Send the recording or the record of a live run; with `keep=1` as a download, which is recorded."""
        run, name = _find_run(request), str(request.path_params["name"])
        for path in (run.folder.live_video, run.folder.record):
            if path.name == name and path.is_file() and run.request.detection.mode == "live":
                return self._send_file(request, run, path)
        raise InputError(f"The live run {run.id} has no file {name!r}.")

    def _send_copy(self, request: Request) -> Response:
        """Send a playback copy, which is only for the page."""
        access.require_permission(self._person_from_request(request), "look")
        return FileResponse(
            _find_file(_find_run(request).folder.browser_copies, str(request.path_params["name"]), "copy"),
            headers=NO_STORE_HEADERS,
        )

    def _send_file(self, request: Request, run: Run, path: Path) -> Response:
        person = self._person_from_request(request)
        if request.query_params.get("keep") != "1":
            access.require_permission(person, "look")
            return FileResponse(path, headers=NO_STORE_HEADERS)
        _require_own_page(request)
        # Recorded before a byte is sent: a download that cannot be logged does not happen.
        release.record_download(RunContext(find_data_folder(), run, person), path)
        return FileResponse(path, headers=NO_STORE_HEADERS, filename=path.name)


def _require_own_page(request: Request) -> None:
    # A picture or a link on another site would put downloads on record that the person never asked for.
    if not request_origin.comes_from_own_page(request):
        raise AccessError("Only a page of this workbench may start a download. Open Sign off and download there.")


def find_release_file(run: Run, number: str, name: str) -> Path:
    """Find a file of a release. Number and name come from the request and are not trusted.

    Raises:
        InputError: there is no such file.
    """
    return _find_file(find_release_folder(run, number), name, f"file of release {number}")


def find_release_folder(run: Run, number: str) -> Path:
    """Find the folder of a release. The number comes from the request and is not trusted.

    Raises:
        InputError: there is no such release.
    """
    folder = run.folder.releases / number
    if not number.isdecimal() or not folder.is_dir():
        raise InputError(f"The run {run.id} has no release {number!r}.")
    return folder


def _find_file(folder: Path, name: str, description: str) -> Path:
    """Find a file directly in a folder. Its name comes from the request, so it is never joined to a path."""
    paths = folder.iterdir() if folder.is_dir() else ()
    for path in paths:
        # Hidden files are not finished, for example while a video is being written.
        if path.name == name and path.is_file() and not name.startswith("."):
            return path
    raise InputError(f"There is no {description} named {name!r}.")


def _find_run(request: Request) -> Run:
    return runs.load_run(find_data_folder(), str(request.path_params["run"]))
