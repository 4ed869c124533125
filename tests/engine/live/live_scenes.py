"""Running pictures for tests: two faces from packages that move, sound, and ways to send them."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import cv2
import skimage.data

from tests import clips


def two_faces(path: Path, carphone: Path, seconds: float = 5.0) -> Path:
    """1280x720 at 25 frames/s: a man in a car and an astronaut, each moving on a blurred ground, with a tone."""
    portrait = path.with_suffix(".png")
    cv2.imwrite(str(portrait), skimage.data.astronaut()[:300, 80:380, ::-1])
    ground = f"testsrc2=size=1280x720:rate=25:duration={seconds}"
    tone = f"sine=frequency=440:sample_rate=44100:duration={seconds}"
    clips.ffmpeg(
        "-f", "lavfi", "-i", ground, "-stream_loop", "-1", "-i", carphone,
        "-loop", "1", "-framerate", "25", "-i", portrait, "-f", "lavfi", "-i", tone,
        "-filter_complex",
        "[0:v]hue=s=0.3,boxblur=8[ground];[1:v]scale=440:360,fps=25[man];"
        "[ground][man]overlay=x='100+80*sin(t*0.9)':y='200+60*cos(t*1.1)'[both];"
        "[both][2:v]overlay=x='780+120*sin(t*0.7)':y='160+90*sin(t*1.3)',format=yuv420p[v]",
        "-map", "[v]", "-map", "3:a", "-t", str(seconds),
        "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-c:a", "aac", path,
    )  # fmt: skip
    return path


def flash_and_beep(path: Path, seconds: float = 2.0, at: float = 1.0, size: str = "320x180") -> Path:
    """A dark picture that turns bright for 0.2 s when a tone sounds."""
    on = f"between(t,{at},{at + 0.199})"
    clips.ffmpeg(
        "-f", "lavfi", "-i", f"color=c=0x202020:size={size}:rate=25:duration={seconds}",
        "-f", "lavfi", "-i", f"aevalsrc='{on}*sin(2*PI*1000*t)':s=48000:d={seconds}",
        "-vf", f"drawbox=c=0xc0c0c0:t=fill:enable='{on}',format=yuv420p",
        "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-c:a", "aac", path,
    )  # fmt: skip
    return path


def free_port() -> int:
    """A UDP port on loopback that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sent(clip: Path, port: int, *options: str):
    """A clip sent at its own speed as MPEG-TS over UDP to a port on loopback, again and again."""
    target = f"udp://127.0.0.1:{port}?pkt_size=1316"
    command = [clips.FFMPEG, "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy"]
    sender = subprocess.Popen([*command, *options, "-f", "mpegts", target], stdin=subprocess.DEVNULL)
    try:
        yield sender
    finally:
        sender.kill()
        sender.wait()


class Heard:
    """Keeps the datagrams that are sent to a UDP port on loopback in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.address = f"udp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        with self.path.open("wb") as file:
            while not self._over.is_set():
                try:
                    file.write(self._socket.recv(65536))
                except TimeoutError:
                    continue

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()
