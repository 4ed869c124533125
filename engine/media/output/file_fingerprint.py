"""Facts about a finished file that anyone can reproduce with FFmpeg's command line and ffprobe.

Unlike the checks of `engine.verification`, these do not change with the version of FFmpeg: the hash of the stored
packets of an audio stream, the hash of every decoded picture, and the list of presentation time stamps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.errors import SourceError
from engine.media.audio_streams import fingerprint_audio, list_contents
from engine.media.containers import format_from_suffix
from engine.media.ffmpeg import run_ffmpeg
from engine.media.local_file import open_local_file
from engine.record import Count, Document, Sha256, sha256_hex


class AudioPacketHash(Document, frozen=True):
    """An audio stream of a finished file: its codec and the SHA-256 of its packets, without framing (ADTS)."""

    codec: str
    packets: Sha256


class FileFingerprint(Document, frozen=True):
    """Facts about a finished file, as stock tools report them.

    Attributes:
        sha256: SHA-256 of the file.
        frames: number of pictures.
        pictures: SHA-256 of the list of SHA-256 hashes of its decoded pictures, one a line.
        times: SHA-256 of the list of its time stamps (see `choose_timestamp_kind`), rising, one a line.
        audio: the audio streams, in order.
        streams: the kind of every stream, in order.
    """

    sha256: Sha256
    frames: Count
    pictures: Sha256
    times: Sha256
    audio: tuple[AudioPacketHash, ...]
    streams: tuple[str, ...]


def fingerprint_file(path: Path, sha256: Sha256) -> FileFingerprint:
    """Collect the facts about a finished file.

    Args:
        path: the file.
        sha256: SHA-256 of its bytes, which the caller has computed already.

    Raises:
        SourceError: the file cannot be read or decoded.
    """
    hashes, times = _hash_pictures(path), _read_timestamps(path)
    return FileFingerprint(
        sha256=sha256,
        frames=len(times),
        pictures=_hash_lines(hashes),
        times=_hash_lines([str(time) for time in times]),
        audio=tuple(AudioPacketHash(stream.codec, stream.packets) for stream in fingerprint_audio(path)),
        streams=tuple(stream.kind for stream in list_contents(path).streams),
    )


def _hash_pictures(path: Path) -> list[str]:
    done = run_ffmpeg(["-i", path, "-map", "0:v:0", "-f", "framehash", "-hash", "sha256", "-"])
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    if done.returncode != 0 or not lines:
        reason = (done.stderr.strip().splitlines() or ["there is no picture"])[0]
        raise SourceError(f"The pictures of {path} cannot be decoded, FFmpeg says: {reason}")
    # The sixth column of framehash is the hash; the columns before it hold times and sizes.
    return [line.split(",")[5].strip() for line in lines]


def choose_timestamp_kind(name: str) -> Literal["pts", "dts"]:
    """Return which time stamps of packets say when pictures are shown, by ffprobe's name, for a file of this name."""
    return format_from_suffix(Path(name).suffix).family.timestamp_kind


def _read_timestamps(path: Path) -> list[int]:
    clock = choose_timestamp_kind(path.name)
    with open_local_file(path) as container:
        if not container.streams.video:
            raise SourceError(f"{path} has no video. Check that it is the file that was released.")
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        # Sorted, because packets are stored in decoding order.
        times = (packet.dts if clock == "dts" else packet.pts for packet in packets)
        return sorted(time for time in times if time is not None)


def _hash_lines(lines: list[str]) -> Sha256:
    return sha256_hex("".join(f"{line}\n" for line in lines).encode())
