"""The process that decodes the packets of a running video; see `engine.media.stream.isolated_decoder`.

python -m engine.media.stream.decoder_process LIFELINE
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from typing import cast

import msgspec
from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from engine.core.geometry import Size
from engine.core.progress import ProgressListener
from engine.core.step_limit import NATIVE_STEP, start_step_limit
from engine.isolation.messages import decode_value
from engine.isolation.serve import serve_calls
from engine.media.stream.decoder_messages import DecodeRequest, DecodeResult, VideoCodec
from engine.media.stream.frame_slots import SlotPicture, SlotWriter
from engine.media.stream.isolated_decoder import DECODE_LIMIT_S
from engine.media.stream.normalise import FrameNormaliser

_DECODERS: dict[VideoCodec, str] = {"vp8": "libvpx", "h264": "h264"}
"""FFmpeg's decoders."""
_MAX_BYTES = 4 << 30
"""Address space: several times what pictures of a camera need, so that a stream cannot fill the memory."""


class _Decoder:
    """Decodes the packets of one video."""

    def __init__(self) -> None:
        self._context: VideoCodecContext | None = None
        self._writers: list[SlotWriter] = []
        self._size: Size | None = None
        self._normaliser = FrameNormaliser()

    def answer(self, _name: str, body: msgspec.Raw, _listener: ProgressListener) -> DecodeResult:
        request = decode_value(body, DecodeRequest)
        if self._context is None:
            self._context = cast("VideoCodecContext", CodecContext.create(_DECODERS[request.codec], "r"))
            self._writers = [SlotWriter(descriptor) for descriptor in request.slots]
        try:
            with NATIVE_STEP:
                frames = self._context.decode(Packet(request.data))
        except FFmpegError:
            return DecodeResult((), is_decodable=False)
        with NATIVE_STEP:
            return DecodeResult(self._place_frames(frames))

    def _place_frames(self, frames: Sequence[VideoFrame]) -> tuple[SlotPicture, ...]:
        # A camera sends no frame that waits for later ones, so each packet gives one; of more, the newest count.
        newest = frames[-len(self._writers) :]
        return tuple(
            writer.write_frame(self._normalise(frame)) for writer, frame in zip(self._writers, newest, strict=False)
        )

    def _normalise(self, frame: VideoFrame) -> VideoFrame:
        # A browser changes the size with the network. Each size is kept here, as the run scales to its own.
        size = Size(frame.width, frame.height)
        if size != self._size:
            self._size, self._normaliser = size, FrameNormaliser()
        return self._normaliser.normalise(frame, 0, 0).planar_frame


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Besides the limit for files: a frame of a camera takes milliseconds, and a connection waits for it when it closes.
    start_step_limit(DECODE_LIMIT_S)
    sys.exit(serve_calls(int(sys.argv[1]), _Decoder().answer))
