"""What tools that anybody has say of a finished file: the values that FFmpeg's command line and ffprobe repeat.

Unlike the checks of `engine.verification`, these do not change with the version of FFmpeg: the hash of the stored
packets of an audio stream, the hash of every decoded picture, and the list of presentation timestamps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import av

from engine.errors import SourceError
from engine.media.audio_streams import fingerprint_audio, list_contents
from engine.media.containers import format_from_suffix
from engine.media.ffmpeg import run_ffmpeg
from engine.record import Count, Document, Sha256, sha256_hex


class AudioPacketHash(Document, frozen=True):
    """An audio stream of a finished file: its codec and the SHA-256 of its packets, without framing (ADTS)."""

    codec: str
    packets: Sha256


class FileFingerprint(Document, frozen=True):
    """What stock tools say of a finished file.

    Attributes:
        sha256: of the file.
        frames: how many pictures it holds.
        pictures: SHA-256 of the list of SHA-256 hashes of its decoded pictures, one a line.
        times: SHA-256 of the list of its timestamps (see `clock_of`), rising, one a line.
        audio: its audio streams, in order.
        streams: kind of every stream, in order.
    """

    sha256: Sha256
    frames: Count
    pictures: Sha256
    times: Sha256
    audio: tuple[AudioPacketHash, ...]
    streams: tuple[str, ...]


def fingerprint_file(path: Path, sha256: Sha256) -> FileFingerprint:
    """Look at a finished file as stock tools do.

    Args:
        path: the file.
        sha256: of its bytes, as somebody else has hashed it.

    Raises:
        SourceError: it cannot be read or decoded.
    """
    hashes, times = _hash_pictures(path), _read_timestamps(path)
    return FileFingerprint(
        sha256=sha256,
        frames=len(times),
        pictures=_hash_lines(hashes),
        times=_hash_lines([str(time) for time in times]),
        audio=tuple(AudioPacketHash(one.codec, one.packets) for one in fingerprint_audio(path)),
        streams=tuple(stream.kind for stream in list_contents(path).streams),
    )


def _hash_pictures(path: Path) -> list[str]:
    done = run_ffmpeg(["-i", path, "-map", "0:v:0", "-f", "framehash", "-hash", "sha256", "-"])
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    if done.returncode != 0 or not lines:
        reason = (done.stderr.strip().splitlines() or ["there is no picture"])[0]
        raise SourceError(f"The pictures of {path} cannot be decoded, FFmpeg says: {reason}")
    return [line.split(",")[5].strip() for line in lines]


def choose_timestamp_kind(name: str) -> Literal["pts", "dts"]:
    """Which timestamps of its packets say when a file's pictures are shown, as ffprobe calls them, by the file's name.

    An AVI stores none for presentation; its pictures follow each other at one rate, as decoding counts them.
    """
    return format_from_suffix(Path(name).suffix).family.timestamp_kind


def _read_timestamps(path: Path) -> list[int]:
    clock = choose_timestamp_kind(path.name)
    try:
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
            times = (packet.dts if clock == "dts" else packet.pts for packet in packets)
            return sorted(time for time in times if time is not None)
    except av.error.FFmpegError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Is it a video, and complete?") from error


def _hash_lines(lines: list[str]) -> Sha256:
    return sha256_hex("".join(f"{line}\n" for line in lines).encode())
