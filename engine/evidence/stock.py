"""Commands with which anybody can check a release: a shell and stock tools, no Veil.

Each is one line for a POSIX shell, run in the folder of the release. It ends with 0 when what it checks holds, and with
another number when it does not, and needs nothing but GNU coreutils, FFmpeg (5.1 or newer) and OpenSSL.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from engine.media.stock import StockAudio, StockFacts
from engine.record import Document, Sha256

_STRUCTURE = (
    "(major_brand|minor_version|compatible_brands|vendor_id|[Dd]uration|DURATION)=.*",
    "(handler_name|HANDLER_NAME)=(VideoHandler|SoundHandler)",
    "language=und",
    "(encoder|ENCODER)=Lavf",
)
"""Tags that say nothing but how the file is built."""


class StockCommand(Document, frozen=True):
    """What a command shows, and the command."""

    shows: str
    command: str


def output_commands(name: str, facts: StockFacts, comment: str | None) -> Iterator[StockCommand]:
    """Commands that check the released video by itself.

    Args:
        name: of its file.
        facts: what stock tools say of it.
        comment: the one tag it may carry.
    """
    file = shlex.quote(f"file:{name}")
    yield hash_command("the video is the released one, byte for byte", {name: facts.sha256})
    for place, audio in enumerate(facts.audio):
        yield _audio(f"audio stream {place} holds the released packets", file, f"0:a:{place}", audio)
    yield StockCommand(
        "every decoded picture is the released one",
        f"test \"$(ffmpeg -v error -i {file} -map 0:v:0 -f framehash -hash sha256 - | grep -v '^#' | cut -d, -f6 | "
        f"tr -d ' ' | sha256sum | cut -c1-64)\" = {facts.pictures}",
    )
    yield StockCommand(
        f"it has {facts.frames} frames, each at its time",
        f'test "$(ffprobe -v error -select_streams v:0 -show_entries packet=pts -of csv=p=0 {file} | cut -d, -f1 | '
        f'grep . | sort -n | sha256sum | cut -c1-64)" = {facts.times}',
    )
    kinds = " ".join(f"{place},{kind}" for place, kind in enumerate(facts.streams))
    yield StockCommand(
        "it holds these streams and no other",
        f'test "$(ffprobe -v error -show_entries stream=index,codec_type -of csv=p=0 {file} | grep . | sort -nu | '
        f"tr '\\n' ' ')\" = {shlex.quote(kinds + ' ')}",
    )
    allowed = "|".join([*_STRUCTURE, *([f"(comment|COMMENT)={comment}"] if comment else [])])
    yield StockCommand(
        "it carries no tag that tells of place, time, device or person, and no chapter",
        f"! ffprobe -v error -show_entries format_tags:stream_tags:chapter_tags:chapter=id -of default=nw=1 {file} | "
        f"grep -E '^(TAG:|id=)' | grep -v -E {shlex.quote(f'^TAG:({allowed})$')}",
    )


def source_commands(name: str, sha256: Sha256, audio: Mapping[int, StockAudio]) -> Iterator[StockCommand]:
    """Commands for who holds the source: it is the one that was anonymised, and its audio is the release's.

    Args:
        name: under which the source is expected in the folder.
        sha256: of the source.
        audio: by stream index in the source, the streams that were copied.
    """
    file = shlex.quote(f"file:{name}")
    yield hash_command("the source is the one that was anonymised", {name: sha256})
    for index, stream in audio.items():
        yield _audio(f"stream {index} of the source holds the packets of the release", file, f"0:{index}", stream)


def hash_command(shows: str, files: Mapping[str, Sha256]) -> StockCommand:
    """A command that checks files by their SHA-256, by name."""
    listed = " ".join(f"{sha256} {shlex.quote(name)}" for name, sha256 in files.items())
    return StockCommand(shows, f"printf '%s  %s\\n' {listed} | sha256sum --check --strict -")


def signature_command(document: str, signature: str, key: str) -> StockCommand:
    """A command that checks an Ed25519 signature over a file, by the names of the file, the signature and the key."""
    return StockCommand(
        "the certificate was signed with the organisation's key",
        f"openssl pkeyutl -verify -pubin -inkey {shlex.quote(key)} -rawin -in {shlex.quote(document)} "
        f"-sigfile {shlex.quote(signature)}",
    )


def _audio(shows: str, file: str, mapped: str, audio: StockAudio) -> StockCommand:
    framing = " -bsf:a aac_adtstoasc" if audio.codec == "aac" else ""
    return StockCommand(
        shows,
        f'test "$(ffmpeg -v error -i {file} -map {mapped} -c copy{framing} -f streamhash -hash sha256 -)" = '
        f"0,a,SHA256={audio.packets}",
    )
