"""Unix socket through which another program on the machine controls a live run.

Each request is a line with one JSON object: the fields of `engine.live.controls.LiveControlsState` to change, none to
read the state only. Each reply is a line with one JSON object: `look` and `counters`, or `error`. Only the owner of the
socket's file can connect.
"""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.core.closeable import Closeable
from engine.core.json_decoder import decode_json
from engine.errors import TargetError, VeilError
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounters
from engine.record import Document


class StatusReply(Document, frozen=True):
    """Reply with the state of the controls, under its old name `look`, and the counters."""

    look: LiveControlsState
    counters: LiveCounters


class ErrorReply(Document, frozen=True):
    """Reply to a change that is refused."""

    error: str


class ControlSocket(Closeable):
    """Serves the socket until it is closed. A context manager.

    Args:
        path: path of the socket file.
        controls: the controls to change.
        counters: returns the counters as they are now.

    Raises:
        TargetError: the socket cannot be created.
    """

    def __init__(self, path: Path, controls: LiveControls, counters: Callable[[], LiveCounters]) -> None:
        self._path = path

        class Handler(socketserver.StreamRequestHandler):
            """Serves one connection."""

            def handle(self) -> None:
                """Reply to each line."""
                for line in self.rfile:
                    self.wfile.write(_handle_line(line, controls, counters) + b"\n")

        # The file must never be open to others, not even between bind and chmod. The umask is of the whole process, so
        # files that other threads create in this moment are private too, which does no harm.
        old = os.umask(0o177)
        try:
            self._server = _Server(str(path), Handler)
        except OSError as error:
            raise TargetError(
                f"The control socket {path} cannot be created ({error.strerror}). Give a path that does not exist yet."
            ) from error
        finally:
            os.umask(old)
        threading.Thread(target=self._server.serve_forever, name="control socket", daemon=True).start()

    def close(self) -> None:
        """Close the socket and remove its file."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


def _handle_line(line: bytes, controls: LiveControls, counters: Callable[[], LiveCounters]) -> bytes:
    try:
        changes = decode_json(line or b"{}", type=dict[str, Any])
        state = controls.change(**changes) if changes else controls.state
    except (msgspec.MsgspecError, VeilError) as error:
        return msgspec.json.encode(ErrorReply(str(error)))
    return msgspec.json.encode(StatusReply(state, counters()))
