"""Decodes the packets of a running video in a process of its own, for a server that receives them."""

from __future__ import annotations

from av.error import InvalidDataError
from av.video.frame import VideoFrame

from engine.core.closeable import Closeable
from engine.core.step_limit import EXIT_STUCK
from engine.errors import SourceError, VeilError
from engine.isolation.call import CallProcess, ProcessEndedError
from engine.isolation.guarded import explain_end
from engine.media.stream.decoder_messages import DecodeRequest, DecodeResult, VideoCodec
from engine.media.stream.frame_slots import FrameSlot

_MODULE = "engine.media.stream.decoder_process"
_SLOTS = 2
"""Most frames that are taken from one packet."""
DECODE_LIMIT_S = 10
"""Longest time for which one packet is decoded."""
_INVALID_DATA = 1094995529
"""FFmpeg's number of the error."""
_ADVICE = "Start again, or use another browser"


class IsolatedDecoder(Closeable):
    """Decodes the packets of one video, one after another, in a process that they may cost. For use by one thread.

    Args:
        codec: codec of the video.
        subject: what sends it, for the start of a sentence.

    Raises:
        SourceError: the process cannot be started.
    """

    def __init__(self, codec: VideoCodec, subject: str) -> None:
        self._codec, self._subject = codec, subject
        self._slots = tuple(FrameSlot() for _ in range(_SLOTS))
        self._descriptors = tuple(slot.descriptor for slot in self._slots)
        try:
            self._process: CallProcess | None = CallProcess(_MODULE, self._descriptors)
        except VeilError as error:
            self._close_slots()
            raise SourceError(f"{subject} cannot be read. {error}") from error

    def decode_packet(self, data: bytes) -> list[VideoFrame]:
        """Return the frames that a packet completes; none after `close`, or after the process has ended.

        Raises:
            FFmpegError: the packet cannot be decoded; the next keyframe can.
            SourceError: the packet ended the process.
        """
        if self._process is None:
            return []
        try:
            result = self._process.call("decode", DecodeRequest(self._codec, self._descriptors, data), DecodeResult)
        except ProcessEndedError as ended:
            self.close()
            raise self._explain_end(ended) from None
        if not result.is_decodable:
            raise InvalidDataError(_INVALID_DATA, "the packet cannot be decoded")
        return [slot.read_frame(picture) for slot, picture in zip(self._slots, result.pictures, strict=False)]

    def close(self) -> None:
        """End the process; closing twice is allowed."""
        process, self._process = self._process, None
        if process is not None:
            # It writes nothing, so it need not end by itself, and a thread that closes a connection must not wait.
            process.kill()
            process.close()
            self._close_slots()

    def _explain_end(self, ended: ProcessEndedError) -> SourceError:
        if ended.code == EXIT_STUCK:
            return SourceError(
                f"{self._subject} cannot be read: a frame was not decoded within {DECODE_LIMIT_S} s. {_ADVICE}."
            )
        return explain_end(ended, self._subject, advice=_ADVICE)

    def _close_slots(self) -> None:
        for slot in self._slots:
            slot.close()
