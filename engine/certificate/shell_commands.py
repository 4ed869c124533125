"""Shell commands with which anyone can check a release with stock tools, without Veil.

Each command is one line for a POSIX shell, run in the folder of the release. It ends with 0 if the check passes and
with another number if it fails, and needs only GNU coreutils, FFmpeg (5.1 or newer) and OpenSSL.

The sentences and commands are part of the certificate, so their wording is part of its bytes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from engine.audio.compare import AlteredAudio
from engine.media.audio_samples import RAW_FORMATS, SAMPLE_BYTES
from engine.media.containers import format_from_suffix
from engine.media.output.file_fingerprint import AudioPacketHash, FileFingerprint, choose_timestamp_kind
from engine.record import Document, Sha256

_STRUCTURAL_TAGS = (
    "(major_brand|minor_version|compatible_brands|vendor_id|[Dd]uration|DURATION)=.*",
    "(handler_name|HANDLER_NAME)=(VideoHandler|SoundHandler)",
    "language=und",
    "(encoder|ENCODER)=Lavf",
)
"""Tags that describe only the structure of the file."""


class ShellCommand(Document, frozen=True):
    """A command, and a sentence on what it shows."""

    shows: str
    command: str


def build_output_commands(
    file_name: str, facts: FileFingerprint, comment: str | None, altered: Sequence[AlteredAudio] = ()
) -> Iterator[ShellCommand]:
    """Build the commands that check the released video by itself.

    Args:
        file_name: Name of its file.
        facts: Its fingerprint.
        comment: The one tag that it may carry.
        altered: Its audio streams in which something was replaced.
    """
    # `file:`, because FFmpeg takes a name with a colon for a protocol and may even open a connection.
    file = shlex.quote(f"file:{file_name}")
    yield build_hash_command("the video is the released one, byte for byte", {file_name: facts.sha256})
    for place, audio in enumerate(facts.audio):
        yield _build_audio_command(f"audio stream {place} holds the released packets", file, f"0:a:{place}", audio)
    for one in altered:
        yield from _build_piece_commands(f"audio stream {one.number - 1}", file, f"0:a:{one.number - 1}", one)
    # Only the column of hashes: the heading names the version of FFmpeg, and times have the next command. Times are
    # sorted there, because packets come in decoding order, which differs from the order of the pictures.
    yield ShellCommand(
        "every decoded picture is the released one",
        f"test \"$(ffmpeg -v error -i {file} -map 0:v:0 -f framehash -hash sha256 - | grep -v '^#' | cut -d, -f6 | "
        f"tr -d ' ' | sha256sum | cut -c1-64)\" = {facts.pictures}",
    )
    yield ShellCommand(
        f"it has {facts.frames} frames, each at its time",
        f'test "$(ffprobe -v error -select_streams v:0 -show_entries packet={choose_timestamp_kind(file_name)} '
        f"-of csv=p=0 {file} | "
        f'cut -d, -f1 | grep . | sort -n | sha256sum | cut -c1-64)" = {facts.times}',
    )
    # ffprobe lists the streams of MPEG-TS twice, once in their program; sorted without repetitions, every container
    # gives the same form.
    kinds = " ".join(f"{place},{kind}" for place, kind in enumerate(facts.streams))
    yield ShellCommand(
        "it holds these streams and no other",
        f'test "$(ffprobe -v error -show_entries stream=index,codec_type -of csv=p=0 {file} | grep . | sort -nu | '
        f"tr '\\n' ' ')\" = {shlex.quote(kinds + ' ')}",
    )
    # A list of the tags that may be there and not of those that may not: a tag that is not known here makes the command
    # fail.
    allowed = "|".join([*_STRUCTURAL_TAGS, *([f"(comment|COMMENT)={comment}"] if comment else [])])
    yield ShellCommand(
        "it carries no tag that tells of place, time, device or person, and no chapter",
        f"! ffprobe -v error -show_entries format_tags:stream_tags:chapter_tags:chapter=id -of default=nw=1 {file} | "
        f"grep -E '^(TAG:|id=)' | grep -v -E {shlex.quote(f'^TAG:({allowed})$')}",
    )


def build_source_commands(
    file_name: str,
    sha256: Sha256,
    audio: Mapping[int, AudioPacketHash],
    altered: Sequence[AlteredAudio] = (),
    output_name: str = "",
) -> Iterator[ShellCommand]:
    """Build the commands that check the source: it is the anonymised one, and its audio is that of the release.

    Args:
        file_name: Name that the commands expect the source to have.
        sha256: SHA-256 of the source.
        audio: The copied streams, by their index in the source.
        altered: The streams in which something was replaced.
        output_name: Name of the released video. Streams whose decoders differ in the last bits are compared with it.
    """
    file = shlex.quote(f"file:{file_name}")
    yield build_hash_command("the source is the one that was anonymised", {file_name: sha256})
    for index, stream in audio.items():
        yield _build_audio_command(
            f"stream {index} of the source holds the packets of the release", file, f"0:{index}", stream
        )
    for one in altered:
        # Lossy codecs decode to floating point, whose last bits depend on the version of FFmpeg, so no hash would
        # match. Where FFmpeg 5.1 misreads the source itself, there is no command that it could pass.
        if one.samples in {"flt", "dbl"} and not one.source_codec.startswith("pcm_"):
            yield from _build_similarity_commands(one, file, shlex.quote(f"file:{output_name}"))
        elif not (
            format_from_suffix(PurePath(file_name).suffix).misreads_wide_pcm
            and one.source_codec.startswith("pcm_")
            and one.samples != "s16"
        ):
            yield from _build_piece_commands(
                f"stream {one.index} of the source", file, f"0:{one.index}", one, only_kept=True
            )


def build_hash_command(shows: str, files: Mapping[str, Sha256]) -> ShellCommand:
    """Build a command that checks files by their SHA-256."""
    listed = " ".join(f"{sha256} {shlex.quote(name)}" for name, sha256 in files.items())
    return ShellCommand(shows, f"printf '%s  %s\\n' {listed} | sha256sum --check --strict -")


def build_signature_command(document: str, signature: str, key: str) -> ShellCommand:
    """Build a command that checks an Ed25519 signature, from the names of the file, the signature and the key."""
    return ShellCommand(
        "the certificate was signed with the organisation's key",
        f"openssl pkeyutl -verify -pubin -inkey {shlex.quote(key)} -rawin -in {shlex.quote(document)} "
        f"-sigfile {shlex.quote(signature)}",
    )


def _build_piece_commands(
    stream_label: str, quoted_file: str, stream_map: str, altered: AlteredAudio, *, only_kept: bool = False
) -> Iterator[ShellCommand]:
    """Build a command for each piece of a stream: silence is compared with zeros, everything else by its hash.

    The last piece extends to the end of the stream, so that nothing can follow it.
    """
    raw = RAW_FORMATS[altered.samples]
    width = altered.channels * SAMPLE_BYTES[altered.samples]
    for piece in altered.pieces:
        if only_kept and piece.kind != "kept":
            continue
        seconds = f"{(piece.stop - piece.first) / altered.rate:.3f} s"
        end = "" if piece is altered.pieces[-1] else f":end_sample={piece.stop}"
        trimmed = (
            f"ffmpeg -v error -i {quoted_file} -map {stream_map} "
            f"-af atrim=start_sample={piece.first}{end} -c:a pcm_{raw}"
        )
        shows = f"{stream_label}, samples {piece.first} to {piece.stop - 1} ({seconds})"
        if piece.kind == "mute":
            zeros = f"head -c {(piece.stop - piece.first) * width} /dev/zero | sha256sum"
            yield ShellCommand(
                f"{shows}: nothing but silence", f'test "$({trimmed} -f {raw} - | sha256sum)" = "$({zeros})"'
            )
        else:
            is_what = "the bleep and nothing else" if piece.kind == "bleep" else "the samples of the source"
            hashed = f"{trimmed} -f hash -hash sha256 -"
            yield ShellCommand(f"{shows}: {is_what}", f'test "$({hashed})" = SHA256={piece.sha256}')


def _build_similarity_commands(altered: AlteredAudio, quoted_source: str, quoted_output: str) -> Iterator[ShellCommand]:
    """Build a command for each kept piece of a lossy stream: it differs from the source by less than two steps.

    Versions of FFmpeg decode lossy codecs to samples that differ in the last bits, so a hash would not match.
    """
    count = altered.channels
    # A quarter of the difference, as 16-bit samples, is zero exactly where the difference is below two steps.
    minus = "|".join(f"c{place}=0.25*c{place}-0.25*c{place + count}" for place in range(count))
    for piece in altered.pieces:
        if piece.kind != "kept":
            continue
        end = "" if piece is altered.pieces[-1] else f":end_sample={piece.stop}"
        cut = f"atrim=start_sample={piece.first}{end},asetpts=N/SR/TB,volume=1:precision=float"
        graph = (
            f"[0:{altered.index}]{cut}[s];[1:a:{altered.number - 1}]{cut}[o];[s][o]amerge=inputs=2,pan={count}c|{minus}"
        )
        differing = (
            f"ffmpeg -v error -i {quoted_source} -i {quoted_output} -filter_complex '{graph}' "
            "-c:a pcm_s16le -f s16le - | sha256sum"
        )
        zeros = f"head -c {(piece.stop - piece.first) * count * 2} /dev/zero | sha256sum"
        yield ShellCommand(
            f"stream {altered.index} of the source, samples {piece.first} to {piece.stop - 1}: the release differs by "
            "less than two steps of 16 bits, as decoders do",
            f'test "$({differing})" = "$({zeros})"',
        )


def _build_audio_command(shows: str, quoted_file: str, stream_map: str, audio: AudioPacketHash) -> ShellCommand:
    # AAC packets have headers in MPEG-TS and none in MP4; without them the packets are equal in every container.
    framing = " -bsf:a aac_adtstoasc" if audio.codec == "aac" else ""
    return ShellCommand(
        shows,
        f'test "$(ffmpeg -v error -i {quoted_file} -map {stream_map} -c copy{framing} -f streamhash -hash sha256 -)" = '
        f"0,a,SHA256={audio.packets}",
    )
