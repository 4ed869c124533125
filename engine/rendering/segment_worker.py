"""A process that encodes segments, one after another. Only `engine.rendering.segment_processes` starts it.

python -m engine.rendering.segment_worker LIFELINE
"""

from __future__ import annotations

import sys

import msgspec

from engine.core.progress import ProgressListener
from engine.isolation.messages import decode_value
from engine.isolation.serve import serve_calls
from engine.rendering.segment_task import EncodedSegment, SegmentTask, encode_segment


def _encode(_name: str, body: msgspec.Raw, listener: ProgressListener) -> EncodedSegment:
    task = decode_value(body, SegmentTask)
    return encode_segment(task, lambda frames: listener.progress("render", frames, len(task.plans)))


if __name__ == "__main__":
    sys.exit(serve_calls(int(sys.argv[1]), _encode))
