"""Processes that serve another one: messages over pipes, and an end together with the process that started them.

Messages are MessagePack documents, each preceded by its length in four bytes. The process that serves gets them on
standard input and answers on standard output.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, BinaryIO, Protocol

import msgspec

from engine.core.python_process import build_module_command
from engine.core.step_limit import EXIT_STUCK, STEP_LIMIT_S

_HEADER_BYTES = 4
"""Bytes of the length before each document, big-endian."""
_READ_BYTES = 1 << 16
_EXIT_PARENT_ENDED = 1


def spawn_server(
    module: str, environment: Mapping[str, str], descriptors: Sequence[int] = ()
) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start a process that serves this one.

    Args:
        module: module that it runs; it gets the descriptor of the lifeline as its only argument and has to call
            `end_with_parent` with it.
        environment: of the process.
        descriptors: what the process inherits besides.

    Returns:
        The process, with pipes as its standard streams, and this end of the lifeline, to be closed after its end.

    Raises:
        OSError: the process cannot be started.
    """
    # This process holds the only writing end and never writes. Whatever way it ends, the kernel then closes the pipe,
    # and that signals the server.
    lifeline, held = os.pipe()
    try:
        process = subprocess.Popen(
            build_module_command(module, str(lifeline)),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(lifeline, *descriptors),
            env=environment,
            # Ctrl-C in a terminal goes to the caller alone, which then ends its servers.
            start_new_session=True,
        )
    except OSError:
        os.close(held)
        raise
    finally:
        os.close(lifeline)
    return process, os.fdopen(held, "wb")


def end_with_parent(lifeline: int) -> None:
    """Let the kernel end this process when the one that started it has ended, even while native code runs.

    PR_SET_PDEATHSIG would not do: it fires when the thread that started this process ends, as Streamlit's script
    threads do.

    Args:
        lifeline: read end of a pipe; only the process that started this one has the other end.
    """
    os.set_inheritable(lifeline, False)
    # The default action ends the process. It is set because a process inherits ignored signals from its parent.
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # The parent may have ended before the signal was set up; then it will never come.
    if select.select([lifeline], [], [], 0)[0]:
        sys.exit(_EXIT_PARENT_ENDED)


def take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the messages away from descriptors 0 and 1, which native libraries may read and write.

    Returns:
        Where messages arrive, and where answers go.
    """
    messages, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # What a library prints must not get between the answers. In standard error it may even explain a crash.
    os.dup2(2, 1)
    return messages, answers


def frame_message(message: object) -> bytes:
    """Encode a message, with its length before it. A path is sent as text."""
    body = msgspec.msgpack.encode(message, enc_hook=str)
    return len(body).to_bytes(_HEADER_BYTES, "big") + body


def take_message_bodies(buffer: bytearray) -> Iterator[bytes]:
    """Remove the complete messages from the start of `buffer`, and yield them; an incomplete one stays."""
    while len(buffer) >= _HEADER_BYTES:
        end = _HEADER_BYTES + int.from_bytes(buffer[:_HEADER_BYTES], "big")
        if len(buffer) < end:
            return
        body = bytes(buffer[_HEADER_BYTES:end])
        del buffer[:end]
        yield body


def receive_message(messages: BinaryIO) -> bytes | None:
    """Wait for the next message; return None if the other process has closed its end."""
    header = messages.read(_HEADER_BYTES)
    length = int.from_bytes(header, "big")
    body = messages.read(length) if len(header) == _HEADER_BYTES else b""
    return body if header and len(body) == length else None


def send_message(pipe: IO[bytes], message: object) -> None:
    """Send a message to a server. If it has just ended, do nothing; the end of its answers says so."""
    data = memoryview(frame_message(message))
    try:
        while data:
            data = data[os.write(pipe.fileno(), data) :]
    except BrokenPipeError:
        return


def wait_or_kill(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """Wait for the end of a process; kill it if it takes longer."""
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class EndingProcess(Protocol):
    """A process that is asked to end before anybody waits for it."""

    def request_exit(self) -> None:
        """Ask it to end."""

    def wait_for_exit(self, deadline: float) -> None:
        """Wait for its end until the monotonic time `deadline`, and close its pipes."""


def end_together(processes: Iterable[EndingProcess], grace_s: float) -> None:
    """End processes at the same time, each with `grace_s` seconds to end by itself."""
    processes = list(processes)
    # All are asked before any is waited for, so that their times to end do not add up.
    for process in processes:
        process.request_exit()
    deadline = time.monotonic() + grace_s
    for process in processes:
        process.wait_for_exit(deadline)


def read_available(stream: IO[bytes], buffer: bytearray) -> bool:
    """Append to `buffer` what can be read from a non-blocking pipe; return False if the other end is closed."""
    while True:
        try:
            data = os.read(stream.fileno(), _READ_BYTES)
        except BlockingIOError:
            return True
        if not data:
            return False
        buffer += data


def describe_exit(code: int) -> str:
    """Describe how a process ended, as the end of a sentence about it."""
    if code == EXIT_STUCK:
        return f"was ended because one step of decoding took longer than {STEP_LIMIT_S} s"
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name
    # The kernel sends SIGKILL when memory runs out, and nothing in the output of the process says so.
    return f"was killed by {name}, perhaps for lack of memory," if name == "SIGKILL" else f"crashed with {name}"


def describe_end(code: int, last_line: str) -> str:
    """Describe how a process ended, with the last line of its output if it wrote any, as the end of a sentence."""
    shown = f' (last line of its output: "{last_line}")' if last_line else ""
    return f"{describe_exit(code)}{shown}"


def find_last_line(output: bytes | bytearray, max_characters: int = 200) -> str:
    """Return the last line of a process's output that is not empty, shortened."""
    lines = output.decode(errors="replace").split("\n")
    return next((line.strip()[:max_characters] for line in reversed(lines) if line.strip()), "")
