"""Decodes the camera of a browser outside of the server.

aiortc decodes what it receives with FFmpeg in a thread of the server, where a stream that was made to crash a decoder
would end everybody's session. Here it gets decoders that hand each packet to a process of its own. Sound is not wanted
on Live, so sound that a browser sends nevertheless is not decoded at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiortc import rtcrtpreceiver
from aiortc.codecs.base import Decoder

from engine.errors import SourceError
from engine.jobs.live_run import BROWSER_CAMERA, LiveRun
from engine.media.stream.isolated_decoder import IsolatedDecoder

if TYPE_CHECKING:
    from engine.media.stream.decoder_messages import VideoCodec

_VIDEO_CODECS: dict[str, VideoCodec] = {"video/vp8": "vp8", "video/h264": "h264"}
"""What aiortc agrees on with a browser, by MIME type."""


class _CameraDecoder(Decoder):  # type: ignore[misc]  # aiortc is not checked
    """Decodes the packets of one connection. aiortc drops it when the connection ends."""

    def __init__(self, codec: VideoCodec) -> None:
        self._codec: VideoCodec = codec
        self._decoder: IsolatedDecoder | None = None

    def decode(self, encoded_frame: Any) -> list[Any]:
        try:
            self._decoder = self._decoder or IsolatedDecoder(self._codec, BROWSER_CAMERA.capitalize())
            return self._decoder.decode_packet(encoded_frame.data)
        except SourceError as error:
            # It takes the way of a frame, which is the only one from here to the run that the camera belongs to.
            return [error]

    def __del__(self) -> None:
        if self._decoder is not None:
            self._decoder.close()


class _IgnoringDecoder(Decoder):  # type: ignore[misc]  # as above
    def decode(self, _encoded_frame: Any) -> list[Any]:
        return []


def make_decoder(codec: Any) -> Decoder:
    """Return the decoder for a codec of aiortc."""
    video_codec = _VIDEO_CODECS.get(codec.mimeType.lower())
    return _IgnoringDecoder() if video_codec is None else _CameraDecoder(video_codec)


def isolate_decoders() -> None:
    """Make aiortc decode in other processes; calling it again changes nothing.

    Raises:
        AttributeError: this version of aiortc makes its decoders in another way.
    """
    # aiortc has no setting for it. Assigning a name that does not exist would change nothing without a word.
    rtcrtpreceiver.get_decoder  # noqa: B018 - fails in a version that has another name for it
    rtcrtpreceiver.get_decoder = make_decoder


def take_frame(live: LiveRun, frame: object) -> None:
    """Hand what a decoder returned to the run that it belongs to: a frame, or why there are no more."""
    if isinstance(frame, SourceError):
        live.fail_source(frame)
    else:
        live.push_frame(frame)
