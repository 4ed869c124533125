"""Reads the facts about a file in a process of its own, so that a file that crashes a reader ends that process only.

A process is started at the first use and serves one file after another. It ends with the process that started it,
because its standard input then closes.
"""

from __future__ import annotations

import atexit
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from engine.core.json_decoder import decode_json
from engine.core.python_process import build_child_environment, build_module_command
from engine.errors import SourceError
from engine.isolation.crash import describe_crash
from engine.isolation.expendable import begin_expendable_process
from engine.media.facts import MediaInfo

_MAX_IDLE = 2
_MAX_BYTES = 12 << 30
"""Address space of a reader: several times what pictures of 8K need, so that a file cannot fill the memory."""


class _Request(msgspec.Struct, frozen=True):
    path: str


class _Answer(msgspec.Struct, frozen=True):
    """The facts, or a sentence that says why there are none."""

    info: MediaInfo | None = None
    error: str | None = None


_idle: list[subprocess.Popen[bytes]] = []
"""Processes that wait for a file. Each is used by one thread at a time, so threads do not wait for each other."""
_idle_lock = threading.Lock()


def read_in_process(path: Path) -> MediaInfo:
    """Return the facts about a file, without its hash.

    Raises:
        SourceError: the file cannot be read, or ended the process that read it.
    """
    process = _take_process()
    try:
        answer = _exchange(process, _Request(str(path.absolute())))
    except BaseException:
        # An interrupted exchange leaves an answer in the pipe that the next caller would take for its own.
        process.kill()
        _end_process(process)
        raise
    if answer is None:
        raise SourceError(f"{path} {describe_crash(_end_process(process))}.")
    _give_back(process)
    if answer.info is None:
        raise SourceError((answer.error or "").replace(str(path.absolute()), str(path)))
    return answer.info


def _exchange(process: subprocess.Popen[bytes], request: _Request) -> _Answer | None:
    """Send a request and return the answer; None if the process ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(request) + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return None
    line = process.stdout.readline()
    return decode_json(line, type=_Answer) if line.endswith(b"\n") else None


def _take_process() -> subprocess.Popen[bytes]:
    with _idle_lock:
        while _idle:
            process = _idle.pop()
            if process.poll() is None:
                return process
            _end_process(process)
    return subprocess.Popen(
        build_module_command(__name__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=build_child_environment(),
        # Ctrl-C in a terminal goes to the caller alone.
        start_new_session=True,
    )


def _give_back(process: subprocess.Popen[bytes]) -> None:
    with _idle_lock:
        if len(_idle) < _MAX_IDLE:
            _idle.append(process)
            return
    _end_process(process)


def _end_process(process: subprocess.Popen[bytes]) -> int:
    """Close the pipes of a process, upon which it ends, and return its exit code."""
    with suppress(BrokenPipeError), process:
        pass
    return process.wait()


@atexit.register
def _end_idle_processes() -> None:
    with _idle_lock:
        for process in _idle:
            _end_process(process)
        _idle.clear()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests, one JSON document a line, until the input ends."""
    # Imported here, so that the process that only asks does not load the readers.
    from engine.media.source.file_facts import read_file_facts  # noqa: PLC0415

    for line in requests:
        request = decode_json(line, type=_Request)
        try:
            answer = _Answer(info=read_file_facts(Path(request.path)))
        except SourceError as error:
            answer = _Answer(error=str(error))
        except MemoryError:
            answer = _Answer(error=f"{request.path} needs too much memory to be read. Convert it to a smaller size.")
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    begin_expendable_process()
    serve(sys.stdin.buffer, sys.stdout.buffer)
