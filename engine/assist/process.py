"""The process of one task: a request on standard input, answers on standard output.

    python -m engine.assist.process

Decoding and matching take all of a core, so they must not share a process with a server that draws pages. The process
ends when its standard input is closed, so that it does not outlive the program that asked.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import cv2
import msgspec

from engine.assist.follow import follow_face
from engine.assist.messages import AssistAnswer, AssistRequest, Failure, Followed, Progress, Similar
from engine.assist.similar import find_similar
from engine.core.json_decoder import decode_json
from engine.errors import VeilError
from engine.isolation.expendable import begin_expendable_process
from engine.record import encode_document
from engine.review.apply import AmendedRecord
from engine.review.load import load_record
from engine.review.review_file import read_review

_PROGRESS_INTERVAL_S = 0.1
_NICENESS = 5
"""Lower priority than the server: a still that a person waits for comes first."""


class _Reporter:
    """Sends progress to whoever asked, a few times a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def progress(self, _stage: str, done: int, total: int | None) -> None:
        """Send how far the work is, unless that was just sent."""
        now = time.monotonic()
        if now - self._last >= _PROGRESS_INTERVAL_S:
            self._last = now
            _send(Progress(done, total or done))

    def notice(self, message: str) -> None:
        """Ignore it: the result says what a person has to know."""


def main() -> int:
    """Answer the request; return the exit code."""
    os.nice(_NICENESS)
    begin_expendable_process()
    cv2.setNumThreads(1)
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        answer = _answer(decode_json(line, type=AssistRequest))
    except VeilError as error:
        answer = Failure(str(error))
    except msgspec.MsgspecError as error:
        answer = Failure(f"The request is malformed: {error}.")
    _send(answer)
    return 0


def _answer(request: AssistRequest) -> AssistAnswer:
    record, sha256 = load_record(Path(request.record))
    amended = AmendedRecord(record, read_review(Path(request.review), sha256, missing_ok=True))
    if request.wanted == "follow":
        return Followed(follow_face(request.source, amended, request.frame, request.box, _Reporter()))
    models = None if request.models is None else Path(request.models)
    return Similar(find_similar(request.source, amended, request.frame, request.box, models, _Reporter()))


def _send(answer: AssistAnswer) -> None:
    sys.stdout.buffer.write(encode_document(answer))
    sys.stdout.buffer.flush()


def _end_with_input() -> None:
    # Not through the buffer, whose lock this thread would still hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    # Not sys.exit, which ends this thread alone.
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
