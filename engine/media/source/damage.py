"""Sets decoders up to report damage, and finds the packets whose frame was lost.

FFmpeg reports damage in three ways, and which one can be relied on depends on the decoder. Measured by overwriting
bytes of packets and by cutting files:

- MPEG-1, -2, -4, H.264 and ProRes set flags on the frame; but if told to stop at errors, MPEG-2 refuses
  undamaged files. H.264
  does so on one thread only: with frame threads the flags differ from run to run, with slice threads the check for
  missing parts of a picture is off.
- HEVC, Motion JPEG and AV1 are silent unless they are told to stop at errors: then no frame comes out of a packet, and
  `PendingFrames` finds it missing.
- FFV1 finds a wrong checksum and only logs it.
- VP8 and VP9 carry no redundancy: damage that still parses gives a different picture, and nothing can detect that.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av.logging
from av.packet import Packet
from av.video.stream import VideoStream

_FLAGGING_DECODERS = frozenset(
    {"h264", "mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "flv", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1"}
    | {"wmv2", "wmv3", "vc1", "prores"}
)
_SINGLE_THREAD_DECODERS = frozenset({"h264"})
_STOPPING_DECODERS = frozenset({"hevc", "mjpeg", "vp8", "vp9", "av1", "libdav1d", "libaom-av1"})
_VP8_SHOW_FRAME_BIT = 0x10
"""RFC 6386, 9.1: the bit of the first byte that tells frames that are shown from those that are only referred to."""

_MIN_MPEG4_PACKET_BYTES = 20
"""Smaller packets of MPEG-4 in AVI are padding that repeats the frame before; no frame comes out of them."""

logging.getLogger("libav").addHandler(logging.NullHandler())


def enable_damage_reporting(stream: VideoStream) -> bool:
    """Set a decoder up, before its first packet, to report damage.

    Returns True if it reports some damage only in its log, so that `capture_decoder_errors` is needed as well. Such a
    decoder runs on one thread, so that a message belongs to the packet that was just sent.
    """
    decoder = stream.codec_context
    if decoder.name in _FLAGGING_DECODERS:
        # Frame threads are never used here: they make the flags of H.264 differ from run to run.
        decoder.thread_type = "SLICE"
        decoder.thread_count = 1 if decoder.name in _SINGLE_THREAD_DECODERS else 0
        return False
    # "explode" makes the decoder return an error instead of a picture that it patched up.
    decoder.options = {"err_detect": "crccheck+explode"}
    if decoder.name in _STOPPING_DECODERS:
        decoder.thread_type = "AUTO"
        return False
    decoder.thread_count = 1
    return True


def has_own_frame(codec: str, packet: Packet[Any]) -> bool:
    """Return whether a frame of its own must come out of a packet."""
    if packet.is_discard:
        return False
    if codec == "vp8":
        data: Any = packet  # Python 3.11 has no type for objects with a buffer
        return bool(memoryview(data)[0] & _VP8_SHOW_FRAME_BIT)
    return codec != "mpeg4" or packet.size >= _MIN_MPEG4_PACKET_BYTES


class PendingFrames:
    """A ledger of the presentation times of packets that were sent and have not come back as a frame.

    A decoder delivers in presentation order, so the frame of a packet is lost as soon as a later frame appears.
    """

    def __init__(self) -> None:
        # A heap of times and the set of those still pending: crossing a frame off the set takes constant time, and its
        # entry in the heap is dropped when it reaches the top.
        self._times: list[int] = []
        self._pending: set[int] = set()

    def add_packet(self, pts: int) -> None:
        """Enter the time of a packet that goes into the decoder."""
        if pts not in self._pending:
            self._pending.add(pts)
            heapq.heappush(self._times, pts)

    def match_frame(self, pts: int) -> list[int]:
        """Cross off a frame that came out; return the earlier times whose frames are lost, rising."""
        self._pending.discard(pts)
        return self._pop_lost(pts)

    def take_remaining(self) -> list[int]:
        """Return, at the end of the stream, the times whose frames never came, rising."""
        return self._pop_lost(None)

    def _pop_lost(self, before: int | None) -> list[int]:
        lost = []
        while self._times and (before is None or self._times[0] <= before):
            pts = heapq.heappop(self._times)
            if pts in self._pending:
                self._pending.discard(pts)
                lost.append(pts)
        return lost


class _LogCapture:
    """Raises the log level of FFmpeg, of which a process has only one, while any thread captures messages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners = 0

    def change_listeners(self, by: int) -> None:
        with self._lock:
            self._listeners += by
            av.logging.set_skip_repeated(self._listeners == 0)
            av.logging.set_level(av.logging.ERROR if self._listeners else None)


_log_capture = _LogCapture()


@contextmanager
def capture_decoder_errors() -> Iterator[list[tuple[int, str, str]]]:
    """Collect what FFmpeg logs as errors on this thread in a list that grows during the block."""
    _log_capture.change_listeners(1)
    try:
        with av.logging.Capture(local=True) as messages:
            yield messages
    finally:
        _log_capture.change_listeners(-1)
