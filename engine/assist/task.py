"""A task in a process of its own: started, asked for its state, and ended."""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress

from engine.assist.messages import AssistAnswer, AssistRequest, Failure, Progress, decode_answer
from engine.core.child_process import wait_or_kill
from engine.core.python_process import build_child_environment, build_module_command
from engine.isolation.crash import describe_crash, is_crash
from engine.record import encode_document

_END_TIMEOUT_S = 2.0
_UNEXPECTED = Failure("The work stopped unexpectedly. Try again; the log of the server has details.")


class AssistTask:
    """One request in a process of its own. It is thread-safe."""

    def __init__(self, request: AssistRequest) -> None:
        """Start the process."""
        self._lock = threading.Lock()
        self._state: AssistAnswer = Progress(0, 0)
        self._process = subprocess.Popen(
            build_module_command("engine.assist.process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=build_child_environment(),
        )
        stdin = self._process.stdin
        assert stdin is not None
        # A process that ended at once is reported when its answers are read.
        with suppress(BrokenPipeError):
            stdin.write(encode_document(request))
            stdin.flush()
        threading.Thread(target=self._read_answers, name="assist", daemon=True).start()

    @property
    def state(self) -> AssistAnswer:
        """Return the newest answer: `Progress` while the process works, then the result or a `Failure`."""
        with self._lock:
            return self._state

    @property
    def ended(self) -> bool:
        """Return whether there is a result or a failure."""
        return not isinstance(self.state, Progress)

    def end(self) -> None:
        """End the process, if it still works."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        wait_or_kill(self._process, _END_TIMEOUT_S)

    def _read_answers(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        with stdout:
            for line in stdout:
                self._take(decode_answer(line))
        self.end()
        if not self.ended:
            code = self._process.returncode
            self._take(Failure(f"The video {describe_crash(code)}.") if is_crash(code) else _UNEXPECTED)

    def _take(self, answer: AssistAnswer) -> None:
        with self._lock:
            self._state = answer
