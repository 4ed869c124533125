"""Packets that a process of its own decodes give the same frames; its end is a sentence."""

import os
import signal
from fractions import Fraction
from itertools import chain

import numpy as np
import pytest
from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet

from engine.errors import SourceError
from engine.media.pixels import picture_from_frame
from engine.media.stream.isolated_decoder import IsolatedDecoder
from engine.media.stream.normalise import frame_from_rgb
from tests.crashing_reader import find_children

pytestmark = pytest.mark.slow

ENCODERS = {"vp8": "libvpx", "h264": "libx264"}


def encode(codec, sizes=((96, 64), (96, 64))):
    """Packets of a running video, whose size changes."""
    packets = []
    for number, (width, height) in enumerate(sizes):
        encoder = CodecContext.create(ENCODERS[codec], "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base = Fraction(1, 25)
        encoder.options = {"tune": "zerolatency"} if codec == "h264" else {"deadline": "realtime", "lag-in-frames": "0"}
        picture = np.random.default_rng(number).integers(0, 255, (height, width, 3), dtype=np.uint8)
        for pts in range(3):
            frame = frame_from_rgb(np.roll(picture, 4 * pts, axis=1)).reformat(format="yuv420p")
            frame.pts, frame.time_base = pts, encoder.time_base
            packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def copy_planes(frame):
    return [plane.copy() for plane in picture_from_frame(frame, read_only=True).planes]


@pytest.mark.parametrize("codec", ENCODERS)
def test_frames_are_those_of_the_decoder_in_every_size(codec):
    packets = encode(codec, ((96, 64), (160, 120)))
    here = CodecContext.create({"vp8": "libvpx"}.get(codec, codec), "r")
    expected = [[copy_planes(frame) for frame in here.decode(Packet(packet))] for packet in packets]
    with IsolatedDecoder(codec, "The camera") as decoder:
        found = [[copy_planes(frame) for frame in decoder.decode_packet(packet)] for packet in packets]
    assert [len(frames) for frames in found] == [len(frames) for frames in expected]
    assert sum(map(len, found)) == 6
    for one, other in zip(chain.from_iterable(found), chain.from_iterable(expected), strict=True):
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def test_a_packet_that_cannot_be_decoded_is_an_error_and_the_next_keyframe_is_not():
    with IsolatedDecoder("vp8", "The camera") as decoder:
        with pytest.raises(FFmpegError):
            decoder.decode_packet(b"\xff" * 40)
        assert len(decoder.decode_packet(encode("vp8")[0])) == 1


def test_a_packet_that_ends_the_process_is_a_sentence_and_nothing_comes_after_it():
    [packet, later, *_] = encode("vp8")
    with IsolatedDecoder("vp8", "The camera") as decoder:
        assert decoder.decode_packet(packet)
        [process] = find_children("decoder_process")
        os.kill(process, signal.SIGSEGV)
        with pytest.raises(SourceError, match=r"The camera cannot be read: .*signal SIGSEGV\)\. Start again"):
            decoder.decode_packet(later)
        assert decoder.decode_packet(later) == []
    assert not find_children("decoder_process")
