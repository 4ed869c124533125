"""Tiny videos and stills of every container and codec, spoiled, and what Veil does with them."""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from engine.cli import main
from engine.errors import VeilError
from engine.media.stream.live_input import LiveInput
from engine.record import encode_document
from tests import clips
from tests.malformed.mutations import spoil_bytes, spoil_head
from tests.record_makers import record_of

_GOOD_EXIT_CODES = frozenset({0, 1, 2, 3})
"""1 too: a run that failed for a reason that a sentence tells."""
_FACE = (10, 8, 40, 36)
_LIVE_LIMIT_S = 3.0
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=0.4")
_SEEDS: Mapping[str, str] = {
    "h264.mp4": "-c:v libx264 -bf 2 -g 4 -c:a aac",
    "fragments.mp4": "-c:v libx264 -g 2 -c:a aac -movflags frag_keyframe+empty_moov",
    "hevc.mp4": "-c:v libx265 -x265-params log-level=0 -c:a aac",
    "av1.mp4": "-c:v libsvtav1 -c:a aac",
    "mpeg4.mp4": "-c:v mpeg4 -c:a libmp3lame",
    "h264.mov": "-c:v libx264 -c:a pcm_s16le",
    "prores.mov": "-c:v prores_ks -pix_fmt yuv422p10le -c:a pcm_s16le",
    "mjpeg.mov": "-c:v mjpeg -pix_fmt yuvj420p -an",
    "dnxhd.mov": "-c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -s 256x120 -an",
    "h264.mkv": "-c:v libx264 -c:a libopus",
    "ffv1.mkv": "-c:v ffv1 -c:a flac",
    "rawvideo.mkv": "-c:v rawvideo -c:a pcm_s16le",
    "vp8.webm": "-c:v libvpx -c:a libvorbis",
    "vp9.webm": "-c:v libvpx-vp9 -c:a libopus",
    "mpeg4.avi": "-c:v mpeg4 -c:a libmp3lame",
    "huffyuv.avi": "-c:v huffyuv -pix_fmt yuv422p -c:a pcm_s16le",
    "h264.ts": "-c:v libx264 -g 4 -c:a aac",
    "mpeg2.ts": "-c:v mpeg2video -c:a mp2",
    "h264.m2ts": "-c:v libx264 -c:a ac3",
    "mpeg2.mpg": "-c:v mpeg2video -c:a mp2",
    "mpeg2.mxf": "-c:v mpeg2video -c:a pcm_s16le -ar 48000",
    "wmv2.wmv": "-c:v wmv2 -c:a wmav2",
    "h263.3gp": "-c:v h263 -s 128x96 -an",
    "flv1.flv": "-c:v flv -c:a libmp3lame",
    "theora.ogv": "-c:v libtheora -c:a libvorbis",
    "dv.dv": "-c:v dvvideo -s 720x576 -pix_fmt yuv420p -r 25 -ar 48000 -ac 2 -frames:v 2",
    "h264.nut": "-c:v libx264 -c:a aac",
    "still.gif": "-an",
    "still.png": "-an -frames:v 1",
    "still.jpg": "-an -frames:v 1",
    "still.webp": "-an -c:v libwebp -frames:v 1",
    "still.tiff": "-an -frames:v 1",
    "still.bmp": "-an -frames:v 1",
    "still.jp2": "-an -frames:v 1",
    "still.ppm": "-an -frames:v 1",
}
"""Name of a seed, and FFmpeg's options for it. What this FFmpeg cannot write is left out, and said."""


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Make the whole files that are spoiled."""
    folder.mkdir(parents=True)
    seeds = {}
    for name, options in _SEEDS.items():
        picture = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.24")
        try:
            clips.ffmpeg(*picture, *_SOUND, "-threads", "1", "-shortest", *options.split(), folder / name)
        except RuntimeError as error:
            sys.stdout.write(f"no seed {name}: {str(error).splitlines()[-1]}\n")
            continue
        seeds[name] = (folder / name).read_bytes()
    profile = clips.png_with_profile(folder / "profile.png")
    return seeds | {"profile.png": profile.read_bytes()}


class VideoFuzz:
    """Spoils one seed at a time; probes, decodes, renders, verifies and plays what comes of it.

    Args:
        seeds: the whole files by name.
        work: a folder for what is written.
        seed: of everything random.
    """

    def __init__(self, seeds: Mapping[str, bytes], work: Path, seed: int) -> None:
        self._seeds, self._place, self._seed = seeds, work / "place", seed
        self._names = sorted(seeds)

    def spoil(self, number: int) -> tuple[str, bytes]:
        """Return the name and the bytes of a case."""
        chance = random.Random(f"{self._seed} video {number}")
        name = self._names[number % len(self._names)]
        spoil = spoil_head if chance.random() < 0.6 else spoil_bytes
        return name, spoil(self._seeds[name], chance)

    def examine(self, number: int) -> str:
        """Do with the spoiled file what a person would; return what Veil said."""
        name, data = self.spoil(number)
        # A render with its verification takes many times what a decode takes, so each is given a share of the cases.
        return self.examine_bytes(
            name, data, covers_damage=number % 2 == 0, plays=number % 4 == 1, renders=number % 3 == 0
        )

    def examine_bytes(self, name: str, data: bytes, *, covers_damage: bool, plays: bool, renders: bool) -> str:
        """Examine these bytes under this name; as `examine`."""
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir(parents=True)
        os.chdir(self._place)
        path = self._place / name
        path.write_bytes(data)
        if plays:
            self._play(path)
        try:
            record = record_of(path, lambda _: [_FACE], on_damage="cover" if covers_damage else "stop")
        except VeilError as error:
            return f"{name}: {str(error)[-160:]}"
        if not renders:
            return f"{name}: decoded {len(record.frames)}"
        (self._place / "record.json").write_bytes(encode_document(record))
        out = f"out{path.suffix}"
        answers = [
            self._call("render", name, "record.json", "-o", out),
            self._call("verify", name, "record.json", out) if (self._place / out).exists() else "",
        ]
        return f"{name}: {'; '.join(answers)}"

    @staticmethod
    def _play(path: Path) -> None:
        """Read the file as live mode does, at the speed of its clock, for some seconds."""
        stop = threading.Event()
        timer = threading.Timer(_LIVE_LIMIT_S, stop.set)
        timer.start()
        try:
            with LiveInput(str(path), stop, reconnect_timeout_s=0.5) as live:
                for _ in live.events():
                    pass
        except VeilError:
            pass
        finally:
            timer.cancel()

    @staticmethod
    def _call(*words: str) -> str:
        printed, complained = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        try:
            code = main(words)
        finally:
            complaint = sys.stderr.getvalue()
            sys.stdout, sys.stderr = printed, complained
        assert code in _GOOD_EXIT_CODES, f"{words}: exit {code}: {complaint}"
        assert "Traceback" not in complaint, complaint
        assert "fault of Veil" not in complaint, complaint
        return f"{words[0]} {code} {complaint.strip()[-160:]}"
