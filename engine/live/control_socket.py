"""A Unix socket through which another program on the machine drives a live run.

One JSON object a line comes in, with fields of `engine.live.controls.Look` that are to change (none to ask only); one
goes back: `look` and `counters`, or `error`. Whoever may write to the socket's file may drive the run: its owner.
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
from engine.errors import TargetError, VeilError
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounters
from engine.record import Document


class StatusReply(Document, frozen=True):
    """What the socket says: how frames are shown now, and what was counted."""

    look: LiveControlsState
    counters: LiveCounters


class ErrorReply(Document, frozen=True):
    """What the socket says to a change that cannot be made."""

    error: str


class ControlSocket(Closeable):
    """Serves a socket until it is closed; a context manager.

    Args:
        path: where the socket is made.
        controls: what it changes.
        counters: what was counted until now.

    Raises:
        TargetError: the socket cannot be made there.
    """

    def __init__(self, path: Path, controls: LiveControls, counters: Callable[[], LiveCounters]) -> None:
        self._path = path

        class Handler(socketserver.StreamRequestHandler):
            """One connection."""

            def handle(self) -> None:
                """Answer line by line."""
                for line in self.rfile:
                    self.wfile.write(_handle_line(line, controls, counters) + b"\n")

        old = os.umask(0o177)
        try:
            self._server = _Server(str(path), Handler)
        except OSError as error:
            raise TargetError(
                f"{path} cannot be made a control socket ({error.strerror}); give a free path."
            ) from error
        finally:
            os.umask(old)
        threading.Thread(target=self._server.serve_forever, name="control socket", daemon=True).start()

    def close(self) -> None:
        """Close and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


def _handle_line(line: bytes, controls: LiveControls, counters: Callable[[], LiveCounters]) -> bytes:
    try:
        changes = msgspec.json.decode(line or b"{}", type=dict[str, Any])
        look = controls.change(**changes) if changes else controls.state
    except (msgspec.MsgspecError, VeilError) as error:
        return msgspec.json.encode(ErrorReply(str(error)))
    return msgspec.json.encode(StatusReply(look, counters()))
