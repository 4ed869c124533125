"""The camera of a browser is decoded outside of the server, and a crash there is the end of its source."""

import os
import signal
from types import SimpleNamespace

import pytest
from aiortc import rtcrtpreceiver

from engine.errors import SourceError
from tests.crashing_reader import find_children
from tests.engine.media.stream.test_isolated_decoder import encode
from workbench.views.live.camera_decoder import isolate_decoders, make_decoder, take_frame


class Taken:
    """Stands for a live run."""

    def __init__(self):
        self.frames, self.errors = [], []

    def push_frame(self, frame):
        self.frames.append(frame)

    def fail_source(self, error):
        self.errors.append(error)


def test_aiortc_makes_its_decoders_here(monkeypatch):
    monkeypatch.setattr(rtcrtpreceiver, "get_decoder", rtcrtpreceiver.get_decoder)
    isolate_decoders()
    assert rtcrtpreceiver.get_decoder is make_decoder


def test_sound_is_not_decoded():
    decoder = make_decoder(SimpleNamespace(mimeType="audio/opus"))
    assert decoder.decode(SimpleNamespace(data=b"whatever")) == []


@pytest.mark.slow
def test_frames_reach_the_run_until_the_decoder_is_lost_and_then_the_reason_does():
    taken, packets = Taken(), encode("vp8")
    decoder = make_decoder(SimpleNamespace(mimeType="video/VP8"))
    for number, packet in enumerate(packets):
        if number == 2:
            [process] = find_children("decoder_process")
            os.kill(process, signal.SIGSEGV)
        for frame in decoder.decode(SimpleNamespace(data=packet)):
            take_frame(taken, frame)
    assert [(frame.width, frame.height) for frame in taken.frames] == [(96, 64)] * 2
    [error] = taken.errors
    assert isinstance(error, SourceError)
    assert str(error).startswith("Camera of a browser cannot be read")
    # aiortc drops its decoder when a connection ends.
    decoder = make_decoder(SimpleNamespace(mimeType="video/VP8"))
    decoder.decode(SimpleNamespace(data=packets[0]))
    assert find_children("decoder_process")
    del decoder
    assert not find_children("decoder_process")
