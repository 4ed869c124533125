"""Outputs and inputs that speak a protocol, each with a real peer on loopback."""

import functools
import http.server
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from engine.errors import TargetError
from engine.live.hooks import LiveHooks
from engine.live.run import LiveOptions, anonymise_live
from tests import clips
from tests.engine.live.live_outputs import assert_in_sync, decode_brightness, read_audio_packets
from tests.engine.live.live_scenes import flash_and_beep, free_port
from tests.engine.live.scripted_camera import STEADY, detector_roles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def beep(tmp_path_factory):
    return flash_and_beep(tmp_path_factory.mktemp("beep") / "beep.mp4")


def wait_for_listener(process, port, table="tcp"):
    """Wait until `process` listens at a port."""
    until = time.monotonic() + 20
    while f":{port:04X} " not in Path(f"/proc/net/{table}").read_text():
        assert process.poll() is None
        assert time.monotonic() < until, "nobody listens"
        time.sleep(0.05)


@contextmanager
def run_process(*command):
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def record_stream(address, out, *options, table):
    """FFmpeg waiting for a stream at an address and copying it into a file; ends by itself when the stream does."""
    command = [clips.FFMPEG, "-loglevel", "error", "-y", *options, "-i", address, "-c", "copy", str(out)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    port = int(address.split(":")[2].split("/")[0].split("?")[0])
    try:
        wait_for_listener(process, port, table)
        yield process
    finally:
        process.kill()
        process.wait()


def test_rtmp_out(beep, moods, tmp_path):
    address, out = f"rtmp://127.0.0.1:{free_port()}/live/key", tmp_path / "out.flv"
    with record_stream(address, out, "-listen", "1", "-f", "flv", table="tcp") as process:
        report = anonymise_live(beep, address, LiveOptions(detector_roles(moods), STEADY), data=tmp_path)
        process.wait(20)
    assert len(decode_brightness(out)) == report.counters.shown == 50
    assert read_audio_packets(out)[0] == read_audio_packets(beep)[0]


def test_srt_out(beep, moods, tmp_path):
    address, out = f"srt://127.0.0.1:{free_port()}", tmp_path / "out.ts"
    with record_stream(f"{address}?mode=listener", out, table="udp") as process:
        anonymise_live(beep, address, LiveOptions(detector_roles(moods), STEADY), data=tmp_path)
        process.wait(20)
    assert len(decode_brightness(out)) > 20  # closing a connection cuts off what it still delays
    assert_in_sync(out)


def test_rtmp_in(beep, moods, tmp_path):
    port = free_port()
    address = f"rtmp://127.0.0.1:{port}/live/key"
    sender = [clips.FFMPEG, "-loglevel", "error", "-re", "-stream_loop", "2", "-i", beep, "-c", "copy", "-f", "flv"]
    with run_process(*sender, "-listen", "1", address) as process:
        wait_for_listener(process, port)
        options = LiveOptions(detector_roles(moods), STEADY, reconnect_timeout_s=0.2)
        report = anonymise_live(address, tmp_path / "out.mkv", options, data=tmp_path)
    assert report.counters.shown == len(decode_brightness(tmp_path / "out.mkv")) > 50  # of 150; it joins at a keyframe
    assert report.counters.judged > 25
    assert len(read_audio_packets(tmp_path / "out.mkv")[0]) > 50


def test_rtsp_in(beep, moods, tmp_path, stop):
    port, other, folder = free_port(), free_port(), tmp_path / "served"
    folder.mkdir()
    clips.ffmpeg("-stream_loop", "4", "-i", beep, "-c", "copy", folder / "beep.mp4")
    serve = "import asyncio, sys; from aio_rtsp_toolkit import server; "
    serve += "asyncio.run(server.serve(sys.argv[1], '127.0.0.1', int(sys.argv[2]), control_port=int(sys.argv[3])))"
    with run_process(sys.executable, "-c", serve, folder, port, other) as process:
        wait_for_listener(process, port)
        report = anonymise_live(
            f"rtsp://user:secret@127.0.0.1:{port}/beep.mp4",
            tmp_path / "out.mkv",
            LiveOptions(detector_roles(moods), STEADY),
            data=tmp_path,
            hooks=LiveHooks(stop=stop, counter_observer=lambda counters: stop.set() if counters.judged > 50 else None),
        )
    assert report.source == f"rtsp://127.0.0.1:{port}/beep.mp4"
    assert report.counters.shown == len(decode_brightness(tmp_path / "out.mkv")) > 50
    assert len(read_audio_packets(tmp_path / "out.mkv")[0]) > 50


def test_http_in(beep, moods, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    clips.ffmpeg("-i", beep, "-c", "copy", folder / "beep.ts")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/beep.ts"
        report = anonymise_live(
            address, tmp_path / "out.mkv", LiveOptions(detector_roles(moods), STEADY), data=tmp_path
        )
        server.shutdown()
    assert report.counters.shown == 50
    assert report.counters.reconnects == 0
    assert report.source == address
    assert_in_sync(tmp_path / "out.mkv")


def test_an_output_without_a_receiver_gives_an_error(beep, moods, tmp_path):
    with pytest.raises(TargetError, match="a receiver listens"):
        anonymise_live(
            beep, "rtmp://127.0.0.1:9/live/secret", LiveOptions(detector_roles(moods), STEADY), data=tmp_path
        )


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (functools.partial(clips.turned, degrees=90), (96, 128)),
        (functools.partial(clips.turned, degrees=270, mirrored=True), (96, 128)),
        (clips.odd_size, (126, 92)),
        (clips.anamorphic, (170, 96)),
        (clips.ten_bit, (128, 96)),
        (clips.chroma_444, (128, 96)),
    ],
)
def test_any_picture_comes_out_upright_with_square_pixels(make, size, moods, tmp_path):
    source = make(tmp_path / "in.mkv" if make is clips.odd_size else tmp_path / "in.mp4")
    anonymise_live(source, tmp_path / "out.mp4", LiveOptions(detector_roles(moods), STEADY), data=tmp_path)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 10
    assert {(frame.width, frame.height, frame.format.name) for frame in frames} == {(*size, "yuv420p")}
